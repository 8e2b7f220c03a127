"""Playout queue: segments of translated speech, in order, as 20 ms frames."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from rtc_server.audio.playout_gap import PlayoutGap
from rtc_server.audio.playout_segment import FADE_IN, FADE_SAMPLES, PlayoutSegment
from rtc_server.pcm import (
    PLAYOUT_FRAME_SAMPLES,
    PLAYOUT_RATE,
    Samples,
    ms_to_samples,
    samples_to_ms,
)

GAP_MS = 100
"""Silence between two segments, like a pause between two sentences."""


class PlayoutState(StrEnum):
    """Playback state of a segment."""

    QUEUED = "queued"
    STARTED = "started"
    FINISHED = "finished"
    DROPPED = "dropped"
    """Not played, or not to its end."""


@dataclass(frozen=True, slots=True)
class PlayoutChange:
    """Change of a segment's state."""

    segment_id: str
    """Id as given to `Playout.push`."""
    state: PlayoutState
    """New state."""
    queue_ms: float
    """Speech of all segments that waits to be played, right after the change."""


class PlayoutFrame(NamedTuple):
    """20 ms for the client."""

    samples: Samples | None
    """Samples: float32 at 48 kHz, shape (960,); None in silence."""
    changes: tuple[PlayoutChange, ...]
    """Changes of states with this frame."""


