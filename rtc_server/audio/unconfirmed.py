"""Speech that was sent and is not yet confirmed by the client. Pure: time is an argument."""

from collections import deque

from rtc_server.pcm import FRAME_MS, Samples

FRAMES = 30_000 // FRAME_MS
"""Most frames that are kept: 30 s; older ones are forgotten."""


class UnconfirmedSpeech:
    """Frames of speech and the times at which they were sent, kept until confirmed."""

    def __init__(self) -> None:
        self._frames: deque[tuple[float, Samples]] = deque(maxlen=FRAMES)

    def add(self, frame: Samples, now_s: float) -> None:
        """Keep a frame that was sent: float32, shape (PLAYOUT_FRAME_SAMPLES,)."""
        self._frames.append((now_s, frame))

    def confirm(self, until_s: float) -> None:
        """Forget the frames sent until `until_s`, which have arrived."""
        while self._frames and self._frames[0][0] <= until_s:
            self._frames.popleft()

    def take_unconfirmed(self) -> list[Samples]:
        """Remove and return the frames that are not confirmed, in order."""
        frames = [frame for _, frame in self._frames]
        self._frames.clear()
        return frames
