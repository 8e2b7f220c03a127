"""From RTP packets to one continuous stream of speech-rate audio."""

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
"""libopus fills in multiples of 2.5 ms."""
_FADE_FROM_UNITS = 60 * _UNITS_PER_MS
_FADE_TO_UNITS = 120 * _UNITS_PER_MS
"""Invented speech is believable for some 60 ms; by 120 ms it has faded to silence."""
_STALL_S = 0.05


class Receiver:
    """One client's audio: received, recovered, concealed or silent, without a hole.

    A packet that is next in order is decoded where it arrives (`push`); the shared tick (`pull`)
    fills what did not come in time. Output is contiguous in `start_samples` and begins with the
    first packet.
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
        """A packet came since the last tick, so more may wait in the socket."""
        self._let_read = False

    def push(self, data: bytes, now_s: float) -> list[Pcm]:
        """Take one unprotected datagram; the audio that can be played now, oldest first."""
        packet = parse_rtp(data)
        if packet is None or packet.payload_type != self._payload_type:
            self._counters.packets_invalid += 1
            return []
        self._read_since = True
        self._buffer.push(packet, now_s)
        return self._drain(now_s, tick=False)

    def pull(self, now_s: float) -> list[Pcm]:
        """Call every 20 ms: the audio whose time came without a packet."""
        since_s, read = now_s - self._pulled_s, self._read_since
        self._pulled_s, self._read_since = now_s, False
        if since_s == 0.0:
            return []  # a tick made up for: nothing could be read since
        # After a stall of our own the packets wait in the socket, which is read a few at a
        # time with those of other sessions between. What is still in there is not missing; were it
        # filled, it would be played after its own silence, and the audio clock would run ahead.
        self._let_read = since_s > _STALL_S and not read and not self._let_read
        return [] if self._let_read else self._drain(now_s, tick=not read)

    def counters(self, now_s: float) -> MediaCounters:
        """Return the session's counters, brought up to date."""
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
        if gap.units % _STEP_UNITS:  # timestamps no Opus sender makes
            counters.silence_ms += milliseconds
            return Pcm(np.zeros(count, np.float32), self._position)
        if gap.pause:  # the decoder knows, and makes comfort noise
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
    """Return concealed audio, of which `before_units` came before, faded towards silence."""
    if before_units + len(samples) * _UNITS_PER_SAMPLE <= _FADE_FROM_UNITS:
        return samples
    units = before_units + _UNITS_PER_SAMPLE * np.arange(len(samples))
    gain = (_FADE_TO_UNITS - units) / (_FADE_TO_UNITS - _FADE_FROM_UNITS)
    return samples * np.clip(gain, 0.0, 1.0).astype(np.float32)
