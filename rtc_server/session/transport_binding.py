"""Binding of a session to one transport. A session may have several, one after the other."""

import asyncio
from typing import Protocol

from rtc_server.interpreter.audio_input import AudioInput
from rtc_server.metrics import Metrics
from rtc_server.pcm import Pcm, Samples
from rtc_server.session.transport_report import TransportReport
from rtc_server.transport.transport_api import (
    CloseReason,
    Transport,
    TransportStats,
)


class BoundSession(Protocol):
    """Session as its binding calls it; see `TransportObserver` for the methods."""

    def on_connected(self) -> None:
        """Report that media can flow."""

    def on_message(self, text: str) -> None:
        """Take one client event."""

    def on_bad_message(self, reason: str, event_id: str | None = None) -> None:
        """Report a message that was refused before it was read."""

    def on_slow_reader(self) -> None:
        """Report that the peer does not read what is sent."""

    def on_audio_ahead(self) -> None:
        """Report that audio comes faster than it is spoken."""

    def on_closed(self, reason: CloseReason) -> None:
        """Report the end."""


class AudioOutput(Protocol):
    """Source of frames to send, such as an interpreter."""

    def next_frame(self) -> Samples | None:
        """See `TransportObserver.next_frame`."""


class TransportBinding:
    """`TransportObserver` of one transport, which passes calls on while the session uses it.

    A transport that was replaced may still call until it has closed; those calls are ignored.
    """

    def __init__(
        self, session: BoundSession, audio: AudioInput, output: AudioOutput, metrics: Metrics
    ) -> None:
        self._session: BoundSession | None = session
        self._audio, self._output = audio, output
        self._transport: Transport | None = None
        self._report = TransportReport(metrics)
        self._shift_samples: int | None = None
        self._position_samples = 0
        self.connected = False
        """True once the transport was connected."""
        self.over = asyncio.Event()
        """Set when the transport has closed."""

    def attach(self, transport: Transport, position_samples: int) -> None:
        """Use this transport; its audio continues at that position of the session's audio clock."""
        self._transport = transport
        self._position_samples = position_samples

    @property
    def transport(self) -> Transport:
        """Transport, once it was attached."""
        assert self._transport is not None
        return self._transport

    @property
    def stats(self) -> TransportStats:
        """Counters of the transport."""
        return self.transport.stats

    def sample(self) -> None:
        """Add what happened since the last call to the metrics; once a second while connected."""
        self._report.sample(self.stats)

    def detach(self) -> None:
        """Separate the transport from the session: calls are no longer passed on."""
        if self._session is not None and self.connected:
            self._report.finish(self.stats)
        self._session = None

    # ---------------------------------------------------------------- from the transport

    def on_connected(self) -> None:
        self.connected = True
        if self._session is not None:
            self._session.on_connected()

    def on_channel_open(self) -> None:
        """Do nothing: the transport kept what was sent before."""

    def on_pcm(self, pcm: Pcm) -> None:
        if self._session is None:
            return
        if self._shift_samples is None:
            self._shift_samples = self._position_samples - pcm.start_samples
        start_samples = pcm.start_samples + self._shift_samples
        self._audio.feed(Pcm(pcm.samples, start_samples, pcm.concealed_samples))

    def on_message(self, text: str) -> None:
        if self._session is not None:
            self._session.on_message(text)

    def on_bad_message(self, reason: str, event_id: str | None = None) -> None:
        if self._session is not None:
            self._session.on_bad_message(reason, event_id)

    def on_slow_reader(self) -> None:
        if self._session is not None:
            self._session.on_slow_reader()

    def on_audio_ahead(self) -> None:
        if self._session is not None:
            self._session.on_audio_ahead()

    def next_frame(self) -> Samples | None:
        return None if self._session is None else self._output.next_frame()

    def on_closed(self, reason: CloseReason) -> None:
        # A transport that was never attached does not end the session, which may use another one.
        if self._session is not None and self._transport is not None:
            self._session.on_closed(reason)
        self.over.set()
