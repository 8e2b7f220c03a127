"""Interpreter: languages, mode, partial captions and playout."""

from dataclasses import dataclass

from rtc_server.options import option


@dataclass(frozen=True, slots=True)
class InterpreterSettings:
    """Defaults of a new session."""

    source: str = option("ru", "language spoken, unless a call says otherwise")
    target: str = option("en", "language to translate into, unless a call says otherwise")
    mode: str = option(
        "balanced",
        "when speech is translated, unless a call says otherwise: while the person speaks (fast, "
        "balanced, accurate), if the engine can, or after a segment (consecutive)",
        choices=("fast", "balanced", "accurate", "consecutive"),
    )
    partial_interval_ms: int = option(
        250, "shortest time between two partial captions of a segment, in ms", low=50, high=5000
    )
    max_playout_s: float = option(
        30.0, "seconds of translated speech that may wait to be heard", low=2, high=600
    )
    own_voice_guard: bool = option(
        True, "whether translated speech that a microphone picks up again is left untranslated"
    )
