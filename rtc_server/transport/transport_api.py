"""Interface between a transport and a session, the same for every kind of transport."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol, TypeAlias

from rtc_server.pcm import Pcm, Samples
from rtc_server.transport.media.counters import MediaCounters


class CloseReason(StrEnum):
    """Reason for which a transport ended."""

    LOCAL = "local"
    """Close by this server."""
    REMOTE = "remote"
    """Orderly close by the peer (DTLS close, SCTP abort, WebSocket close)."""
    CONNECT_TIMEOUT = "connect_timeout"
    """No connection within the deadline."""
    PEER_LOST = "peer_lost"
    """Connection after which nothing arrived until the deadline, or whose path broke."""
    FAILED = "failed"
    """Failure of ICE or DTLS, a peer that does not read, or an exception in our own code."""


class EncodedFrame(NamedTuple):
    """One outgoing Opus packet, which several transports may send."""

    payload: bytes
    """Opus packet of 20 ms."""
    marker: bool
    """True for the first packet after silence (RFC 7587 §4.2)."""


NextPacket: TypeAlias = Callable[[int], EncodedFrame | None]
"""Function that returns the packet of a tick, given the tick's number; None when there is nothing
to send. All transports of a scheduler count the same ticks, so a frame is encoded once for all."""


class TransportObserver(Protocol):
    """Callbacks of a transport to its session, made on the event loop; they must not block."""

    def on_connected(self) -> None:
        """Report that media can flow."""

    def on_pcm(self, pcm: Pcm) -> None:
        """Take received audio: mono float32 at 16 kHz, contiguous in `start_samples` even across
        lost packets.
        """

    def on_message(self, text: str) -> None:
        """Take one client event: a text message of at most 16 kB, not parsed."""

    def on_bad_message(self, reason: str, event_id: str | None = None) -> None:
        """Report a message that was refused (binary, too large, too many) with a sentence for the
        client. `event_id` is the client's own id of it, if it could be read.
        """

    def on_slow_reader(self) -> None:
        """Report that the peer reads too slowly, and that something was dropped. Called once until
        it has caught up, and only by a WebSocket.
        """

    def on_audio_ahead(self) -> None:
        """Report that audio comes faster than real time, and waits. Called once, by a WebSocket."""

    def on_channel_open(self) -> None:
        """Report that events can be sent now; earlier ones were queued."""

    def next_frame(self) -> Samples | None:
        """Return the next outgoing frame: float32, shape (960,), 48 kHz; None in silence.

        Called once per 20 ms of media time while connected. After a stall, frames are left out
        rather than requested in a burst. A transport that sends longer blocks (200 ms) requests the
        frames of a block together.
        """

    def on_closed(self, reason: CloseReason) -> None:
        """Report the end. Called exactly once, as the last call, whichever side closed."""


@dataclass(slots=True)
class TransportStats(MediaCounters):
    """Counters of one transport since its start. A transport leaves at 0 what it does not have."""

    round_trip_ms: float = 0.0
    """Round trip measured by RTCP; 0 until it is known."""
    messages_dropped: int = 0
    """Events, and audio over TCP, dropped because the peer was too slow."""
    datagrams_dropped: int = 0
    """Datagrams dropped: from strangers, malformed, or above the rate."""
    media_faults: int = 0
    """Media packets lost by a bug of ours."""
    last_seen_s: float | None = None
    """Time of the client's last sign of life, on the server's monotonic clock."""


class Transport(Protocol):
    """Connection to one client: PCM in, PCM and events out."""

    @property
    def in_order(self) -> bool:
        """True if audio and events arrive in the order in which the client sent them."""

    def send_message(self, text: str, *, droppable: bool = False) -> bool:
        """Queue one event; return False if it was dropped, or the transport is closed.

        The queue is bounded. When it is full, the oldest droppable messages are dropped, and if
        there are none, the peer is closed as too slow. While a peer has not opened its channel, the
        oldest messages of any kind are dropped; a peer that offered no channel gets none.
        """

    @property
    def stats(self) -> TransportStats:
        """Counters since the start."""

    async def close(self, reason: CloseReason = CloseReason.LOCAL) -> None:
        """Close the connection. Idempotent; returns within 10 s, and never raises."""
