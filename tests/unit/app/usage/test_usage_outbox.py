"""Records that wait for a destination, in virtual time."""

import asyncio
import logging

import pytest

from rtc_server.app.usage import usage_outbox
from rtc_server.app.usage.usage_outbox import DeliveryError, Outgoing, UsageOutbox


class Destination:
    """Destination that takes records only once it is up."""

    name = "the test"

    def __init__(self, up: bool = True) -> None:
        self.up = asyncio.Event()
        if up:
            self.up.set()
        self.tries_s: list[float] = []
        self.taken: list[str] = []

    async def deliver(self, record: Outgoing) -> None:
        self.tries_s.append(asyncio.get_running_loop().time())
        if not self.up.is_set():
            raise DeliveryError("it is down")
        self.taken.append(record.record_id)


def record(number: int) -> Outgoing:
    return Outgoing(str(number), "{}")


async def test_records_arrive_in_order_before_the_end() -> None:
    destination, drops = Destination(), list[None]()
    box = UsageOutbox(destination, lambda: drops.append(None))
    async with box.delivering():
        for number in range(3):
            box.put(record(number))
    assert destination.taken == ["0", "1", "2"] and not drops


async def test_a_destination_that_is_down_is_tried_again_and_loses_nothing() -> None:
    destination = Destination(up=False)
    box = UsageOutbox(destination, lambda: None)
    async with box.delivering():
        box.put(record(1))
        box.put(record(2))
        await asyncio.sleep(300)
        destination.up.set()
        await asyncio.sleep(61)
        assert destination.taken == ["1", "2"]
    gaps_s = [b - a for a, b in zip(destination.tries_s, destination.tries_s[1:], strict=False)]
    assert gaps_s[:7] == pytest.approx([1, 2, 4, 8, 16, 32, 60])


async def test_what_finds_no_room_is_dropped_and_counted(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(usage_outbox, "MOST_WAITING", 2)
    drops: list[None] = []
    destination = Destination(up=False)
    box = UsageOutbox(destination, lambda: drops.append(None))
    with caplog.at_level(logging.ERROR):
        async with box.delivering():
            for number in range(3):
                box.put(record(number))
            assert len(drops) == 1 and "too many records wait for the test" in caplog.text
            before_s = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - before_s == pytest.approx(
            usage_outbox.LAST_TRIES_S
        )
    assert len(drops) == 3, "nor do they arrive that nobody takes until the end"
    assert caplog.text.count("Not delivered to the test: {}") == 2
