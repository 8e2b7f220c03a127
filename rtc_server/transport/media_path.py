"""The way of audio between SRTP datagrams and a session: decrypt, decode; encode, encrypt.

Inline on the event loop: one frame costs less than handing it to a thread.
"""

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import pylibsrtp

from rtc_server.clock import Clock
from rtc_server.pcm import FRAME_MS, PLAYOUT_FRAME_SAMPLES, SPEECH_RATE, Pcm, Samples
from rtc_server.transport.media.opus import OpusDecoder, OpusEncoder, OpusError
from rtc_server.transport.media.quality import Quality, ReceptionStatistics
from rtc_server.transport.media.rtp import build_rtp, parse_rtp, timestamp_delta

logger = logging.getLogger(__name__)

SPEECH_FRAME_SAMPLES: Final = SPEECH_RATE * FRAME_MS // 1000
MAX_GAP_MS: Final = 500


@dataclass(frozen=True, slots=True)
class Streams:
    """What SDP agreed on."""

    payload_type_in: int
    """RTP payload type of the Opus we receive."""
    payload_type_out: int | None
    """That of the Opus we send; None when the peer takes none."""
    ssrc: int
    """Our synchronization source."""
    cname: str
    """Our RTCP canonical name."""


class MediaPath:
    """One session's audio, from the moment its SRTP keys are known."""

    def __init__(
        self,
        streams: Streams,
        srtp_in: pylibsrtp.Session,
        srtp_out: pylibsrtp.Session,
        *,
        send: Callable[[bytes], bool],
        on_pcm: Callable[[Pcm], None],
        next_frame: Callable[[], Samples | None],
        clock: Clock,
    ) -> None:
        self._streams = streams
        self._srtp_in, self._srtp_out = srtp_in, srtp_out
        self._send = send
        self._on_pcm, self._next_frame = on_pcm, next_frame
        self._clock = clock
        self.quality = Quality()
        self._statistics = ReceptionStatistics(self.quality)
        self.last_heard_s = clock()
        self._decoder = OpusDecoder()
        self._encoder = OpusEncoder()
        self._ssrc: int | None = None
        self._next_timestamp = 0
        self._position = 0
        self._sequence = random.getrandbits(15)
        self._timestamp = random.getrandbits(32)

    def received(self, data: bytes) -> None:
        """One SRTP or SRTCP datagram."""
        if 192 <= data[1] <= 223:
            return
        try:
            packet = parse_rtp(self._srtp_in.unprotect(data))
        except pylibsrtp.Error:
            return
        self.last_heard_s = self._clock()
        if packet is None or packet.payload_type != self._streams.payload_type_in:
            return
        if packet.ssrc != self._ssrc:
            self._ssrc, self._next_timestamp = packet.ssrc, packet.timestamp
            self._statistics.start(packet.ssrc, packet.sequence)
        self._statistics.add(packet.sequence, packet.timestamp, self._clock())
        gap = timestamp_delta(packet.timestamp, self._next_timestamp)
        if gap < 0:
            return
        missing = min(gap // 3, MAX_GAP_MS * SPEECH_RATE // 1000)
        try:
            samples = self._decoder.decode(packet.payload)
        except OpusError:
            return
        self._next_timestamp = packet.timestamp + 3 * len(samples)
        if missing:
            self._deliver(np.zeros(missing, np.float32), missing)
        self._deliver(samples, 0)

    def _deliver(self, samples: Samples, concealed: int) -> None:
        for start in range(0, len(samples), SPEECH_FRAME_SAMPLES):
            piece = samples[start : start + SPEECH_FRAME_SAMPLES]
            self._on_pcm(Pcm(piece, self._position, min(concealed, len(piece))))
            self._position += len(piece)

    def tick(self, periods: int) -> None:
        """Send the next frame."""
        if self._streams.payload_type_out is None:
            return
        frame = self._next_frame()
        if frame is None:
            frame = np.zeros(PLAYOUT_FRAME_SAMPLES, np.float32)
        self._timestamp += PLAYOUT_FRAME_SAMPLES * periods
        self._sequence += 1
        packet = build_rtp(
            self._encoder.encode(frame),
            payload_type=self._streams.payload_type_out,
            marker=False,
            sequence=self._sequence,
            timestamp=self._timestamp,
            ssrc=self._streams.ssrc,
        )
        if self._send(self._srtp_out.protect(packet)):
            self.quality.packets_sent += 1

    def close(self) -> None:
        """Free the codecs."""
        self._decoder.close()
        self._encoder.close()
