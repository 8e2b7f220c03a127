"""Receiver: from RTP packets to one continuous stream of 16 kHz audio."""

import numpy as np

from rtc_server.pcm import SPEECH_RATE, Pcm, Samples
from rtc_server.transport.media.counters import MediaCounters, ReceptionReport
from rtc_server.transport.media.jitter_buffer import Gap, JitterBuffer, Play
from rtc_server.transport.media.opus import OpusDecoder
from rtc_server.transport.media.opus_library import OpusError
from rtc_server.transport.media.opus_packet import OPUS_RATE, carries_previous
from rtc_server.transport.media.rtp import parse_rtp

_UNITS_PER_SAMPLE = OPUS_RATE // SPEECH_RATE
_UNITS_PER_MS = OPUS_RATE // 1000
_STEP_UNITS = 120
"""Unit of libopus' concealment: 2.5 ms."""
_FADE_FROM_UNITS = 60 * _UNITS_PER_MS
_FADE_TO_UNITS = 120 * _UNITS_PER_MS
"""Bounds of the fade of invented speech: it sounds natural for some 60 ms, and is silent at 120."""
_STALL_S = 0.05
"""Time between two ticks beyond which we count as stalled."""


class Receiver:
    """One client's audio without holes: received, recovered, concealed or silent.

    `push` decodes a packet that is next in order at once; `pull`, called at each tick, fills what
    did not come in time. Output is contiguous in `start_samples` and begins with the first packet.
    """

    def __init__(self, payload_type: int, counters: MediaCounters | None = None) -> None:
        self._payload_type = payload_type
        self._counters = counters or MediaCounters()
        self._buffer = JitterBuffer(self._counters)
        self._decoder = OpusDecoder()
        self._position = 0
        self._concealed_units = 0
        self._pulled_s = float("-inf")
        self._read_since = False
        """True if a packet came since the last tick, so that more may wait in the socket."""
        self._let_read = False
        """True if the last tick came late and filled nothing, to let the socket be read first."""

    def push(self, data: bytes, now_s: float) -> list[Pcm]:
        """Take one decrypted RTP packet; return the audio that can be played now, in order."""
        packet = parse_rtp(data)
        if packet is None or packet.payload_type != self._payload_type:
            self._counters.packets_invalid += 1
            return []
        self._read_since = True
        self._buffer.push(packet, now_s)
        return self._drain(now_s, tick=False)

    def pull(self, now_s: float) -> list[Pcm]:
        """Return audio in place of packets that are overdue. Call it every 20 ms."""
        since_s, read = now_s - self._pulled_s, self._read_since
        self._pulled_s, self._read_since = now_s, False
        if since_s == 0.0:
            return []  # the second of two ticks in a row: nothing could be read in between
        # After a stall of our own, packets wait in the socket, which is read a few packets at a
        # time, in turn with other sessions' sockets. They are not missing. If their time were
        # filled now, they would be played after that silence, and the audio clock would run ahead.
        self._let_read = since_s > _STALL_S and not read and not self._let_read
        return [] if self._let_read else self._drain(now_s, tick=not read)

    def counters(self, now_s: float) -> MediaCounters:
        """Return the session's counters, with the target and the drift computed now."""
        self._counters.buffer_target_ms = self._buffer.target_s(now_s) * 1000
        self._counters.drift_ppm = self._buffer.drift_ppm()
        return self._counters

    def report(self) -> ReceptionReport | None:
        """Return the block for the next RTCP receiver report; None before the first packet."""
        return self._buffer.report()

    def close(self) -> None:
        """Free the decoder. Idempotent; nothing may be pushed or pulled afterwards."""
        self._decoder.close()

    def _drain(self, now_s: float, *, tick: bool) -> list[Pcm]:
        output = []
        while (step := self._buffer.next(now_s, tick=tick)) is not None:
            pcm = self._played(step) if isinstance(step, Play) else self._filled(step)
            if pcm is not None:
                self._position += len(pcm.samples)
                output.append(pcm)
        return output

    def _played(self, step: Play) -> Pcm | None:
        try:
            samples = self._decoder.decode(step.payload)
        except OpusError:
            self._counters.packets_invalid += 1
            return self._filled(Gap(step.units, False, None))
        self._concealed_units = 0
        return Pcm(samples, self._position)

    def _filled(self, gap: Gap) -> Pcm | None:
        count = gap.units // _UNITS_PER_SAMPLE
        if count == 0:
            return None
        counters, milliseconds = self._counters, gap.units / _UNITS_PER_MS
        if gap.units % _STEP_UNITS:  # timestamps that no Opus sender makes
            counters.silence_ms += milliseconds
            return Pcm(np.zeros(count, np.float32), self._position)
        if gap.pause:  # after a DTX packet the decoder's concealment is comfort noise
            counters.silence_ms += milliseconds
            return Pcm(self._decoder.conceal(count), self._position)
        if gap.successor is not None and carries_previous(gap.successor):
            recovered = self._recover(gap.successor, count)
            if recovered is not None:
                counters.recovered_ms += milliseconds
                self._concealed_units = 0
                return Pcm(recovered, self._position)
        before = self._concealed_units
        self._concealed_units += gap.units
        if before >= _FADE_TO_UNITS:
            counters.silence_ms += milliseconds
            return Pcm(np.zeros(count, np.float32), self._position)
        counters.concealed_ms += milliseconds
        invented = _faded(self._decoder.conceal(count), before)
        return Pcm(invented, self._position, concealed_samples=count)

    def _recover(self, successor: bytes, count: int) -> Samples | None:
        try:
            return self._decoder.recover(successor, count)
        except OpusError:
            return None


def _faded(samples: Samples, before_units: int) -> Samples:
    """Return concealed audio, faded by how much was concealed before it (`before_units`)."""
    if before_units + len(samples) * _UNITS_PER_SAMPLE <= _FADE_FROM_UNITS:
        return samples
    units = before_units + _UNITS_PER_SAMPLE * np.arange(len(samples))
    gain = (_FADE_TO_UNITS - units) / (_FADE_TO_UNITS - _FADE_FROM_UNITS)
    return samples * np.clip(gain, 0.0, 1.0).astype(np.float32)
