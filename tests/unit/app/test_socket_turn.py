"""Servers that make a socket in the same folder do so one after the other."""

import asyncio
import fcntl
import os
from pathlib import Path

import pytest

from rtc_server.app.socket_turn import TURN_S, alone_at
from rtc_server.errors import ConfigError


async def test_two_servers_make_their_sockets_one_after_the_other(tmp_path: Path) -> None:
    order = []
    second_may_start = asyncio.Event()

    async def start(name: str) -> None:
        async with alone_at(tmp_path / "engines"):
            order.append(f"{name} begins")
            second_may_start.set()
            await asyncio.sleep(1)
            order.append(f"{name} listens")

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(start("first"))
        await second_may_start.wait()
        tasks.create_task(start("second"))
    assert order == ["first begins", "first listens", "second begins", "second listens"]


async def test_one_that_takes_too_long_is_told_of(tmp_path: Path) -> None:
    other = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(other, fcntl.LOCK_EX)
        before_s = asyncio.get_running_loop().time()
        with pytest.raises(ConfigError, match="another server has been starting"):
            async with alone_at(tmp_path / "engines"):
                pass
        assert asyncio.get_running_loop().time() - before_s == pytest.approx(TURN_S, abs=0.1)
    finally:
        os.close(other)
    async with alone_at(tmp_path / "engines"):
        pass


async def test_a_folder_that_is_not_there_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        async with alone_at(tmp_path / "nowhere" / "engines"):
            pass
