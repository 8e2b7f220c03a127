"""The seam between a wire and a session. Sessions do not know which wire they have."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol, TypeAlias

from rtc_server.pcm import Pcm, Samples


class CloseReason(StrEnum):
    """Why a transport ended."""

    LOCAL = "local"
    """We closed it."""
    REMOTE = "remote"
    """The peer said goodbye (DTLS close, WebSocket close)."""
    CONNECT_TIMEOUT = "connect_timeout"
    """It never connected within the deadline."""
    PEER_LOST = "peer_lost"
    """Connected once, then nothing was heard for the deadline."""
    FAILED = "failed"
    """ICE or DTLS failed."""


class EncodedFrame(NamedTuple):
    """One outgoing Opus packet that many wires may carry."""

    payload: bytes
    """Opus, 20 ms."""
    marker: bool
    """First packet after silence (RFC 7587 §4.2)."""


NextPacket: TypeAlias = Callable[[int], EncodedFrame | None]
"""The packet of a 20 ms tick, by the tick's number; None when there is nothing to send. Wires of
one event loop count the same ticks, so that a frame is encoded once for all of them."""


class TransportListener(Protocol):
    """What a session gives its transport. All calls come on the event loop and must not block."""

    def on_connected(self) -> None:
        """Media can flow."""

    def on_pcm(self, pcm: Pcm) -> None:
        """Received audio, contiguous in `start_samples` even across lost packets."""

    def on_message(self, text: str) -> None:
        """One client event: a text message of at most 16 kB. Larger or binary never get here."""

    def on_bad_message(self, reason: str, event_id: str | None = None) -> None:
        """A message that was refused before it was read (binary, too large). `event_id` is the
        client's own name for it, when that could be read."""

    def on_slow_reader(self) -> None:
        """The peer does not read what is sent, and something was dropped. Told once until it has
        caught up."""

    def on_audio_ahead(self) -> None:
        """Audio comes faster than it is spoken, and waits. Told once."""

    def on_channel_open(self) -> None:
        """Events can be sent; those sent before were kept in order."""

    def next_frame(self) -> Samples | None:
        """The next outgoing frame: float32, shape (960,), 48 kHz; None in silence.

        Called once per 20 ms of media time while connected; after a stall frames are skipped,
        never asked for in a burst. A wire that sends longer blocks asks for one block at a time.
        """

    def on_closed(self, reason: CloseReason) -> None:
        """The last call, exactly once, whoever closed."""


@dataclass(slots=True)
class TransportStats:
    """Counters of one wire since its start. A wire leaves at 0 what it does not know."""

    packets_received: int = 0
    """Media packets of the client."""
    packets_lost: int = 0
    """Its packets that never came."""
    packets_sent: int = 0
    """Media packets to the client."""
    jitter_ms: float = 0.0
    """Interarrival jitter of its packets (RFC 3550)."""
    concealed_ms: float = 0.0
    """Its lost audio that was invented."""
    recovered_ms: float = 0.0
    """Its lost audio that was restored from redundancy."""
    buffer_target_ms: float = 0.0
    """How long an overtaken packet is now waited for."""
    drift_ppm: float = 0.0
    """How much faster its clock runs than ours."""
    round_trip_ms: float = 0.0
    """Of RTCP; 0 until it is known."""
    messages_dropped: int = 0
    """Events, and audio over TCP, that it was too slow for."""
    datagrams_dropped: int = 0
    """Datagrams from strangers, malformed ones, and floods."""
    media_faults: int = 0
    """Packets of its media that a bug of ours lost."""
    last_heard_s: float | None = None
    """When the last sign of life of the client came, on the server's monotonic clock."""


class Transport(Protocol):
    """One client's wire."""

    @property
    def in_order(self) -> bool:
        """Whether audio and events come in the order in which the client sent them."""

    def send_message(self, text: str, *, droppable: bool = False) -> bool:
        """Queue one event. The queue is bounded: when full the oldest droppable message goes,
        and with none to drop the peer is closed as too slow. A peer that has not opened its channel
        misses the oldest; one that offered none misses all. False when the message was dropped or
        the wire is closed."""

    @property
    def stats(self) -> TransportStats:
        """Counters since the start."""

    async def close(self, reason: CloseReason = CloseReason.LOCAL) -> None:
        """End it. Idempotent, always returns within 5 s, never raises."""
