"""Bounds of what waits to be handled, and its rate."""

import pytest

from rtc_server.transport.websocket.forms import AudioIn, EventIn, RefusedMessage
from rtc_server.transport.websocket.inbox import (
    CATCH_UP_S,
    MESSAGES_PER_S,
    OVERHEAD_BYTES,
    RATE,
    READ_AHEAD_BYTES,
    READ_AHEAD_S,
    Inbox,
    InboxPace,
    Waiting,
    message_cost,
)

EVENT = EventIn("x" * 16_000)


def test_long_events_are_bounded_by_their_bytes() -> None:
    inbox = Inbox(16_000)
    while not inbox.is_full:
        inbox.put(EVENT)
    assert len(inbox) == READ_AHEAD_BYTES // (16_000 + OVERHEAD_BYTES) + 1
    inbox.take()
    assert not inbox.is_full


def test_a_speaker_in_real_time_never_waits() -> None:
    pace = InboxPace()
    assert all(pace.take_audio(0.02, number * 0.02) == 0 for number in range(50_000))


def test_a_stall_is_caught_up_at_once_and_a_file_is_read_in_real_time() -> None:
    pace = InboxPace()
    assert pace.take_audio(CATCH_UP_S, 0.0) == 0
    now_s, waited_s = 0.0, 0.0
    for _ in range(600):
        wait_s = pace.take_audio(0.1, now_s)
        now_s, waited_s = now_s + wait_s, waited_s + wait_s
    assert waited_s == pytest.approx(60 / RATE)
    assert pace.take_audio(CATCH_UP_S, now_s + 100) == 0


@pytest.mark.parametrize(
    "message", [AudioIn(b""), AudioIn(b"\0\0"), EventIn("{}"), RefusedMessage("no")]
)
def test_any_message_without_much_audio_is_slowed_in_the_end(message: Waiting) -> None:
    pace, now_s, count = InboxPace(), 0.0, 100_000
    for _ in range(count):
        now_s += pace.take_message(message_cost(message), now_s)
    assert now_s == pytest.approx(count * message_cost(message) / MESSAGES_PER_S - CATCH_UP_S)


def test_the_inbox_is_full_by_audio_by_number_and_by_memory() -> None:
    second = AudioIn(bytes(2 * 24_000))
    for message in (
        second,
        EventIn("{}"),
        EventIn("x" * 16_000),
        RefusedMessage("no"),
        AudioIn(b""),
    ):
        inbox = Inbox(24_000)
        while not inbox.is_full:
            inbox.put(message)
        assert len(inbox) <= MESSAGES_PER_S * READ_AHEAD_S
        while len(inbox):
            assert inbox.take() == message
        assert not inbox.is_full
