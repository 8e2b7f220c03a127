"""Audio input of an interpreter: received audio in, what is said in it out.

One object owns what listens for a stream: its segmenter, the guard against our own voice, and its
share in the detection for many sessions.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from rtc_server.interpreter.echo import EchoGuard
from rtc_server.interpreter.ports import SegmenterPort
from rtc_server.interpreter.release import NO_TAIL, Tail
from rtc_server.interpreter.segments import (
    ClosedSegment,
    HangoverPassed,
    SegmenterEvent,
    SpeechEnded,
    SpeechPaused,
    SpeechStarted,
    VadMode,
)
from rtc_server.pcm import Pcm, Samples

logger = logging.getLogger(__name__)


class AudioObserver(Protocol):
    """Callbacks to the interpreter."""

    @property
    def wants_new_segment(self) -> bool:
        """True if what is said from now on cannot go on with the open segment."""

    def on_speech(self, event: SegmenterEvent) -> None:
        """Take what began, paused or ended; of each segment it is known whose voice it is."""

    def on_audio(self) -> None:
        """Note that audio has come; what was detected in it was reported before."""


class AudioOwner(Protocol):
    """Callbacks to the session."""

    def on_detected(self, events: Sequence[SegmenterEvent]) -> None:
        """Note what was detected in audio, after the interpreter has dealt with it."""

    def on_detection_failed(self) -> None:
        """Report that detection, or the interpreter, raised; the audio is lost."""


class DetectionObserver(Protocol):
    """Callbacks to a stream whose speech is detected together with that of others."""

    def detected(self, pcm: Pcm, events: list[SegmenterEvent]) -> None:
        """Take what was detected in audio that was deferred."""

    def detection_failed(self) -> None:
        """Report that the segmenter, or `detected`, raised; the rest of its audio is lost."""


class SharedDetection(Protocol):
    """Detection of one stream together with others."""

    def join(self, observer: DetectionObserver) -> None:
        """Join the streams that are detected together; audio follows."""

    def leave(self) -> None:
        """Leave them, with the audio that waits. Idempotent."""

    def defers(self, pcm: Pcm) -> bool:
        """Keep this audio for later; False when it is to be detected now."""

    def catch_up(self) -> None:
        """Detect what waits."""


class AudioInput:
    """Audio of one stream, on its way to one interpreter.

    What is done to the input counts from the audio that came before it: that is detected first.
    """

    def __init__(
        self,
        segmenter: SegmenterPort,
        guard: EchoGuard,
        shared: SharedDetection | None = None,
    ) -> None:
        """`shared`: without it, speech is detected as audio comes."""
        self._segmenter, self._guard, self._shared = segmenter, guard, shared
        self._observer: AudioObserver | None = None
        self._owner: AudioOwner | None = None
        self._ended = False
        self._is_open = False
        """True while somebody is in the middle of a segment."""
        self._commits_only = False
        """True while push-to-talk alone decides what a segment is."""
        self.position_samples = 0
        """Start of the next audio to be detected, on the session's audio clock."""

    def connect(self, observer: AudioObserver) -> None:
        """Report to this interpreter."""
        self._observer = observer

    def open(self, owner: AudioOwner) -> None:
        """Join the shared detection for this session, to which failures are reported."""
        self._owner = owner
        if self._shared is not None:
            self._shared.join(self)

    def end(self) -> None:
        """Take no more audio; what has come is still detected."""
        self._ended = True

    def close(self) -> None:
        """Leave the shared detection, with what waits. Idempotent."""
        self._ended = True
        if self._shared is not None:
            self._shared.leave()

    # ---------------------------------------------------------------- audio

    def feed(self, pcm: Pcm) -> None:
        """Take received audio, contiguous in `start_samples`.

        Without an owner, whatever the detection raises is raised.
        """
        if self._ended or (self._shared is not None and self._shared.defers(pcm)):
            return
        try:
            self.detected(pcm, self._segmenter.feed(pcm))
        except Exception:
            if self._owner is None:
                raise
            logger.exception("Speech detection failed in a session")
            self._owner.on_detection_failed()

    def detected(self, pcm: Pcm, events: list[SegmenterEvent]) -> None:
        """See `DetectionObserver.detected`."""
        assert self._observer is not None, "an input without an interpreter"
        self.position_samples = pcm.start_samples + len(pcm.samples)
        self._guard.received(pcm)
        self._report(events)
        self._observer.on_audio()
        if events and self._owner is not None:
            self._owner.on_detected(events)

    def detection_failed(self) -> None:
        """See `DetectionObserver.detection_failed`."""
        if self._owner is not None:
            self._owner.on_detection_failed()

    def detect_waiting(self) -> None:
        """Detect what waits: what follows depends on what was said."""
        if self._shared is not None:
            self._shared.catch_up()

    def played(self, frame: Samples | None) -> None:
        """Note a frame that was played just now; None is silence."""
        self._guard.played(frame, self.position_samples)

    # ---------------------------------------------------------------- the open segment

    def open_segment(self, since: int = 0) -> Samples | None:
        """See `SegmenterPort.open_segment`."""
        return self._segmenter.open_segment(since)

    def release(self, before: int) -> None:
        """Release audio of the open segment: what follows is a segment of its own."""
        self._segmenter.release(before)
        self._guard.attend(before)

    def quietest(self, start: int, end: int) -> int:
        """See `SegmenterPort.quietest`."""
        return self._segmenter.quietest(start, end)

    def extend_hangover(self, hangover_ms: int) -> None:
        """See `SegmenterPort.extend_hangover`."""
        self._segmenter.extend_hangover(hangover_ms)

    def is_own_voice(self, start_samples: int) -> bool:
        """Return whether all that came since then is nothing but our own speech. It is work."""
        return self._guard.is_own_voice(start_samples, self.position_samples)

    # ---------------------------------------------------------------- segments' rules

    def set_longest(self, *, simultaneous: bool) -> None:
        """See `SegmenterPort.set_longest`."""
        self._segmenter.set_longest(simultaneous=simultaneous)

    def set_vad(self, mode: VadMode, hangover_ms: int) -> None:
        """Change what ends a segment; one that is open when the mode changes ends here."""
        self.detect_waiting()
        self._segmenter.set_hangover_ms(hangover_ms)
        self._report(self._segmenter.set_mode(mode))
        self._commits_only = mode is VadMode.OFF
        self._rest()

    def start_input(self) -> None:
        """Begin push-to-talk."""
        self.detect_waiting()
        anew = self._observer is not None and self._observer.wants_new_segment
        self._report(self._segmenter.start_input(anew=anew))

    def commit_input(self, tail: Tail = NO_TAIL) -> None:
        """Release push-to-talk; so much of what comes was said before."""
        self.detect_waiting()
        self._report(self._segmenter.commit_input(tail))

    def finish_input(self) -> None:
        """End a release now, without waiting for the rest of its tail."""
        self.detect_waiting()
        self._report(self._segmenter.finish_input())

    def flush(self) -> None:
        """Close the segment being spoken, whatever the mode."""
        self.detect_waiting()
        self._report(self._segmenter.flush())

    def interrupt(self) -> None:
        """End the open segment: the transport broke, and what comes is another stream."""
        self.detect_waiting()
        self._report(self._segmenter.interrupt())

    # ---------------------------------------------------------------- to the interpreter

    def _report(self, events: list[SegmenterEvent]) -> None:
        for event in events:
            assert self._observer is not None, "an input without an interpreter"
            self._observer.on_speech(self._attended(event))

    def _attended(self, event: SegmenterEvent) -> SegmenterEvent:
        """Return the event with the guard's judgement; the guard attends while speech goes on."""
        if isinstance(event, SpeechStarted):
            self._is_open = True
            self._guard.attend(event.start_samples)
            return event
        if isinstance(event, SpeechPaused):
            return SpeechPaused(self._judged(event.segment))
        if isinstance(event, HangoverPassed):
            return event
        self._is_open = False
        self._rest()
        segment = None if event.segment is None else self._judged(event.segment)
        return SpeechEnded(segment, event.at_samples)

    def _judged(self, segment: ClosedSegment) -> ClosedSegment:
        if self._guard.is_own_voice(segment.start_samples, segment.end_samples):
            return replace(segment, is_own_voice=True)
        return segment

    def _rest(self) -> None:
        """Let the guard rest between segments, unless a commit can be of what was said before."""
        if self._commits_only:
            self._guard.attend(0)
        elif not self._is_open:
            self._guard.rest()
