"""Limit on many waits, in virtual time."""

import asyncio

import pytest

from rtc_server.engines.remote.channel import STUCK_S, FrameOutbox
from rtc_server.engines.remote.patience import Patience
from tests.support.engine_pool import QueueChannel


async def test_one_wait_too_long_ends_the_block_in_its_time() -> None:
    loop = asyncio.get_running_loop()
    patience = Patience(10.0)
    with pytest.raises(TimeoutError):
        async with patience.limiting():
            await asyncio.sleep(7.0)
            patience.begin()
            began_s = loop.time()
            await asyncio.sleep(60.0)
    assert loop.time() - began_s == pytest.approx(10.0, abs=0.01)


async def test_waits_that_end_in_time_and_rest_between_them_end_nothing() -> None:
    patience = Patience(10.0)
    async with patience.limiting():
        for _ in range(20):
            patience.begin()
            await asyncio.sleep(9.0)
        patience.end()
        await asyncio.sleep(100.0)


async def test_no_timer_is_left() -> None:
    patience = Patience(10.0)
    async with patience.limiting():
        patience.begin()
    task = asyncio.current_task()
    assert task is not None
    await asyncio.sleep(60.0)
    assert not task.cancelling()


class StuckChannel(QueueChannel):
    """Channel whose other side takes one frame and no more."""

    async def send(self, frame: bytes) -> None:
        if self.sent:
            await asyncio.Event().wait()
        self.sent.append(frame)


async def test_a_frame_that_the_other_side_does_not_take_ends_the_sending() -> None:
    loop = asyncio.get_running_loop()
    outbox = FrameOutbox(StuckChannel(), 1000)
    sending = asyncio.create_task(outbox.run())
    outbox.put(b"taken")
    await asyncio.sleep(7.0)
    outbox.put(b"not taken")
    began_s = loop.time()
    with pytest.raises(EOFError, match="it took nothing for 10 s"):
        await sending
    assert loop.time() - began_s == pytest.approx(STUCK_S, abs=0.01)
    assert outbox.is_closed
