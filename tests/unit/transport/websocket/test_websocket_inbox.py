"""What may wait to be handled."""

from rtc_server.transport.websocket.forms import EventIn
from rtc_server.transport.websocket.inbox import READ_AHEAD_BYTES, Inbox

EVENT = EventIn("x" * 16_000)


def test_long_events_are_bounded_by_their_bytes() -> None:
    inbox = Inbox(16_000)
    while not inbox.is_full:
        inbox.put(EVENT)
    assert len(inbox) == READ_AHEAD_BYTES // 16_000
    inbox.take()
    assert not inbox.is_full
