"""Segmenter over a detector of loudness, and its events for a signal."""

from rtc_server.config import SegmenterSettings
from rtc_server.interpreter.segments import ClosedSegment, SegmenterEvent, SpeechEnded
from rtc_server.interpreter.speech_segmenter import SpeechSegmenter
from rtc_server.pcm import Samples
from tests.support.fakes import LoudnessVad
from tests.support.signals import pieces, tone

SETTINGS = SegmenterSettings()
MS = 16
"""Samples in a millisecond."""


def segmenter(settings: SegmenterSettings = SETTINGS) -> SpeechSegmenter:
    return SpeechSegmenter(LoudnessVad(), settings)


def hear(
    ears: SpeechSegmenter, samples: Samples, size: int = 320, start: int = 0
) -> list[SegmenterEvent]:
    events: list[SegmenterEvent] = []
    for pcm in pieces(samples, size, start):
        events += ears.feed(pcm)
    return events


def segments(events: list[SegmenterEvent]) -> list[ClosedSegment]:
    return [e.segment for e in events if isinstance(e, SpeechEnded) and e.segment]


def voice(duration_ms: float) -> Samples:
    return tone(200, duration_ms)
