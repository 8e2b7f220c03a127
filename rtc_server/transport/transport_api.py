"""Interface between a transport and a session. Sessions do not know which transport they have."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol, TypeAlias

from rtc_server.pcm import Pcm, Samples
from rtc_server.transport.media.counters import MediaCounters


class CloseReason(StrEnum):
    """Reason for which a transport ended."""

    LOCAL = "local"
    """Closed by this server."""
    REMOTE = "remote"
    """The peer closed in order (DTLS close, WebSocket close)."""
    CONNECT_TIMEOUT = "connect_timeout"
    """Never connected within the deadline."""
    PEER_LOST = "peer_lost"
    """Connected once, then nothing arrived until the deadline."""
    FAILED = "failed"
    """ICE or DTLS failed."""


class EncodedFrame(NamedTuple):
    """One outgoing Opus packet that many transports may send."""

    payload: bytes
    """Opus, 20 ms."""
    marker: bool
    """First packet after silence (RFC 7587 §4.2)."""


NextPacket: TypeAlias = Callable[[int], EncodedFrame | None]
"""The packet of a 20 ms tick, by the tick's number; None when there is nothing to send. Transports
of one event loop count the same ticks, so that a frame is encoded once for all of them."""


class TransportObserver(Protocol):
    """Callbacks of a transport to its session, made on the event loop; they must not block."""

    def on_connected(self) -> None:
        """Report that media can flow."""

    def on_pcm(self, pcm: Pcm) -> None:
        """Take received audio, contiguous in `start_samples` even across lost packets."""

    def on_message(self, text: str) -> None:
        """Take one client event: a text message of at most 16 kB. Larger or binary
        never get here.
        """

    def on_bad_message(self, reason: str, event_id: str | None = None) -> None:
        """Report a message that was refused before it was read (binary, too large). `event_id` is
        the client's own name for it, when that could be read.
        """

    def on_slow_reader(self) -> None:
        """Report that the peer does not read what is sent, and something was dropped. Called once
        until it has caught up.
        """

    def on_audio_ahead(self) -> None:
        """Report that audio comes faster than it is spoken, and waits. Called once."""

    def on_channel_open(self) -> None:
        """Report that events can be sent; those sent before were kept in order."""

    def next_frame(self) -> Samples | None:
        """Return the next outgoing frame: float32, shape (960,), 48 kHz; None in silence.

        Called once per 20 ms of media time while connected; after a stall frames are skipped,
        never asked for in a burst. One that sends longer blocks asks for one block at a time.
        """

    def on_closed(self, reason: CloseReason) -> None:
        """Report the end, exactly once, whoever closed. The last call."""


@dataclass(slots=True)
class TransportStats(MediaCounters):
    """Counters of one transport since its start, and those of its media. It leaves at 0 what it
    does not know.
    """

    round_trip_ms: float = 0.0
    """Of RTCP; 0 until it is known."""
    messages_dropped: int = 0
    """Events, and audio over TCP, that it was too slow for."""
    datagrams_dropped: int = 0
    """Datagrams from strangers, malformed ones, and floods."""
    media_faults: int = 0
    """Packets of its media that a bug of ours lost."""
    last_seen_s: float | None = None
    """Time of the client's last sign of life, on the server's monotonic clock."""


class Transport(Protocol):
    """Connection to one client: PCM in, PCM and events out."""

    @property
    def in_order(self) -> bool:
        """True if audio and events come in the order in which the client sent them."""

    def send_message(self, text: str, *, droppable: bool = False) -> bool:
        """Queue one event. The queue is bounded: when full the oldest droppable message goes, and
        with none to drop the peer is closed as too slow. A peer that has not opened its channel
        misses the oldest; one that offered none misses all. False when the message was dropped or
        the transport is closed.
        """

    @property
    def stats(self) -> TransportStats:
        """Counters since the start."""

    async def close(self, reason: CloseReason = CloseReason.LOCAL) -> None:
        """End it. Idempotent, always returns within 5 s, never raises."""
