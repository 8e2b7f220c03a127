"""A data channel's events come through no faster than a WebSocket's."""

import asyncio

from rtc_server.transport.event_inbox import WAITING_MESSAGES, Event, EventInbox
from rtc_server.transport.websocket.forms import EventIn, RefusedMessage
from rtc_server.transport.websocket.inbox import FLOOD
from tests.support.sctp import FIRST, LAST, association, receive


async def test_within_the_rate_events_are_handled_at_once() -> None:
    handled: list[Event] = []
    inbox = EventInbox(handled.append)
    for number in range(4000):
        inbox.put(EventIn(str(number)))
        assert handled[-1] == EventIn(str(number))
        await asyncio.sleep(0.005)
    assert len(handled) == 4000


async def test_a_flood_waits_its_turn_and_is_told_once() -> None:
    handled: list[Event] = []
    inbox = EventInbox(handled.append)
    sent = 0
    for _ in range(3000):  # 11,000 a second, as long as there is room
        for _ in range(11):
            if not inbox.is_full:
                inbox.put(EventIn(str(sent)))
                sent += 1
        await asyncio.sleep(0.001)
    texts = [event.text for event in handled if isinstance(event, EventIn)]
    assert texts == [str(number) for number in range(len(texts))]  # none lost, none overtaken
    assert 2500 <= len(texts) <= 2700  # 2000 at once, then 200 a second for 3 s
    assert WAITING_MESSAGES - 1 <= sent - len(texts) <= WAITING_MESSAGES
    assert handled.count(RefusedMessage(FLOOD)) == 1
    await asyncio.sleep(10.0)
    assert not inbox.is_full
    inbox.close()


async def test_what_cannot_be_read_counts_for_more() -> None:
    handled: list[Event] = []
    inbox = EventInbox(handled.append)
    for _ in range(100):
        inbox.put(RefusedMessage("It is binary."))
    assert len(handled) == 51  # and the warning
    inbox.close()
    await asyncio.sleep(10.0)
    assert len(handled) == 51


async def test_sctp_takes_nothing_while_the_inbox_is_full() -> None:
    sctp, room = association(), False
    sctp.may_receive = lambda: room
    await receive(sctp, 1, flags=FIRST | LAST)
    assert sctp._last_received_tsn == 0  # not acknowledged either: the peer sends it again
    room = True
    await receive(sctp, 1, flags=FIRST | LAST)
    assert sctp._last_received_tsn == 1