class Playout:
    """Bounded queue of segments, from which one frame at a time is pulled. Never blocks.

    Segments are played in the order in which they were announced. If the next chunk of one is late,
    there is silence until it comes. When more than `max_ms` wait, the oldest segment that has not
    started is dropped; a single segment that is longer loses its end.
    """

    def __init__(self, max_ms: float) -> None:
        self.set_bound(max_ms)
        self._segments: deque[PlayoutSegment] = deque()
        self._ignored: set[str] = set()
        """Ids of dropped segments that are still being synthesized."""
        self._gap = PlayoutGap()
        self._tail: Samples | None = None
        """Fade-out of speech that was cleared while it played."""
        self._returned: deque[Samples] = deque()
        """Frames that were pulled, and put back because they did not reach the client."""

    def set_bound(self, max_ms: float) -> None:
        """Set how much may wait, from the next speech that is added on."""
        self._max_samples = round(max_ms * PLAYOUT_RATE / 1000)

    @property
    def queue_ms(self) -> float:
        """Length of the speech that waits to be played, in ms."""
        queued = sum(s.queued_samples for s in self._segments) + sum(f.size for f in self._returned)
        return samples_to_ms(queued, PLAYOUT_RATE)

    def put_back(self, frames: Iterable[Samples]) -> None:
        """Play these frames again, before all else: they did not reach the client.

        The changes of their segments' states are not reported again.
        """
        self._returned.extendleft(reversed([frame.copy() for frame in frames]))
        if self._returned:
            self._returned[0][:FADE_SAMPLES] *= FADE_IN

    def announce(self, segment_id: str, group: str = "") -> tuple[PlayoutChange, ...]:
        """Add a segment to the order before it has speech; see `push`."""
        if segment_id in self._ignored or self._find(segment_id):
            return ()
        self._segments.append(PlayoutSegment(segment_id, group or segment_id))
        return (self._change(segment_id, PlayoutState.QUEUED),)

    def push(self, segment_id: str, samples: Samples, group: str = "") -> tuple[PlayoutChange, ...]:
        """Add speech to the end of a segment, which is announced if it is new.

        Args:
            segment_id: id of the segment; not to be used again after `finish`.
            samples: float32 at 48 kHz, shape (n,).
            group: group of segments that may follow each other without a pause; empty for none.
        """
        announced = self.announce(segment_id, group)
        segment = self._find(segment_id)
        if segment is None or segment.truncated:
            return announced
        segment.push(samples)
        return announced + self._keep_bound(segment)

    def unstarted_samples(self, segment_id: str) -> int:
        """Return the length of a complete segment that has not started; else 0."""
        segment = self._find(segment_id)
        if segment is None or segment.started or segment.truncated or not segment.complete:
            return 0
        return segment.queued_samples

    def unstarted(self, segment_id: str) -> Samples:
        """Return the speech of a segment that has `unstarted_samples`."""
        segment = self._find(segment_id)
        assert segment is not None
        return np.concatenate(segment.chunks)

    def replace(self, segment_id: str, samples: Samples) -> None:
        """Replace the speech of a segment that has not started."""
        segment = self._find(segment_id)
        assert segment is not None and not segment.started
        segment.chunks = deque([samples])
        segment.queued_samples = samples.size

    def finish(
        self, segment_id: str, *, pause: bool = True, pause_ms: int = GAP_MS
    ) -> tuple[PlayoutChange, ...]:
        """End a segment: no more speech will come for it. A pause of `pause_ms` follows before the
        next group, and with `pause` also before the next segment of the same group.
        """
        self._ignored.discard(segment_id)
        segment = self._find(segment_id)
        if segment is None:
            return ()
        segment.complete, segment.pause = True, pause
        segment.pause_samples = ms_to_samples(pause_ms, PLAYOUT_RATE)
        if segment.queued_samples or segment.started:
            return ()  # `pull` reports the end when it is played
        self._segments.remove(segment)
        return (self._change(segment_id, PlayoutState.DROPPED),)

    def clear(self) -> tuple[PlayoutChange, ...]:
        """Drop all speech that plays or waits, with a fade-out."""
        if self._returned:
            self._tail = self._returned[0][:FADE_SAMPLES] * FADE_IN[::-1]
        elif self._segments and self._segments[0].fade_in_position:
            playing = self._segments[0]
            self._tail = playing.take(min(FADE_SAMPLES, playing.queued_samples), fade_out=True)
        dropped = tuple(self._segments)
        self._segments.clear()
        self._returned.clear()
        self._gap.clear()
        return tuple(self._drop(segment) for segment in dropped)

    def pull(self) -> PlayoutFrame:
        """Return the next 20 ms. Call it once for each frame of media time."""
        if self._tail is not None:
            tail, self._tail = self._tail, None
            return PlayoutFrame(np.pad(tail, (0, PLAYOUT_FRAME_SAMPLES - tail.size)), ())
        if self._returned:
            return PlayoutFrame(self._returned.popleft(), ())
        return self._next_frame()

    def _next_frame(self) -> PlayoutFrame:
        # A segment begins inside a frame, right after the one before it and its gap. Beginning with
        # a frame of its own would add 10 ms on average, too much for a long talk.
        frame: Samples | None = None
        changes: list[PlayoutChange] = []
        at = 0
        while at < PLAYOUT_FRAME_SAMPLES:
            wanted = PLAYOUT_FRAME_SAMPLES - at
            if self._segments and not self._segments[0].started:
                self._gap.begin(self._segments[0].group)
            if silent := self._gap.take(wanted):
                at += silent
                continue
            samples = self._take(self._segments[0], wanted, changes) if self._segments else None
            if samples is None:
                self._gap.wait(wanted)
                break
            if frame is None and samples.size:
                frame = np.zeros(PLAYOUT_FRAME_SAMPLES, np.float32)
            if frame is not None:
                frame[at : at + samples.size] = samples
            at += samples.size
        return PlayoutFrame(frame, tuple(changes))

    def _take(
        self, segment: PlayoutSegment, wanted: int, changes: list[PlayoutChange]
    ) -> Samples | None:
        """Take up to `wanted` samples of the first segment; None while its next chunk is late."""
        before = segment.queued_samples
        enough = segment.complete or before >= PLAYOUT_FRAME_SAMPLES + FADE_SAMPLES
        sounding = segment.fade_in_position > 0
        count = min(before, wanted) if enough or sounding else 0

        # An underrun fades out what is left and then waits for a whole frame again. Playing always
        # leaves FADE_SAMPLES behind, so there is enough to fade.
        samples = segment.take(count, fade_out=not enough) if count else None
        if count and not segment.started:
            segment.started = True
            changes.append(self._change(segment.segment_id, PlayoutState.STARTED))
        if segment.complete and not segment.queued_samples:
            self._segments.popleft()
            self._gap.end(segment.group, segment.pause_samples, pause=segment.pause)
            state = PlayoutState.DROPPED if segment.truncated else PlayoutState.FINISHED
            changes.append(self._change(segment.segment_id, state))
            samples = np.empty(0, np.float32) if samples is None else samples
        return samples

    def _keep_bound(self, pushed: PlayoutSegment) -> tuple[PlayoutChange, ...]:
        changes = []
        while (excess := sum(s.queued_samples for s in self._segments) - self._max_samples) > 0:
            if all(s is pushed or not s.queued_samples for s in self._segments):
                self._truncate(pushed, excess)
                break
            oldest = next(s for s in self._segments if not s.started and s.queued_samples)
            self._segments.remove(oldest)
            changes.append(self._drop(oldest))
        return tuple(changes)

    @staticmethod
    def _truncate(segment: PlayoutSegment, excess: int) -> None:
        segment.complete = segment.truncated = True
        whole = np.concatenate(segment.chunks)[:-excess]
        segment.chunks = deque([whole] if whole.size else [])
        segment.queued_samples = whole.size

    def _drop(self, segment: PlayoutSegment) -> PlayoutChange:
        if not segment.complete:
            self._ignored.add(segment.segment_id)
        return self._change(segment.segment_id, PlayoutState.DROPPED)

    def _change(self, segment_id: str, state: PlayoutState) -> PlayoutChange:
        return PlayoutChange(segment_id, state, self.queue_ms)

    def _find(self, segment_id: str) -> PlayoutSegment | None:
        return next((s for s in self._segments if s.segment_id == segment_id), None)
