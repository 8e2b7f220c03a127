"""Segmenter: detection of speech, and what ends a segment."""

from dataclasses import dataclass

from rtc_server.options import option


@dataclass(frozen=True, slots=True)
class SegmenterSettings:
    """Settings of endpointing: the start and end of speech."""

    vad: str = option("silero", "voice activity detector", choices=("silero", "webrtc"))
    vad_threshold: float = option(
        0.5, "speech probability at which speech begins", low=0.05, high=0.95
    )
    hangover_ms: int = option(300, "silence that ends a segment, in ms", low=100, high=3000)
    preroll_ms: int = option(
        300, "audio from before the detected start that a segment keeps, in ms", low=0, high=1000
    )
    min_speech_ms: int = option(
        90, "sounds shorter than this, in ms, do not count as speech", low=0, high=1000
    )
    max_segment_s: float = option(
        15.0, "longest segment in seconds; it is cut at a quiet moment before that", low=3, high=35
    )
