"""Opus codec: libopus through ctypes, decoding to 16 kHz mono and encoding speech.

PyAV can neither conceal a lost packet nor use in-band FEC, and it resamples in a second step;
libopus does all three in one call. `opus_library` loads it. API:
https://opus-codec.org/docs/opus_api-1.5/.
"""

import ctypes
import weakref
from dataclasses import dataclass
from typing import Self

import numpy as np

from rtc_server.pcm import PLAYOUT_FRAME_SAMPLES, PLAYOUT_RATE, SPEECH_RATE, Samples
from rtc_server.transport.media.opus_library import OpusError, libopus, raise_error
from rtc_server.transport.media.opus_packet import MAX_PACKET_MS

MAX_PAYLOAD_BYTES = 1275
"""Longest packet of one frame (RFC 6716, section 3.2.1)."""

# opus_defines.h
_APPLICATION_VOIP = 2048
_APPLICATION_LOW_DELAY = 2051
_SIGNAL_VOICE = 3001
_SET_BITRATE = 4002
_SET_COMPLEXITY = 4010
_SET_INBAND_FEC = 4012
_SET_PACKET_LOSS_PERC = 4014
_SET_SIGNAL = 4024
_RESET_STATE = 4028

_CELT_SILENCE = b"\xf8\xff\xfe"
"""20 ms of mono CELT with its silence flag set (RFC 6716, section 4.3)."""
_SILENT_FRAME = np.zeros(PLAYOUT_FRAME_SAMPLES, np.float32)


class OpusDecoder:
    """Decoder from Opus packets to mono float32 at one rate; libopus mixes stereo down."""

    def __init__(self, sample_rate: int = SPEECH_RATE, library: ctypes.PyDLL | None = None) -> None:
        """`library` is for tests; otherwise the process's own is taken."""
        self._library = library or libopus()
        status = ctypes.c_int()
        self._state = self._library.opus_decoder_create(sample_rate, 1, ctypes.byref(status))
        if status.value < 0:
            raise_error(self._library, status.value)
        self._free = weakref.finalize(self, self._library.opus_decoder_destroy, self._state)
        self._capacity = sample_rate * MAX_PACKET_MS // 1000
        self._pcm = np.empty(self._capacity, np.float32)
        self._address = self._pcm.ctypes.data

    def decode(self, payload: bytes) -> Samples:
        """Return the packet's audio, shape (n,).

        Raises:
            OpusError: the packet is corrupt.
        """
        if not payload:  # libopus takes that for a lost packet, and would conceal 120 ms
            raise OpusError("empty packet", -4)
        return self._decode(payload, len(payload), self._capacity, 0)

    def conceal(self, samples: int) -> Samples:
        """Return `samples` invented samples for a lost packet: a multiple of 2.5 ms, <= 120 ms."""
        return self._decode(None, 0, samples, 0)

    def recover(self, next_payload: bytes, samples: int) -> Samples:
        """Return the audio of the lost packet before `next_payload`, shape (samples,).

        It is decoded from the FEC data in `next_payload`; without such data, libopus conceals.
        """
        return self._decode(next_payload, len(next_payload), samples, 1)

    def close(self) -> None:
        """Free the decoder. Idempotent."""
        self._state = None
        self._free()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _open(self) -> None:
        if self._state is None:
            raise OpusError("the decoder is closed", -6)

    def _decode(self, payload: bytes | None, size: int, samples: int, fec: int) -> Samples:
        if self._state is None or not 0 < samples <= self._capacity:
            self._open()
            raise OpusError("frame size out of range", -1)
        got: int = self._library.opus_decode_float(
            self._state, payload, size, self._address, samples, fec
        )
        if got < 0:
            raise_error(self._library, got)
        return self._pcm[:got].copy()


@dataclass(frozen=True, slots=True)
class EncoderSettings:
    """Opus encoder settings for speech.

    On a clean path CELT is used: it takes a third of SILK's time and delays by 2.5 ms instead of
    6.5, at a bitrate where both are transparent for speech. Only SILK and hybrid frames can have
    FEC, so reported loss switches to them.
    """

    bitrate: int = 48_000
    """Bits per second, FEC included."""
    complexity: int = 1
    """Complexity of CELT, 0 to 10. Complexity 1 at 48 kbit/s is better than 3 at 40 kbit/s (1.2 dB
    more segmental signal-to-noise ratio, bands 0.5 dB nearer) and takes nine tenths of the time. 0
    would not look for transients."""
    fec_complexity: int = 1
    """Complexity of SILK with FEC, 0 to 10. From 2 on it takes half as much time again."""


