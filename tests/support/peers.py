"""The server side for transport tests: it accepts offers, and keeps the events of its session."""

import asyncio
import time
from collections.abc import Callable
from typing import Self

import numpy as np

from rtc_server.config import TransportSettings
from rtc_server.pcm import PLAYOUT_FRAME_SAMPLES, PLAYOUT_RATE, Pcm, Samples
from rtc_server.transport.media_scheduler import MediaScheduler
from rtc_server.transport.transport_api import CloseReason
from rtc_server.transport.webrtc import WebRtcTransport


class Recorder:
    """Session that keeps all events, and plays the audio that a test gives it."""

    def __init__(self, playout: Samples | None = None) -> None:
        self.pcm: list[Pcm] = []
        self.messages: list[str] = []
        self.bad_messages: list[str] = []
        self.slow_reader = False
        self.times_ahead = 0
        self.reasons: list[CloseReason] = []
        self.connected = False
        self.channel_open = False
        self._playout = playout
        self._played = 0
        self.frames_taken = 0
        self._changed = asyncio.Event()

    @property
    def samples(self) -> int:
        """Number of samples that have arrived."""
        return self.pcm[-1].start_samples + len(self.pcm[-1].samples) if self.pcm else 0

    def audio(self) -> Samples:
        """All received audio."""
        return np.concatenate([each.samples for each in self.pcm])

    def received(self) -> Samples:
        """Return what came in packets: nothing concealed, and no silence in the place of what did
        not come while the machine stood still.
        """
        came = [each.samples for each in self.pcm if not each.concealed_samples]
        return np.concatenate([np.zeros(0, np.float32), *(each for each in came if np.any(each))])

    def is_contiguous(self) -> bool:
        """Return whether each piece begins where the one before ended."""
        position = 0
        for each in self.pcm:
            if each.start_samples != position:
                return False
            position += len(each.samples)
        return True

    async def until(self, condition: Callable[[], bool], timeout_s: float = 60.0) -> None:
        """Wait until `condition`, looked at whenever something happens."""
        async with asyncio.timeout(timeout_s):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def on_connected(self) -> None:
        self.connected = True
        self._changed.set()

    def on_pcm(self, pcm: Pcm) -> None:
        self.pcm.append(pcm)
        self._changed.set()

    def on_message(self, text: str) -> None:
        self.messages.append(text)
        self._changed.set()

    def on_bad_message(self, reason: str, event_id: str | None = None) -> None:
        self.bad_messages.append(reason)
        self._changed.set()

    def on_audio_ahead(self) -> None:
        self.times_ahead += 1
        self._changed.set()

    def on_slow_reader(self) -> None:
        self.slow_reader = True
        self._changed.set()

    def on_channel_open(self) -> None:
        self.channel_open = True
        self._changed.set()

    def next_frame(self) -> Samples | None:
        self.frames_taken += 1
        if self._playout is None or self._played + PLAYOUT_FRAME_SAMPLES > len(self._playout):
            return None
        frame = self._playout[self._played : self._played + PLAYOUT_FRAME_SAMPLES]
        self._played += PLAYOUT_FRAME_SAMPLES
        return frame

    def on_closed(self, reason: CloseReason) -> None:
        self.reasons.append(reason)
        self._changed.set()


class Server:
    """Server that accepts one offer after another; leaving it closes every transport."""

    def __init__(
        self, *, playout: Samples | None = None, settings: TransportSettings | None = None
    ) -> None:
        self._playout = playout
        self._settings = settings or TransportSettings()
        self.scheduler = MediaScheduler()
        self.sessions: list[Recorder] = []
        self.transports: list[WebRtcTransport] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        for transport in self.transports:
            await transport.close()

    @property
    def session(self) -> Recorder:
        """The newest session."""
        return self.sessions[-1]

    @property
    def transport(self) -> WebRtcTransport:
        """The newest session's transport."""
        return self.transports[-1]

    async def negotiate(self, offer_sdp: str) -> str:
        """Return the answer that the HTTP API gives to an offer."""
        session = Recorder(self._playout)
        transport = await WebRtcTransport.accept(
            offer_sdp,
            session,
            self._settings,
            host="127.0.0.1",
            clock=time.monotonic,
            scheduler=self.scheduler,
        )
        self.sessions.append(session)
        self.transports.append(transport)
        return transport.answer_sdp


def tone(frequency_hz: float, duration_s: float, level: float = 0.25) -> Samples:
    """A sine at 48 kHz."""
    time_s = np.arange(int(duration_s * PLAYOUT_RATE)) / PLAYOUT_RATE
    return (level * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.float32)


def level(samples: Samples) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(samples**2)))
