"""From 20 ms frames, or silence, to RTP packets."""

import secrets

import numpy as np

from rtc_server.pcm import PLAYOUT_FRAME_SAMPLES, Samples
from rtc_server.transport.media.counters import MediaCounters
from rtc_server.transport.media.opus import EncoderSettings, OpusEncoder
from rtc_server.transport.media.opus_packet import pause_packet
from rtc_server.transport.media.rtp import build_rtp
from rtc_server.transport.transport_api import EncodedFrame

TAIL_FRAMES = 5
"""Frames of silence encoded after speech, so that the client's decoder has nothing left to draw
out when packets stop."""
REFRESH_FRAMES = 20
"""In silence one DTX packet every 400 ms, as Opus' own DTX does."""
FEC_ON_LOSS = 0.01
"""Reported loss from which FEC is worth its bits."""
FEC_OFF_LOSS = 0.003
"""Averaged loss below which it is given up again."""
_LOSS_MEMORY = 0.7
_SILENT_FRAME = np.zeros(PLAYOUT_FRAME_SAMPLES, np.float32)


class FrameEncoder:
    """Frames and silence to Opus packets, one stream of them, for one client or for many."""

    def __init__(self, settings: EncoderSettings | None = None, *, loss_percent: int = 0) -> None:
        """`loss_percent`: what to be prepared for from the start, where nobody reports loss."""
        self._encoder = OpusEncoder(settings)
        self._silent_frames = TAIL_FRAMES
        self._refresh_at = 0
        self._pause = b""
        self._loss = 0.0
        self._expected_percent = 0
        if loss_percent:
            self._expect(loss_percent)

    @property
    def fec(self) -> bool:
        """True while packets carry the one before."""
        return self._expected_percent > 0

    def encode(self, frame: Samples | None, tick: int) -> EncodedFrame | None:
        """Return the packet of this tick, or None when there is nothing to send.

        `frame` is float32, shape (960,), 48 kHz; None in silence. `tick` counts 20 ms of media
        time and only grows; ticks that were skipped are time that passed.
        """
        if frame is not None:
            marker = self._silent_frames >= TAIL_FRAMES
            self._silent_frames = 0
            payload = self._encoder.encode(frame)
            self._pause = pause_packet(payload)
            return EncodedFrame(payload, marker)
        self._silent_frames += 1
        if self._silent_frames <= TAIL_FRAMES:
            # The first lets the end of the speech out of the encoder.
            first = self._silent_frames == 1
            payload = self._encoder.encode(_SILENT_FRAME) if first else self._encoder.silence()
            self._pause = pause_packet(payload)
            self._refresh_at = tick + 1
            return EncodedFrame(payload, False)
        if tick < self._refresh_at:
            return None
        # From the start, before anything was said: receivers wait for a first packet, give up after
        # some seconds (FFmpeg, GStreamer pipelines), or report no track until one comes.
        if not self._pause:
            self._pause = pause_packet(self._encoder.silence())
        self._refresh_at = tick + REFRESH_FRAMES
        return EncodedFrame(self._pause, False)

    def report_loss(self, fraction: float) -> None:
        """Take the fraction lost since the last receiver report of the client, 0 to 1."""
        # The first sign of loss counts at once; it is forgotten over some ten reports.
        self._loss = max(fraction, self._loss * _LOSS_MEMORY)
        threshold = FEC_OFF_LOSS if self.fec else FEC_ON_LOSS
        percent = min(30, max(1, round(self._loss * 100))) if self._loss >= threshold else 0
        if percent != self._expected_percent:
            self._expect(percent)

    def close(self) -> None:
        """Free the encoder. Idempotent; nothing may be encoded afterwards."""
        self._encoder.close()

    def _expect(self, percent: int) -> None:
        self._expected_percent = percent
        self._encoder.expect_loss(percent)


class Sender:
    """One client's outgoing stream. Sequence numbers are contiguous, timestamps follow the tick."""

    def __init__(
        self,
        payload_type: int,
        ssrc: int,
        counters: MediaCounters | None = None,
        *,
        forwards: bool = False,
    ) -> None:
        """With `forwards`, packets are encoded elsewhere and there is no encoder here."""
        self._payload_type = payload_type
        self._ssrc = ssrc
        self._counters = counters or MediaCounters()
        self._encoder = None if forwards else FrameEncoder()
        # Random, as RFC 3550 section 5.1 wants them.
        self._sequence = secrets.randbits(16)
        self._timestamp = secrets.randbits(32)
        self._payload_bytes = 0
        self._packets = 0

    @property
    def packets_sent(self) -> int:
        """Number of packets for RTCP sender reports."""
        return self._packets

    @property
    def payload_bytes_sent(self) -> int:
        """Number of bytes for RTCP sender reports: without headers."""
        return self._payload_bytes

    @property
    def fec(self) -> bool:
        """True while packets that are encoded here carry the one before."""
        return self._encoder is not None and self._encoder.fec

    def timestamp(self, tick: int) -> int:
        """Return the RTP time of a tick, for sender reports; 32 bits."""
        return (self._timestamp + tick * PLAYOUT_FRAME_SAMPLES) & 0xFFFFFFFF

    def send(self, frame: Samples | None, tick: int) -> bytes | None:
        """Return the packet of this tick, or None when there is nothing; see
        `FrameEncoder.encode`.
        """
        assert self._encoder is not None
        return self.forward(self._encoder.encode(frame, tick), tick)

    def forward(self, frame: EncodedFrame | None, tick: int) -> bytes | None:
        """Return the packet of this tick from what was encoded, perhaps for others, too."""
        if frame is None:
            return None
        packet = build_rtp(
            frame.payload,
            payload_type=self._payload_type,
            marker=frame.marker or not self._packets,
            sequence=self._sequence,
            timestamp=self.timestamp(tick),
            ssrc=self._ssrc,
        )
        self._sequence += 1
        self._packets += 1
        self._payload_bytes += len(frame.payload)
        self._counters.packets_sent += 1
        return packet

    def report_loss(self, fraction: float) -> None:
        """Take the fraction lost since the last receiver report of the client, 0 to 1."""
        if self._encoder is not None:
            self._encoder.report_loss(fraction)

    def close(self) -> None:
        """Free the encoder. Idempotent; nothing may be sent afterwards."""
        if self._encoder is not None:
            self._encoder.close()
