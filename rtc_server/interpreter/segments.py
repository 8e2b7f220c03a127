"""Segments of speech, and the events by which a segmenter reports them."""

from dataclasses import dataclass
from enum import StrEnum

from rtc_server.pcm import Samples


class VadMode(StrEnum):
    """Rule by which a segment begins and ends."""

    AUTO = "auto"
    """VAD; push-to-talk may overrule it."""
    OFF = "off"
    """Push-to-talk only; sound that is louder than the background counts as speech."""


class EndCause(StrEnum):
    """Cause of a segment's end."""

    SILENCE = "silence"
    """Silence as long as the hangover."""
    CUT = "cut"
    """Longest length; the next segment continues without a gap."""
    COMMIT = "commit"
    """Push-to-talk was released, or the mode changed."""
    FLUSH = "flush"
    """The stream ended."""


@dataclass(frozen=True, slots=True)
class ClosedSegment:
    """Stretch of speech. Positions count 16 kHz samples on the session's audio clock."""

    samples: Samples
    """Mono float32 at `SPEECH_RATE`, shape (end_samples - start_samples,), pre-roll included."""
    start_samples: int
    """Position of the first sample."""
    end_samples: int
    """Position after the last sample."""
    speech_end_samples: int
    """Position after the last sample that is speech."""
    cause: EndCause
    """Cause of its end."""
    concealed_samples: int
    """Number of samples invented by loss concealment."""
    is_own_voice: bool = False
    """True if it is nothing but our own speech, which the microphone picked up."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Event: a segment was opened, by speech or by push-to-talk. A `SpeechEnded` always follows."""

    start_samples: int
    """Start of the segment, pre-roll included."""
    at_samples: int
    """Audio position at which this was known."""


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """Event: the open segment is complete."""

    segment: ClosedSegment | None
    """The segment; None without speech: push-to-talk held in silence, or nothing after a cut."""
    at_samples: int
    """Audio position at which this was known; after silence, later than the speech's end by the
    hangover."""


@dataclass(frozen=True, slots=True)
class SpeechPaused:
    """Event: speech has paused. Unless it goes on, exactly this segment will end."""

    segment: ClosedSegment
    """Segment that `SpeechEnded` will bring when the hangover has passed in silence."""


@dataclass(frozen=True, slots=True)
class HangoverPassed:
    """Event: the pause reported last is as long as the hangover, but does not end the segment yet,
    because the hangover was extended."""


SegmenterEvent = SpeechStarted | SpeechPaused | HangoverPassed | SpeechEnded
