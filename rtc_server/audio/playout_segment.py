"""Speech of one segment of a playout, with fades next to silence. Pure."""

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from rtc_server.pcm import Samples

FADE_SAMPLES = 120
"""Length of a fade, 2.5 ms: long enough to hide a click, too short to be noticed."""

FADE_IN: Samples = (0.5 - 0.5 * np.cos(np.pi * np.arange(FADE_SAMPLES) / FADE_SAMPLES)).astype(
    np.float32
)
"""Factors from silence to full sound, shape (FADE_SAMPLES,)."""


@dataclass(slots=True)
class PlayoutSegment:
    """Speech of one segment, of which more may come."""

    segment_id: str
    group: str
    chunks: deque[Samples] = field(default_factory=deque)
    """Speech that is not yet played."""
    queued_samples: int = 0
    """Length of these chunks."""
    complete: bool = False
    """True if no more will come."""
    truncated: bool = False
    """True if its end was dropped because too much waited."""
    pause: bool = True
    """True if a pause follows it, whatever comes next."""
    pause_samples: int = 0
    """Length of the silence after it, if there is one."""
    started: bool = False
    """True once any of it was played."""
    fade_in_position: int = 0
    """Samples played since it started or resumed, up to `FADE_SAMPLES`."""

    def push(self, samples: Samples) -> None:
        """Add speech to its end."""
        if samples.size:
            self.chunks.append(samples)
            self.queued_samples += samples.size

    def take(self, count: int, *, fade_out: bool) -> Samples:
        """Remove and return the next `count` samples, with fades; `fade_out` if silence follows.

        The end of a complete segment always fades, even if a part of the fade is in the next frame.
        """
        parts, wanted = [], count
        while wanted:
            chunk = self.chunks.popleft()
            if chunk.size > wanted:
                self.chunks.appendleft(chunk[wanted:])
                chunk = chunk[:wanted]
            parts.append(chunk)
            wanted -= chunk.size
        self.queued_samples -= count
        taken = np.concatenate(parts)

        rising = FADE_IN[self.fade_in_position :][:count]
        taken[: rising.size] *= rising
        self.fade_in_position = 0 if fade_out else min(FADE_SAMPLES, self.fade_in_position + count)

        if fade_out or self.complete:
            before_silence = 0 if fade_out else self.queued_samples
            falling = FADE_IN[before_silence:][:count][::-1]
            taken[count - falling.size :] *= falling
        return taken
