"""Check that a client's audio consists of bare Int16LE samples. Pure.

Audio in another format would be loud noise: nothing would be understood, and nobody would know why.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from rtc_server.transport.websocket.containers import (
    container_of,
    header_of,
    is_wav,
    wav_format,
)
from rtc_server.transport.websocket.forms import AudioIn, RefusedMessage

HEAD_BYTES: Final = 4096
"""Length of the beginning that is checked, from the first sample that is not zero: two frames of
any MP3."""
FLOATS: Final = 64
"""Fewest samples from which audio is recognised as float32."""
FLOAT_BANDS: Final = ((0x3380, 0x3FFF), (0xB380, 0xBFFF))
"""Upper halves of float32 of magnitudes from 2**-24 to 2, positive and negative."""
WARN_AGAIN_BYTES: Final = 320_000
"""Audio in a wrong format that is ignored until the next warning."""


class PcmCheck:
    """Check of one connection's audio: of its beginning, and of the beginning of each message.

    In later messages only the whole header of a container counts, because in a long talk samples
    may look like anything else by chance.
    """

    def __init__(self, sample_rate: int) -> None:
        """`sample_rate` is the one that the client should send, in Hz."""
        self._sample_rate = sample_rate
        self._wanted = f"Send bare {sample_rate // 1000} kHz mono Int16LE samples"
        self._head = bytearray()
        self._judging = self._may_be_floats = True
        self._wrong = ""
        self._passed_over = 0

    def read(self, data: bytes, event_id: str | None = None) -> AudioIn | RefusedMessage:
        """Return the audio, or its refusal.

        After a container or floats, all that follows is ignored, and the client is warned again
        from time to time.
        """
        fault = self._fault(data)
        if fault is not None:
            return RefusedMessage(fault, event_id)
        if self._wrong:
            self._passed_over += len(data)
            if self._passed_over < WARN_AGAIN_BYTES:
                return AudioIn(b"")
            self._passed_over = 0
            return RefusedMessage(self._wrong, event_id)
        if len(data) % 2:
            return RefusedMessage(
                "The audio has an odd number of bytes. Send whole Int16 samples.", event_id
            )
        return AudioIn(data)

    def _fault(self, data: bytes) -> str | None:
        """Return what is found wrong with the audio in `data`; None if nothing, or known before."""
        if is_wav(data):
            return self._wav(data)
        if self._wrong:
            return None
        if found := header_of(data):
            return self._all_wrong(self._contained(found))
        return self._fault_of_head(data) if self._judging else None

    def _fault_of_head(self, data: bytes) -> str | None:
        """Add `data` to the beginning; return what is wrong with it, None if nothing."""
        self._collect(data)
        if found := container_of(bytes(self._head)):
            return self._all_wrong(self._contained(found))
        if self._may_be_floats and _are_floats(self._head):
            return self._all_wrong(
                f"The samples are 32-bit floats. {self._wanted}: each float times 32767, rounded."
            )
        return None

    def _contained(self, found: str) -> str:
        return f"This is {found}. {self._wanted}, no container and no codec."

    def _wav(self, data: bytes) -> str:
        found = wav_format(data)
        if found is None or found == (self._sample_rate, 1, "16-bit integers"):
            return f"This is a WAV file. {self._wanted}, no header."  # what follows is right
        sample_rate, channels, samples = found
        return self._all_wrong(
            f"This is a WAV file of {sample_rate} Hz, {channels} channels, {samples}. "
            f"{self._wanted}, no header."
        )

    def _all_wrong(self, reason: str) -> str:
        self._wrong, self._passed_over = reason, 0
        return reason

    def _collect(self, data: bytes) -> None:
        """Add to the beginning that is checked. Digital silence before it is skipped."""
        self._may_be_floats = self._may_be_floats and len(data) % 4 == 0
        if not self._head:
            data = data[(len(data) - len(data.lstrip(b"\0"))) & ~3 :]
        self._head += data[:HEAD_BYTES]
        self._judging = len(self._head) < HEAD_BYTES


def _are_floats(head: bytearray) -> bool:
    """Return whether these bytes are float32 of audio, and not Int16.

    The upper half of a float has its sign and exponent, and is in one of two narrow bands that are
    far apart; the lower half may be anything. Int16 samples are like their neighbours: if every
    other one jumped between these bands, those between them would be in the bands as well.
    """
    halves = np.frombuffer(head, "<u2", count=len(head) // 4 * 2).reshape(-1, 2)
    lower, upper = halves[halves.any(axis=1)].T
    if upper.size < FLOATS:
        return False
    (positive, negative), (others, opposite) = _shares(upper), _shares(lower)
    return bool(positive and negative and positive + negative > 0.95 and others + opposite < 0.5)


def _shares(words: NDArray[np.uint16]) -> tuple[float, float]:
    """Return the shares of `words` in each of `FLOAT_BANDS`."""
    low, high = (float(np.mean((words >= a) & (words <= b))) for a, b in FLOAT_BANDS)
    return low, high
