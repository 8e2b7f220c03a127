"""Tape of one stream's audio and its windows, from which segments are cut. Pure."""

from collections import deque

from rtc_server.audio.endpointer import Background, Endpointer, Window, quietest
from rtc_server.audio.tape import Tape
from rtc_server.interpreter.segments import ClosedSegment, EndCause
from rtc_server.pcm import Pcm, Samples


class SegmentTape:
    """Last seconds of a stream. Windows are taken from it, and given back with a probability.

    Positions count 16 kHz samples on the session's audio clock.
    """

    def __init__(self, window_samples: int, preroll_samples: int, endpointer: Endpointer) -> None:
        """`endpointer` decides which windows can begin speech; the pre-roll is before these."""
        self._window_samples, self._preroll_samples = window_samples, preroll_samples
        self._endpointer = endpointer
        self._background = Background()
        self._tape = Tape()
        self._windows: deque[Window] = deque()
        """Features of the audio on the tape."""
        self._audible: tuple[float, int | None] = (0.0, None)
        """Level of the window that is being judged, and the end of what is audible in it."""
        self.cursor = 0
        """Start of the next window."""

    @property
    def end(self) -> int:
        """Position after the last sample."""
        return self._tape.end

    @property
    def start(self) -> int:
        """Position of the first sample that is kept."""
        return self._tape.start

    def append(self, pcm: Pcm) -> None:
        """Add audio. Raises `ValueError` if it does not begin where the tape ends."""
        self._tape.append(pcm)
        self.cursor = max(self.cursor, self._tape.start)

    def next_window(self) -> Samples | None:
        """Return the next window to be judged; None until there is a whole one."""
        if self._tape.end - self.cursor < self._window_samples:
            return None
        samples = self._tape.read(self.cursor, self.cursor + self._window_samples)
        self._audible = self._background.measure(samples)
        return samples

    @property
    def is_audible(self) -> bool:
        """True if something in the window that is being judged stands out of the background."""
        return self._audible[1] is not None

    def judge(self, probability: float) -> Window:
        """Take the probability that the window is speech; return its features and go to the next
        one.
        """
        start, end = self.cursor, self.cursor + self._window_samples
        level_db, audible = self._audible
        window = Window(
            start_samples=start,
            end_samples=end,
            probability=probability,
            audible_end_samples=None if audible is None else start + audible,
            level_db=level_db,
            concealed=2 * self._tape.concealed(start, end) > end - start,
        )
        self.cursor = end
        self._windows.append(window)
        return window

    def read(self, start: int) -> Samples:
        """Return a copy of the audio from that position on."""
        return self._tape.read(start, self._tape.end).copy()

    def quietest(self, start: int, end: int) -> int:
        """Return the best position for a cut between two positions; `end` when nothing is known."""
        windows = [w for w in self._windows if w.end_samples > start and w.start_samples < end]
        if not windows:
            return end
        dip = quietest(windows)
        return min(max((dip.start_samples + dip.end_samples) // 2, start), end)

    def dip_since(self, earliest: int) -> int:
        """Return the best position for a cut after `earliest`. There must be a window."""
        dip = quietest([w for w in self._windows if w.start_samples >= earliest])
        return (dip.start_samples + dip.end_samples) // 2

    def first_voiced(self, start: int, end: int) -> Window | None:
        """Return the first window in that stretch that could begin speech."""
        windows = (w for w in self._windows if w.end_samples > start and w.start_samples < end)
        return next((w for w in windows if self._endpointer.begins(w)), None)

    def segment(
        self, start: int, end: int, speech_end: int, cause: EndCause
    ) -> ClosedSegment | None:
        """Return the segment in that stretch, without silence before its pre-roll; None if there is
        no speech in it.
        """
        voiced = self.first_voiced(start, end)
        if voiced is None:
            return None
        start = max(start, voiced.start_samples - self._preroll_samples)
        return ClosedSegment(
            samples=self._tape.read(start, end).copy(),
            start_samples=start,
            end_samples=end,
            speech_end_samples=speech_end,
            cause=cause,
            concealed_samples=self._tape.concealed(start, end),
        )

    def forget(self, before: int) -> None:
        """Drop what lies before that position."""
        self._tape.forget(before)
        while self._windows and self._windows[0].end_samples <= self._tape.start:
            self._windows.popleft()
