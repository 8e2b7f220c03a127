"""Jitter buffer: puts packets in order, and decides step by step what is played and what is filled.

The audio goes to speech recognition, not to a loudspeaker, and may come as fast as it arrives. So a
packet that is next in order is played at once, however much the path jitters. Time matters in two
cases only. If a later packet has overtaken one, that one is waited for until `target_s` after its
expected arrival: 0 on a path that keeps the order, up to 200 ms after packets have come late. And
if nothing arrives at all, the audio clock goes on after a margin, so that silence can end a
segment.

Audio that arrives after its time was filled is still played if nothing later was played: no speech
is lost on a path that stalled, or from a microphone whose timestamps stood still while muted.
"""

from typing import NamedTuple, TypeAlias

from rtc_server.transport.media.arrival import ArrivalClock, PeakHold
from rtc_server.transport.media.counters import MediaCounters, ReceptionReport, ReceptionStatistics
from rtc_server.transport.media.opus_packet import frame_duration, is_pause, packet_duration
from rtc_server.transport.media.rtp import RtpPacket, sequence_delta, timestamp_delta

SLOT_UNITS = 960
"""Longest gap that is filled in one step: 20 ms. All units here are 1/48000 s."""
MAX_TARGET_S = 0.2
"""Longest wait for an overtaken packet."""
STALL_MARGIN_S = 0.06
"""Time beyond the usual jitter without a packet, after which the audio clock goes on."""
PAUSE_MARGIN_S = 0.02
"""The same after a DTX packet, when no packet is expected."""
MAX_GAP_UNITS = 24_000
"""Longest gap between timestamps that counts as loss: 500 ms. Silence is filled while time passes,
so a longer gap is a jump of the timestamps."""
MAX_HELD = 64
"""Packets that may be held; with as many, a missing packet is not waited for any more."""
MAX_AHEAD = 3000
"""Sequence numbers this far ahead are a restart (RFC 3550, A.1: MAX_DROPOUT)."""
MAX_BEHIND = 1000
"""Sequence numbers this far behind are a restart, too. SRTP's replay window is about as long."""

MAX_SURPLUS_S = 10.0
"""Audio that a sender may deliver ahead of time; further packets are dropped. No path holds back as
much, so such a client floods."""

_NOISE_S = 0.01
"""Lateness up to which a packet does not count as jitter."""
_NO_JITTER_S = 1.0
"""Lateness from which it is no jitter: the timestamps stood still while the sender was muted."""
_NEW_ORIGIN_S = 0.3
"""Lateness of the newest packet beyond which its timestamps have a new origin: jitter is less."""
_RETIRED_S = 0.5
_LONG_SILENCE_UNITS = 48_000
_FASTEST_CLOCK = 1.1
_SEEN_MASK = (1 << 256) - 1
_UNITS_PER_S = 48_000


class Play(NamedTuple):
    """Step: decode this packet."""

    payload: bytes
    """Opus packet, of which only the first bytes have been checked."""
    units: int
    """Length of its audio."""


class Gap(NamedTuple):
    """Step: fill this slot."""

    units: int
    """Length of the slot; a multiple of 120 (2.5 ms) if the sender's timestamps are."""
    pause: bool
    """True if the sender is silent (DTX), so that nothing was lost."""
    successor: bytes | None
    """Packet after the slot, if it may have FEC data of exactly this slot."""


Step: TypeAlias = Play | Gap


class _Held(NamedTuple):
    """A packet that waits for its turn."""

    timestamp: int
    units: int
    payload: bytes


