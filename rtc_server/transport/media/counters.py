"""Media counters of one transport, kept by receiver and sender."""

from dataclasses import dataclass

from rtc_server.transport.media.rtp import sequence_delta

_UNITS_PER_MS = 48


@dataclass(slots=True)
class MediaCounters:
    """Counters since the transport's start; each has one writer, and may be read at any time."""

    packets_received: int = 0
    """RTP packets of the audio stream without duplicates; over a WebSocket, audio messages."""
    packets_sent: int = 0
    """RTP packets sent; over a WebSocket, audio messages."""
    packets_expected: int = 0
    """Packets that were sent to us by their sequence numbers, of all sources (RFC 3550, A.3)."""
    packets_lost: int = 0
    """Packets expected and not received; late ones count as received (RFC 3550)."""
    packets_duplicate: int = 0
    """Packets that had been received before."""
    packets_late: int = 0
    """Packets that came after their time was filled with other audio, and were dropped."""
    packets_reordered: int = 0
    """Packets that came after a later one, in time to be used."""
    packets_invalid: int = 0
    """Packets without the peer's tag, that are no RTP or no Opus, of another payload type, of one
    unexpected sequence number, or beyond `jitter_buffer.MAX_SURPLUS_S`."""
    restarts: int = 0
    """New sources, and jumps of sequence number or timestamp."""
    recovered_ms: float = 0.0
    """Lost audio restored from in-band FEC."""
    concealed_ms: float = 0.0
    """Lost audio that the decoder invented."""
    silence_ms: float = 0.0
    """Silence or comfort noise put in: the sender paused (DTX), or nothing came for long."""
    buffer_target_ms: float = 0.0
    """Time for which the jitter buffer now waits for a packet that a later one has overtaken."""
    jitter_ms: float = 0.0
    """Interarrival jitter (RFC 3550, 6.4.1)."""
    drift_ppm: float = 0.0
    """Excess of the sender's clock rate over ours, in millionths."""


@dataclass(frozen=True, slots=True)
class ReceptionReport:
    """Figures of an RTCP report block (RFC 3550, section 6.4.1)."""

    ssrc: int
    """Source that the block is about."""
    fraction_lost: int
    """Share of packets lost since the last report, in 1/256."""
    packets_lost: int
    """Packets lost since the source began; negative if more came than were expected."""
    highest_sequence: int
    """Highest sequence number, with the count of its wraps in the upper 16 bits."""
    jitter: int
    """Interarrival jitter in 1/48000 s."""


class ReceptionStatistics:
    """RFC 3550's statistics of one source at a time (appendices A.1, A.3 and A.8)."""

    def __init__(self, counters: MediaCounters) -> None:
        self._counters = counters
        self._ssrc = 0
        self._first = self._highest = 0
        self._received = 0
        self._jitter = 0.0
        self._transit: float | None = None
        self._reported = (0, 0)

    def start(self, ssrc: int, sequence: int) -> None:
        """Begin with a source at this sequence number; also to restart with the same source."""
        self._ssrc = ssrc
        self._first, self._highest = sequence, sequence - 1
        self._received = 0
        self._transit = None
        self._reported = (0, 0)

    def add(self, sequence: int, timestamp: int, now_s: float) -> None:
        """Count one packet that is no duplicate; `sequence` may be wrapped or not."""
        counters = self._counters
        counters.packets_received += 1
        self._received += 1
        ahead = sequence_delta(sequence, self._highest)
        if ahead > 0:
            self._highest += ahead
            counters.packets_expected += ahead
        counters.packets_lost = max(0, counters.packets_expected - counters.packets_received)
        transit = now_s * 48_000 - timestamp
        if self._transit is not None:
            change = abs(transit - self._transit)
            # A jump of the timestamp (5 s or more), or its wrap, is no jitter of the network.
            if change < 240_000:
                self._jitter += (change - self._jitter) / 16
                counters.jitter_ms = self._jitter / _UNITS_PER_MS
        self._transit = transit

    def report(self) -> ReceptionReport | None:
        """Return the block for the next RTCP report; None before the first packet."""
        if self._received == 0:
            return None
        expected = self._highest - self._first + 1
        new_expected = expected - self._reported[0]
        new_lost = new_expected - (self._received - self._reported[1])
        self._reported = (expected, self._received)
        lost = max(0, new_lost)
        fraction = min(255, (lost << 8) // new_expected) if new_expected > 0 else 0
        return ReceptionReport(
            ssrc=self._ssrc,
            fraction_lost=fraction,
            packets_lost=expected - self._received,
            highest_sequence=self._highest & 0xFFFF_FFFF,
            jitter=round(self._jitter),
        )
