"""What was handed to the wire last, in case it never arrived. Pure: the time is told."""

from collections import deque

from rtc_server.pcm import FRAME_MS, Samples

FRAMES = 30_000 // FRAME_MS
"""Frames that are remembered; older ones are given up."""


class Spoken:
    """Frames of speech and when they went out, until somebody says that they were heard."""

    def __init__(self) -> None:
        self._frames: deque[tuple[float, Samples]] = deque(maxlen=FRAMES)

    def add(self, frame: Samples, now_s: float) -> None:
        """A frame went out: float32, shape (PLAYOUT_FRAME_SAMPLES,)."""
        self._frames.append((now_s, frame))

    def heard(self, until_s: float) -> None:
        """What went out up to then has arrived."""
        while self._frames and self._frames[0][0] <= until_s:
            self._frames.popleft()

    def take_unheard(self) -> list[Samples]:
        """What nobody said was heard, in order; it is forgotten here."""
        frames = [frame for _, frame in self._frames]
        self._frames.clear()
        return frames
