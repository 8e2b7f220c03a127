"""Modes of interpreting: points of one curve between early and right."""

from dataclasses import dataclass
from enum import StrEnum

from rtc_server.engines.base import AstCapabilities
from rtc_server.interpreter.backlog import BacklogRules
from rtc_server.interpreter.commit_policy import Agreement, Attention, CommitPolicy


class Mode(StrEnum):
    """Time at which speech is translated."""

    FAST = "fast"
    """Translation during speech, as early as possible."""
    BALANCED = "balanced"
    """Translation during speech."""
    ACCURATE = "accurate"
    """Translation during speech, with more of it received."""
    CONSECUTIVE = "consecutive"
    """Translation after the end of a segment."""


@dataclass(frozen=True, slots=True)
class Preset:
    """Settings of a mode."""

    passes: int
    """Hypotheses in a row that must agree, of an engine without times for its words."""
    held_words: int
    """Words withheld at the end of what they agree on."""
    frontier_ms: int
    """Newest audio on which no committed word may rest, of an engine with times."""
    least_words: int
    """Committed words that are spoken when the voice is about to fall silent."""
    least_interval_ms: int
    """Least time between two passes."""
    backlog: BacklogRules = BacklogRules(  # noqa: RUF009 (frozen)
        calm_ms=300.0, fastest_ms=2000.0, tempo_step=0.05, keeps_pace=True, drop_ms=5000.0
    )
    """Rules by which it catches up."""


PRESETS = {
    Mode.FAST: Preset(2, 0, 240, least_words=2, least_interval_ms=400),
    Mode.BALANCED: Preset(2, 1, 400, least_words=3, least_interval_ms=400),
    Mode.ACCURATE: Preset(3, 1, 800, least_words=4, least_interval_ms=600),
}
MOST_INTERVAL_MS = 1000
"""Most time between two passes, however busy the engine is."""
CONSECUTIVE_BACKLOG = BacklogRules()
"""A text is a whole segment: up to 15 s, of several sentences, and a pause is heard behind it. So
each may have the tempo that the queue asks for. By 0.05 from one to the next, a voice 1.2 times as
long would need 75 s to reach 1.25, and fall 7.5 s behind until then."""


def possible(mode: Mode, engine: AstCapabilities) -> Mode:
    """Return the mode that an engine can work in: the one asked for, or consecutive."""
    return mode if engine.partials and engine.target_partials else Mode.CONSECUTIVE


def commit_policies(preset: Preset, engine: AstCapabilities) -> tuple[CommitPolicy, CommitPolicy]:
    """Return policies for both languages of one stretch of audio, the language spoken first: by
    attention where the engine says when words were spoken, else by agreement."""
    return (
        _commit_policy(preset, has_times=engine.word_times),
        _commit_policy(preset, has_times=engine.alignment),
    )


def _commit_policy(preset: Preset, *, has_times: bool) -> CommitPolicy:
    if has_times:
        return Attention(frontier_ms=preset.frontier_ms)
    return Agreement(passes=preset.passes, held_words=preset.held_words)