class OpusEncoder:
    """Encoder of 48 kHz mono, one 20 ms frame at a time."""

    def __init__(
        self, settings: EncoderSettings | None = None, library: ctypes.PyDLL | None = None
    ) -> None:
        """`library` is for tests; otherwise the process's own is taken."""
        self._settings = settings or EncoderSettings()
        self._library = library or libopus()
        self._frame = np.zeros(PLAYOUT_FRAME_SAMPLES, np.float32)
        self._frame_address = self._frame.ctypes.data
        self._packet = np.zeros(MAX_PAYLOAD_BYTES, np.uint8)
        self._packet_address = self._packet.ctypes.data
        self._open(lossy=False)

    def expect_loss(self, percent: int) -> None:
        """Prepare for `percent` (0 to 100) of packets to be lost; 0 switches FEC off.

        Raises:
            OpusError: `percent` is out of range, or the encoder is closed.
        """
        if not 0 <= percent <= 100:
            raise OpusError("loss is 0 to 100 percent", -1)
        lossy = percent > 0
        if lossy != self._lossy and self._state is not None:
            self._free()
            self._open(lossy=lossy)
        if lossy:
            # Below 10 % libopus spends no bits on FEC at low complexity.
            self._set(_SET_PACKET_LOSS_PERC, max(percent, 10))

    def encode(self, frame: Samples) -> bytes:
        """Return one packet from float32 in [-1, 1], shape (960,); louder samples are clipped.

        Raises:
            OpusError: the frame has another shape or type, or the encoder is closed.
        """
        if self._state is None:
            raise OpusError("the encoder is closed", -6)
        if frame.shape != (PLAYOUT_FRAME_SAMPLES,) or frame.dtype != np.float32:
            raise OpusError(f"a frame is float32, shape ({PLAYOUT_FRAME_SAMPLES},)", -1)
        self._frame[:] = frame
        return self._packet[: self._encode()].tobytes()

    def silence(self) -> bytes:
        """Return one packet of silence, to follow encoded silence; resets the encoder's state.

        Raises:
            OpusError: the encoder is closed.
        """
        if self._lossy:
            return self.encode(_SILENT_FRAME)
        # The filter before CELT rings on after speech, and its rest would be encoded in full.
        self._set(_RESET_STATE, 0)
        return _CELT_SILENCE

    def close(self) -> None:
        """Free the encoder. Idempotent."""
        self._state = None
        self._free()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _open(self, *, lossy: bool) -> None:
        # An encoder that can do SILK looks 6.5 ms ahead even in CELT, and this cannot be changed
        # later: so another encoder is opened when FEC is switched on or off.
        application = _APPLICATION_VOIP if lossy else _APPLICATION_LOW_DELAY
        status = ctypes.c_int()
        self._state = self._library.opus_encoder_create(
            PLAYOUT_RATE, 1, application, ctypes.byref(status)
        )
        if status.value < 0:
            raise_error(self._library, status.value)
        self._free = weakref.finalize(self, self._library.opus_encoder_destroy, self._state)
        self._lossy = lossy
        settings = self._settings
        self._set(_SET_BITRATE, settings.bitrate)
        self._set(_SET_COMPLEXITY, settings.fec_complexity if lossy else settings.complexity)
        self._set(_SET_INBAND_FEC, int(lossy))
        if lossy:
            self._set(_SET_SIGNAL, _SIGNAL_VOICE)  # the public way to ask for SILK

    def _encode(self) -> int:
        """Encode the frame into the packet; return the size in bytes."""
        size: int = self._library.opus_encode_float(
            self._state,
            self._frame_address,
            PLAYOUT_FRAME_SAMPLES,
            self._packet_address,
            MAX_PAYLOAD_BYTES,
        )
        if size < 0:
            raise_error(self._library, size)
        return size

    def _set(self, request: int, value: int) -> None:
        if self._state is None:
            raise OpusError("the encoder is closed", -6)
        status = self._library.opus_encoder_ctl(self._state, request, ctypes.c_int(value))
        if status < 0:
            raise_error(self._library, status)
