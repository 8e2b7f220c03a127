"""The way of messages from the inbox to the session, by itself."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from rtc_server.pcm import SPEECH_RATE, Pcm
from rtc_server.transport.transport_api import TransportStats
from rtc_server.transport.websocket.feed import SLICE_S, InboxFeed
from rtc_server.transport.websocket.forms import AudioIn, EventIn, RefusedMessage
from rtc_server.transport.websocket.inbox import CATCH_UP_S, Inbox
from tests.support.peers import Recorder

RATE = SPEECH_RATE


def seconds(length_s: float) -> AudioIn:
    """Return that much audio in one message."""
    return AudioIn(bytes(2 * round(length_s * RATE)))


class Ordered(Recorder):
    """Receiver that notes the order of audio and events."""

    def __init__(self) -> None:
        super().__init__()
        self.order: list[str] = []

    def on_pcm(self, pcm: Pcm) -> None:
        super().on_pcm(pcm)
        self.order.append("audio")

    def on_message(self, text: str) -> None:
        super().on_message(text)
        self.order.append(text)


@dataclass
class Fed:
    """A feed and the session that it feeds."""

    feed: InboxFeed
    session: Ordered
    counters: TransportStats
    failures: list[Exception] = field(default_factory=list)


@asynccontextmanager
async def feeding() -> AsyncIterator[Fed]:
    session, counters, failures = Ordered(), TransportStats(), list[Exception]()

    def call_session(call: Callable[[], None]) -> None:
        try:
            call()
        except Exception as error:
            failures.append(error)

    clock = asyncio.get_running_loop().time
    feed = InboxFeed(Inbox(RATE), RATE, session, call_session, counters=counters, clock=clock)
    work = asyncio.create_task(feed.run())
    try:
        yield Fed(feed, session, counters, failures)
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        feed.close()
        feed.close()


async def test_events_keep_their_place_among_audio_that_comes_in_slices() -> None:
    async with feeding() as f:
        f.feed.put(seconds(3 * SLICE_S))
        f.feed.put(EventIn("release"))
        f.feed.put(seconds(SLICE_S))
        f.feed.put(RefusedMessage("too large", "mine"))
        await asyncio.sleep(1)
        assert f.session.order == ["audio", "audio", "audio", "release", "audio"]
        assert f.session.bad_messages == ["too large"]
        assert f.session.is_contiguous()
        assert f.feed.position_samples == f.session.samples == round(4 * SLICE_S * RATE)
        assert f.counters.packets_received == 2


async def test_a_recording_is_taken_at_the_pace_of_speech_and_its_sender_warned_once() -> None:
    async with feeding() as f:
        for _ in range(3):
            f.feed.put(seconds(CATCH_UP_S))
        await asyncio.sleep(1)
        assert f.session.times_ahead == 1
        at_once = f.session.samples
        assert at_once < 1.5 * CATCH_UP_S * RATE
        await asyncio.sleep(60)
        assert f.session.samples == 3 * CATCH_UP_S * RATE
        assert f.session.times_ahead == 1


async def test_a_session_that_fails_stops_nothing_here() -> None:
    async with feeding() as f:
        f.session.pcm = None  # type: ignore[assignment]
        f.feed.put(seconds(SLICE_S))
        f.feed.put(EventIn("next"))
        await asyncio.sleep(1)
        assert len(f.failures) == 1
        assert f.session.messages == ["next"]
