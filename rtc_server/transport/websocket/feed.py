"""Feed from a WebSocket's inbox to its session: in order, and no faster than real time."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from rtc_server.clock import Clock
from rtc_server.pcm import Pcm
from rtc_server.transport.transport_api import TransportObserver, TransportStats
from rtc_server.transport.websocket.forms import AudioIn, EventIn, RefusedMessage
from rtc_server.transport.websocket.inbox import FLOOD, Inbox, InboxPace, Waiting, message_cost
from rtc_server.transport.websocket.pcm16 import SpeechIn
from rtc_server.transport.websocket.socket_port import Control

SLICE_S: Final = 0.1
"""Audio passed to the session at once: detecting speech in it must not block the loop for long."""


class CallSession(Protocol):
    """Function that calls the session. If the session raises, it ends this connection only."""

    def __call__(self, call: Callable[[], None]) -> None:
        """Call it; never raises."""


class InboxFeed:
    """Feed of one connection: takes messages from an inbox and calls the session with them."""

    def __init__(
        self,
        inbox: Inbox,
        sample_rate: int,
        observer: TransportObserver,
        call_session: CallSession,
        *,
        counters: TransportStats,
        clock: Clock,
    ) -> None:
        self._inbox, self._sample_rate = inbox, sample_rate
        self._observer, self._call_session = observer, call_session
        self._counters, self._clock = counters, clock
        self._pace = InboxPace()
        self._speech_in = SpeechIn(sample_rate)
        self._warned_flood = self._warned_ahead = False
        self._inbox_changed = asyncio.Event()
        self.position_samples = 0
        """Start of the next audio on the session's audio clock."""

    def put(self, message: Waiting) -> None:
        """Add a message that was read."""
        self._inbox.put(message)
        self._inbox_changed.set()

    async def run(self) -> None:
        """Pass messages on until cancelled."""
        while True:
            while not len(self._inbox):
                await self.changed()
            message = self._inbox.take()
            self._inbox_changed.set()
            await self._handle(message)

    async def changed(self) -> None:
        """Wait until a message was added or taken."""
        self._inbox_changed.clear()
        await self._inbox_changed.wait()

    def close(self) -> None:
        """Free the resampler. Idempotent."""
        self._speech_in.close()

    async def _handle(self, message: Waiting) -> None:
        await self._wait_turn(message)
        match message:
            case AudioIn(pcm):
                self._counters.packets_received += 1
                await self._feed(pcm)
            case EventIn(text):
                self._call_session(lambda: self._observer.on_message(text))
            case RefusedMessage(reason, event_id):
                self._call_session(lambda: self._observer.on_bad_message(reason, event_id))
            case Control():
                pass

    async def _wait_turn(self, message: Waiting) -> None:
        """Wait while there are too many messages; between any two, let other tasks run."""
        wait_s = self._pace.take_message(message_cost(message), self._clock())
        if wait_s and not self._warned_flood and not isinstance(message, RefusedMessage):
            self._warned_flood = True
            self._call_session(lambda: self._observer.on_bad_message(FLOOD))
        if wait_s or len(self._inbox):
            await asyncio.sleep(wait_s)
        else:
            self._warned_flood = False

    async def _feed(self, pcm: bytes) -> None:
        """Pass audio on in short pieces, no faster than the pace allows."""
        step = round(SLICE_S * self._sample_rate) * 2
        for at in range(0, len(pcm), step):
            piece = pcm[at : at + step]
            wait_s = self._pace.take_audio(len(piece) / (2 * self._sample_rate), self._clock())
            if wait_s and not self._warned_ahead:
                self._warned_ahead = True
                self._call_session(self._observer.on_audio_ahead)
            if wait_s or len(pcm) > step:
                await asyncio.sleep(wait_s)
            self._feed_piece(piece)

    def _feed_piece(self, pcm: bytes) -> None:
        samples = self._speech_in.push(pcm)
        if samples.size:
            start = self.position_samples
            self.position_samples = start + samples.size
            self._call_session(lambda: self._observer.on_pcm(Pcm(samples, start)))
