"""Tape: the last seconds of one stream, addressed by position on its audio clock."""

from collections import deque

import numpy as np

from rtc_server.pcm import Pcm, Samples

_INITIAL_SAMPLES = 32_768


class Tape:
    """Contiguous audio from `start` to `end`. The owner calls `forget` to drop the oldest."""

    def __init__(self) -> None:
        self._samples: Samples = np.empty(_INITIAL_SAMPLES, np.float32)
        self._concealed: deque[tuple[int, int]] = deque()
        """Concealed spans: position of the first sample, and after the last."""
        self._offset = 0
        """Index of the first sample that is kept, in `_samples`."""
        self.start = 0
        """Position of the first sample that is kept."""
        self.end = 0
        """Position after the last one."""

    def append(self, pcm: Pcm) -> None:
        """Add audio. The first call sets the position.

        Concealed samples count as the first of `pcm`: they fill a hole before what arrived.

        Raises:
            ValueError: `pcm` does not begin where the tape ends.
        """
        if self.start == self.end == 0:
            self.start = self.end = pcm.start_samples
        if pcm.start_samples != self.end:
            raise ValueError(f"audio at {pcm.start_samples}, expected at {self.end}")
        count = pcm.samples.size
        self._make_room(count)
        at = self._index(self.end)
        self._samples[at : at + count] = pcm.samples
        if pcm.concealed_samples:
            self._concealed.append((self.end, self.end + pcm.concealed_samples))
        self.end += count

    def read(self, start: int, end: int) -> Samples:
        """Return a view of [start, end), which is valid until the next `append`."""
        return self._samples[self._index(start) : self._index(end)]

    def concealed(self, start: int, end: int) -> int:
        """Return how many samples of [start, end) were invented by loss concealment."""
        return sum(max(0, min(end, last) - max(start, first)) for first, last in self._concealed)

    def forget(self, before: int) -> None:
        """Drop the audio before that position."""
        before = min(max(before, self.start), self.end)
        self._offset += before - self.start
        self.start = before
        while self._concealed and self._concealed[0][1] <= before:
            self._concealed.popleft()

    def _index(self, position: int) -> int:
        if not self.start <= position <= self.end:
            raise IndexError(f"{position} is not on the tape [{self.start}, {self.end}]")
        return self._offset + position - self.start

    def _make_room(self, count: int) -> None:
        """Make room for `count` samples at the end."""
        kept = self.end - self.start
        if self._offset + kept + count <= self._samples.size:
            return
        size = self._samples.size
        while size < 2 * (kept + count):  # at least half stays free, so moves are rare
            size *= 2
        samples = np.empty(size, np.float32)
        samples[:kept] = self._samples[self._offset : self._offset + kept]
        self._samples, self._offset = samples, 0
