"""Unix socket of an engine server: its rights, and sockets that others left or hold."""

import fcntl
import os
import socket
import stat
from pathlib import Path

import pytest

from rtc_server.app import socket_turn
from rtc_server.errors import ConfigError
from tests.support.engine_server import asking, fake_engines, translated


async def test_a_socket_is_its_owners_and_makes_way_for_the_next(tmp_path: Path) -> None:
    path = tmp_path / "engines"
    async with fake_engines(f"unix:{path}", token=""):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(path))
        killed.listen()
    assert path.is_socket()  # as one that was killed leaves it
    async with fake_engines(f"unix:{path}", token="") as heir, asking(heir.address, token=""):
        pass
    path.write_text("precious")
    with pytest.raises(ConfigError, match="is not a socket"):
        async with fake_engines(f"unix:{path}", token=""):
            pass
    assert path.read_text() == "precious"


async def test_a_socket_is_not_looked_at_while_another_server_makes_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_turn, "TURN_S", 0.1)
    path = tmp_path / "engines"
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))  # the other is about to listen, and refuses until then
        other = os.open(tmp_path, os.O_RDONLY)
        try:
            fcntl.flock(other, fcntl.LOCK_EX)
            with pytest.raises(ConfigError, match="another server has been starting"):
                async with fake_engines(f"unix:{path}", token=""):
                    pass
        finally:
            os.close(other)
    assert path.is_socket()


async def test_the_socket_of_a_server_that_lives_is_left_to_it(tmp_path: Path) -> None:
    path = tmp_path / "engines"
    async with fake_engines(f"unix:{path}", token="") as first:
        with pytest.raises(ConfigError, match="Another server listens"):
            async with fake_engines(f"unix:{path}", token=""):
                pass
        async with asking(first.address, token="") as engines:
            assert (await translated(engines)).samples == 16000
        path.unlink()
        with socket.socket(socket.AF_UNIX) as another:
            another.bind(str(path))
    assert path.is_socket()  # not the first's to remove