class JitterBuffer:
    """Queue of packets in order. After each `push`, and on each tick, call `next` until it returns
    None.
    """

    def __init__(self, counters: MediaCounters | None = None) -> None:
        self.counters = counters or MediaCounters()
        self._statistics = ReceptionStatistics(self.counters)
        self._clock = ArrivalClock()
        self._overtaken = PeakHold()
        self._jitter = PeakHold()
        self._held: dict[int, _Held] = {}
        self._ssrc: int | None = None
        self._retired_ssrc: int | None = None
        self._jump_to: int | None = None
        self._newest_sequence = self._newest_timestamp = 0
        self._seen = 0
        self._next_sequence = self._next_timestamp = 0
        self._pausing = False
        self._last_packet_s = self._started_s = 0.0
        self._emitted_units = self._quiet_units = 0
        self._surplus_units = 0.0
        self._surplus_at = (0.0, 0)

    @property
    def held_packets(self) -> int:
        """Number of packets that wait; at most `MAX_HELD` after `next` has returned None."""
        return len(self._held)

    def target_s(self, now_s: float) -> float:
        """Return the time for which an overtaken packet is waited for now."""
        return min(MAX_TARGET_S, self._overtaken.value_s(now_s))

    def drift_ppm(self) -> float:
        """Return the excess of the sender's clock rate over ours, in millionths."""
        return self._clock.drift_ppm()

    def report(self) -> ReceptionReport | None:
        """Return the block for the next RTCP report."""
        return self._statistics.report()

    def push(self, packet: RtpPacket, now_s: float) -> None:
        """Take one packet. `now_s` never goes back."""
        counters = self.counters
        ahead = self._order(packet, now_s)
        if ahead is None:
            return
        if ahead <= 0 and self._seen >> -ahead & 1:
            counters.packets_duplicate += 1
            return
        if self._floods(now_s):
            counters.packets_invalid += 1
            return
        _, _, _, timestamp, _, payload = packet
        sequence = self._newest_sequence + ahead
        timestamp = self._newest_timestamp + timestamp_delta(timestamp, self._newest_timestamp)
        self._statistics.add(sequence, timestamp, now_s)
        self._last_packet_s = now_s
        late_s = 0.0
        units = packet_duration(payload)
        if units:
            late_s = self._clock.observe(timestamp, now_s)
        elif payload:  # its sequence number counts, its content does not
            counters.packets_invalid += 1
        if ahead > 0:
            self._seen = (self._seen << ahead | 1) & _SEEN_MASK
            self._newest_sequence, self._newest_timestamp = sequence, timestamp
            if late_s > _NEW_ORIGIN_S:
                self._clock.reset(timestamp, now_s)
        else:
            self._seen |= 1 << -ahead & _SEEN_MASK
            self._overtaken.raise_to(min(late_s, MAX_TARGET_S), now_s)
            if sequence < self._next_sequence:
                counters.packets_late += 1
                return
            counters.packets_reordered += 1
        if _NOISE_S < late_s < _NO_JITTER_S:
            self._jitter.raise_to(min(late_s, MAX_TARGET_S), now_s)
        self._held[sequence] = _Held(timestamp, units, payload)

    def next(self, now_s: float, *, tick: bool = False) -> Step | None:
        """Return the next step; None to wait. Only on a `tick` is a stalled path noticed."""
        while self._ssrc is not None:
            held = self._held.get(self._next_sequence)
            if held is not None:
                step = self._in_order(held, now_s)
                if step is not None:
                    return step
            elif self._held:
                first = min(self._held)
                hole = self._held[first].timestamp - self._next_timestamp
                if 0 < hole <= MAX_GAP_UNITS:
                    return None if self._worth_waiting(now_s) else self._in_hole(hole, first)
                self._next_sequence = first
            else:
                return self._without_packets(now_s) if tick else None
        return None

    def _order(self, packet: RtpPacket, now_s: float) -> int | None:
        """Return by how many packets it is ahead of the newest; None if it must not be used."""
        if packet.ssrc != self._ssrc:
            if packet.ssrc == self._retired_ssrc and now_s - self._last_packet_s < _RETIRED_S:
                self.counters.packets_late += 1  # of the old source, overtaken by the new one
                return None
            self._restart(packet, now_s)
        ahead = sequence_delta(packet.sequence, self._newest_sequence)
        if -MAX_BEHIND < ahead < MAX_AHEAD:
            return ahead
        if packet.sequence != self._jump_to:  # a jump counts from the second packet in sequence
            self._jump_to = (packet.sequence + 1) & 0xFFFF
            self.counters.packets_invalid += 1
            return None
        self._restart(packet, now_s)
        return 1

    def _floods(self, now_s: float) -> bool:
        """Return whether more audio has come than time has passed, by more than a path can hold."""
        then_s, emitted_units = self._surplus_at
        self._surplus_at = (now_s, self._emitted_units)
        more = self._emitted_units - emitted_units
        passed = (now_s - then_s) * _UNITS_PER_S * _FASTEST_CLOCK
        self._surplus_units = max(0.0, self._surplus_units + more - passed)
        return self._surplus_units > MAX_SURPLUS_S * _UNITS_PER_S

    def _restart(self, packet: RtpPacket, now_s: float) -> None:
        """Begin at this packet: it has a new source, or its source jumped."""
        if self._ssrc is None:
            self._started_s = now_s
        else:
            self.counters.restarts += 1
        if packet.ssrc != self._ssrc:
            self._retired_ssrc, self._ssrc = self._ssrc, packet.ssrc
        self._jump_to = None
        self._held.clear()
        self._next_sequence, self._next_timestamp = packet.sequence, packet.timestamp
        self._newest_sequence = packet.sequence - 1
        self._newest_timestamp = packet.timestamp
        self._seen = 0
        self._pausing = False
        self._clock.reset(packet.timestamp, now_s)
        self._statistics.start(packet.ssrc, packet.sequence)

    def _in_order(self, held: _Held, now_s: float) -> Step | None:
        """Play the next packet, after filling a gap that its timestamp leaves before it."""
        timestamp, units, payload = held.timestamp, held.units, held.payload
        if units:
            gap = timestamp - self._next_timestamp
            if gap > MAX_GAP_UNITS:
                self.counters.restarts += 1
                self._clock.reset(timestamp, now_s)
            elif gap > 0:
                return self._fill(min(gap, SLOT_UNITS), self._pausing, None)
            self._next_timestamp = timestamp + units
        del self._held[self._next_sequence]
        self._next_sequence += 1
        if not units:
            return None
        self._emitted_units += units
        self._pausing = is_pause(payload)
        if not self._pausing:
            self._quiet_units = 0
        return Play(payload, units)

    def _worth_waiting(self, now_s: float) -> bool:
        """Return whether to wait for the missing packet."""
        deadline_s = self._clock.expected_s(self._next_timestamp) + self.target_s(now_s)
        return now_s < deadline_s and len(self._held) < MAX_HELD

    def _in_hole(self, hole: int, first: int) -> Step:
        """Fill one slot of the audio that was lost before the held packet `first`."""
        payload = self._held[first].payload
        recoverable = frame_duration(payload) if payload else 0
        if hole == recoverable:
            return self._fill(hole, False, payload)
        rest = hole - recoverable  # the end of the hole, which FEC can recover, stays one slot
        return self._fill(min(rest if rest > 0 else hole, SLOT_UNITS), False, None)

    def _without_packets(self, now_s: float) -> Step | None:
        """Let the audio clock go on once a packet is overdue."""
        margin_s = PAUSE_MARGIN_S if self._pausing else STALL_MARGIN_S
        due_s = now_s - margin_s - self._jitter.value_s(now_s)
        while self._clock.expected_s(self._next_timestamp) <= due_s:
            ahead = self._emitted_units - (now_s - self._started_s) * _UNITS_PER_S
            if self._quiet_units < _LONG_SILENCE_UNITS or ahead < SLOT_UNITS:
                self._quiet_units += SLOT_UNITS
                return self._fill(SLOT_UNITS, self._pausing, None)
            # Audio that was played after its time was filled has put the audio clock ahead of ours.
            # In a long silence, which has ended any segment, slots are left out to correct that.
            self._next_timestamp += SLOT_UNITS
        return None

    def _fill(self, units: int, pause: bool, successor: bytes | None) -> Gap:
        self._next_timestamp += units
        self._emitted_units += units
        return Gap(units, pause, successor)
