"""Work beside a block: it runs as long as the block, and its failure is reported."""

import asyncio
import logging

import pytest

from rtc_server.background import beside


async def test_it_runs_while_the_block_does_and_has_ended_after_it() -> None:
    seen: list[str] = []

    async def work() -> None:
        try:
            while True:
                await asyncio.sleep(1.0)
                seen.append("worked")
        finally:
            await asyncio.sleep(1.0)
            seen.append("tidied up")

    async with beside(work(), name="work"):
        await asyncio.sleep(2.5)
        assert seen == ["worked"] * 2
    assert seen == ["worked", "worked", "tidied up"]


async def test_an_error_in_the_block_ends_it_too() -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    with pytest.raises(ValueError, match="the block"):
        async with beside(work(), name="work"):
            await asyncio.sleep(0)
            raise ValueError("the block")
    assert ended.is_set()


async def test_its_failure_is_logged_at_once_and_the_block_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def work() -> None:
        raise OSError("no such luck")

    with caplog.at_level(logging.ERROR):
        async with beside(work(), name="key file"):
            await asyncio.sleep(1.0)
            assert "The task 'key file' failed and has ended." in caplog.text
            assert "no such luck" in caplog.text
