"""Sender: from 20 ms frames, or silence, to RTP packets."""

import secrets

import numpy as np

from rtc_server.pcm import PLAYOUT_FRAME_SAMPLES, Samples
from rtc_server.transport.media.counters import MediaCounters
from rtc_server.transport.media.opus import EncoderSettings, OpusEncoder
from rtc_server.transport.media.opus_packet import pause_packet
from rtc_server.transport.media.rtp import build_rtp
from rtc_server.transport.transport_api import EncodedFrame

TAIL_FRAMES = 5
"""Frames of silence that are encoded after speech. Without them, the client's decoder would prolong
the last sound when packets stop."""
REFRESH_FRAMES = 20
"""Interval of DTX packets in silence: 400 ms, like Opus' own DTX."""
FEC_ON_LOSS = 0.01
"""Share of packets lost from which FEC is used."""
FEC_OFF_LOSS = 0.003
"""Decaying share of packets lost below which FEC is switched off again."""
_LOSS_MEMORY = 0.7
_SILENT_FRAME = np.zeros(PLAYOUT_FRAME_SAMPLES, np.float32)


class FrameEncoder:
    """Encoder of one stream, for one client or many: frames and silence to Opus packets."""

    def __init__(self, settings: EncoderSettings | None = None, *, loss_percent: int = 0) -> None:
        """`loss_percent`: loss to expect from the start, for a stream whose loss nobody reports."""
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
        """True while packets have in-band FEC of the packet before them."""
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
            # The first silent frame gets the end of the speech out of the encoder.
            first = self._silent_frames == 1
            payload = self._encoder.encode(_SILENT_FRAME) if first else self._encoder.silence()
            self._pause = pause_packet(payload)
            self._refresh_at = tick + 1
            return EncodedFrame(payload, False)
        if tick < self._refresh_at:
            return None
        # Packets are sent from the start, before any speech: some receivers give up after seconds
        # without a first packet (FFmpeg, GStreamer), or report no track until one comes.
        if not self._pause:
            self._pause = pause_packet(self._encoder.silence())
        self._refresh_at = tick + REFRESH_FRAMES
        return EncodedFrame(self._pause, False)

    def report_loss(self, fraction: float) -> None:
        """Take the fraction lost since the last receiver report of the client, 0 to 1."""
        # Loss counts at once, and decays over some ten reports.
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
    """Outgoing stream of one client: sequence numbers without gaps, timestamps by the tick."""

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
        # Random, as RFC 3550 section 5.1 demands.
        self._sequence = secrets.randbits(16)
        self._timestamp = secrets.randbits(32)
        self._payload_bytes = 0
        self._packets = 0

    @property
    def packets_sent(self) -> int:
        """Number of packets sent, for RTCP sender reports."""
        return self._packets

    @property
    def payload_bytes_sent(self) -> int:
        """Payload bytes sent, for RTCP sender reports."""
        return self._payload_bytes

    @property
    def fec(self) -> bool:
        """True while packets that are encoded here have in-band FEC."""
        return self._encoder is not None and self._encoder.fec

    def timestamp(self, tick: int) -> int:
        """Return the RTP timestamp of a tick, 32 bits."""
        return (self._timestamp + tick * PLAYOUT_FRAME_SAMPLES) & 0xFFFFFFFF

    def send(self, frame: Samples | None, tick: int) -> bytes | None:
        """Return the RTP packet of this tick; None when there is nothing to send. For the arguments
        see `FrameEncoder.encode`.
        """
        assert self._encoder is not None
        return self.forward(self._encoder.encode(frame, tick), tick)

    def forward(self, frame: EncodedFrame | None, tick: int) -> bytes | None:
        """Return the RTP packet of this tick, with a frame that was encoded elsewhere."""
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
