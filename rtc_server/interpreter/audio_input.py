"""Audio input of an interpreter: received audio in, events of segments out.

One object owns all that detects speech in a stream: its segmenter, the own-voice guard, and its
part in the detection for many sessions together.
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
        """True if speech from now on must be a segment of its own."""

    def on_speech(self, event: SegmenterEvent) -> None:
        """Take an event. The own-voice guard has already judged the segment in it."""

    def on_audio(self) -> None:
        """Note that audio has come, whose events were reported before."""


class AudioOwner(Protocol):
    """Callbacks to the session."""

    def on_detected(self, events: Sequence[SegmenterEvent]) -> None:
        """Note what was detected in audio, after the interpreter has dealt with it."""

    def on_detection_failed(self) -> None:
        """Report that detection, or the interpreter, raised; the audio is lost."""


class DetectionObserver(Protocol):
    """Callbacks to a stream whose speech is detected together with that of others."""

    def detected(self, pcm: Pcm, events: list[SegmenterEvent]) -> None:
        """Take the events that were detected in deferred audio."""

    def detection_failed(self) -> None:
        """Report that the segmenter, or `detected`, raised; the rest of its audio is lost."""


class SharedDetection(Protocol):
    """Speech detection of one stream together with others."""

    def join(self, observer: DetectionObserver) -> None:
        """Add a stream whose audio will follow; its events go to `observer`."""

    def leave(self) -> None:
        """Remove the stream, and drop its audio that waits. Idempotent."""

    def defers(self, pcm: Pcm) -> bool:
        """Keep this audio for later and return True; return False if it must be processed now."""

    def catch_up(self) -> None:
        """Detect speech in the audio that waits."""


class AudioInput:
    """Input of one interpreter: detects speech in one stream, and reports it in order.

    A change (of a mode, a button, a direction) applies after all audio that came before it, so that
    audio is processed first.
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
        """True while a segment is open."""
        self._commits_only = False
        """True while only push-to-talk begins and ends segments."""
        self.position_samples = 0
        """Start of the next audio to be detected, on the session's audio clock."""

    def connect(self, observer: AudioObserver) -> None:
        """Report to this interpreter from now on."""
        self._observer = observer

    def open(self, owner: AudioOwner) -> None:
        """Join the shared detection for this session, to which failures are reported."""
        self._owner = owner
        if self._shared is not None:
            self._shared.join(self)

    def end(self) -> None:
        """Take no more audio; what has come is still processed."""
        self._ended = True

    def close(self) -> None:
        """Leave the shared detection, and drop the audio that waits. Idempotent."""
        self._ended = True
        if self._shared is not None:
            self._shared.leave()

    # ---------------------------------------------------------------- audio

    def feed(self, pcm: Pcm) -> None:
        """Take received audio, contiguous in `start_samples`.

        If detection raises, the owner is informed; without an owner, the exception is raised.
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
        """Process the audio that waits, before something that depends on what was said."""
        if self._shared is not None:
            self._shared.catch_up()

    def played(self, frame: Samples | None) -> None:
        """Note a frame that was sent just now; None for silence."""
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
        """Return whether all audio since that position is our own speech. It takes time to find."""
        return self._guard.is_own_voice(start_samples, self.position_samples)

    # ---------------------------------------------------------------- segments' rules

    def set_longest(self, *, simultaneous: bool) -> None:
        """See `SegmenterPort.set_longest`."""
        self._segmenter.set_longest(simultaneous=simultaneous)

    def set_vad(self, mode: VadMode, hangover_ms: int) -> None:
        """Change what ends a segment. A change of the mode ends an open segment."""
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
        """Release push-to-talk. Audio of the length of `tail` still belongs to the segment."""
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
        """End the open segment: the transport was lost, and another stream will follow."""
        self.detect_waiting()
        self._report(self._segmenter.interrupt())

    # ---------------------------------------------------------------- to the interpreter

    def _report(self, events: list[SegmenterEvent]) -> None:
        for event in events:
            assert self._observer is not None, "an input without an interpreter"
            self._observer.on_speech(self._attended(event))

    def _attended(self, event: SegmenterEvent) -> SegmenterEvent:
        """Return the event with the guard's judgement; the guard keeps audio during a segment."""
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
        """Let the guard drop audio between segments, unless a commit may still include it."""
        if self._commits_only:
            self._guard.attend(0)
        elif not self._is_open:
            self._guard.rest()
