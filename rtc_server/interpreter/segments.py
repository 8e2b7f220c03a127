"""Segments of speech, and the events by which a segmenter reports them."""

from dataclasses import dataclass
from enum import StrEnum

from rtc_server.pcm import Samples


class VadMode(StrEnum):
    """Rule by which a segment begins and ends."""

    AUTO = "auto"
    """The VAD; push-to-talk may overrule it."""
    OFF = "off"
    """Push-to-talk alone; sound above the background counts as speech."""


class EndCause(StrEnum):
    """Cause of a segment's end."""

    SILENCE = "silence"
    """The speaker paused for the hangover."""
    CUT = "cut"
    """Longest length reached; the next one continues it without a gap."""
    COMMIT = "commit"
    """Push-to-talk was released, or the mode changed."""
    FLUSH = "flush"
    """The stream ended."""


@dataclass(frozen=True, slots=True)
class ClosedSegment:
    """Stretch of speech. Positions count speech-rate samples on the session's audio clock."""

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
    """True if it is nothing but our own speech, come back through the microphone."""


@dataclass(frozen=True, slots=True)
class SpeechStarted:
    """Someone began to speak, or pressed push-to-talk. A `SpeechEnded` follows, always."""

    start_samples: int
    """Start of the segment, pre-roll included."""
    at_samples: int
    """Audio position at which this was known."""


@dataclass(frozen=True, slots=True)
class SpeechEnded:
    """The segment is complete."""

    segment: ClosedSegment | None
    """None when no speech was in it: push-to-talk held in silence, or nothing after a cut."""
    at_samples: int
    """Audio position at which this was known: `speech_end_samples` and the endpoint delay."""


@dataclass(frozen=True, slots=True)
class SpeechPaused:
    """Silence since a moment. Unless speech goes on, exactly this segment will end."""

    segment: ClosedSegment
    """Segment that `SpeechEnded` will bring when the hangover has passed in silence."""


@dataclass(frozen=True, slots=True)
class HangoverPassed:
    """The pause reported last is as long as the hangover, and does not end the segment yet: its
    hangover was extended."""


SegmenterEvent = SpeechStarted | SpeechPaused | HangoverPassed | SpeechEnded
