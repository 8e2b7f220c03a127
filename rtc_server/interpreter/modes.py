"""Modes of interpreting: trade-offs between early and right. Their figures are in `PRESETS`."""

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
    """Translation during speech, after more of it was received."""
    CONSECUTIVE = "consecutive"
    """Translation after the end of a segment."""


@dataclass(frozen=True, slots=True)
class Preset:
    """Figures of a mode in which speech is translated while it is spoken."""

    passes: int
    """For an engine without word times: number of hypotheses in a row that must agree."""
    held_words: int
    """For the same: words withheld at the end of what they agree on."""
    frontier_ms: int
    """For an engine with word times: newest audio, of which no word is committed."""
    least_words: int
    """Fewest committed words that are spoken when the voice is about to fall silent."""
    least_interval_ms: int
    """Shortest time between two passes; longer when the engine is busy (`PassPacing`)."""
    backlog: BacklogRules = BacklogRules(  # noqa: RUF009 (frozen)
        calm_ms=300.0, fastest_ms=2000.0, tempo_step=0.05, keeps_pace=True, drop_ms=5000.0
    )
    """Rules by which the voice keeps near the speaker."""


PRESETS = {
    Mode.FAST: Preset(2, 0, 240, least_words=2, least_interval_ms=400),
    Mode.BALANCED: Preset(2, 1, 400, least_words=3, least_interval_ms=400),
    Mode.ACCURATE: Preset(3, 1, 800, least_words=4, least_interval_ms=600),
}
MOST_INTERVAL_MS = 1000
"""Longest time between two passes, however busy the engine is."""
CONSECUTIVE_BACKLOG = BacklogRules()
"""Rules of ``consecutive``, where each text is a whole segment of up to 15 s with a pause after it.
So the tempo may change at once to what the queue needs. In steps of 0.05, a voice that takes 1.2
times as long would need 75 s to reach 1.25, and fall 7.5 s behind until then."""


def possible(mode: Mode, engine: AstCapabilities) -> Mode:
    """Return the mode that an engine can work in: the one asked for, or consecutive."""
    return mode if engine.partials and engine.target_partials else Mode.CONSECUTIVE


def commit_policies(preset: Preset, engine: AstCapabilities) -> tuple[CommitPolicy, CommitPolicy]:
    """Return the policies for one stretch of audio, for the source text and the translation:
    `Attention` if the engine has times for the words of that text, else `Agreement`."""
    return (
        _commit_policy(preset, has_times=engine.word_times),
        _commit_policy(preset, has_times=engine.alignment),
    )


def _commit_policy(preset: Preset, *, has_times: bool) -> CommitPolicy:
    if has_times:
        return Attention(frontier_ms=preset.frontier_ms)
    return Agreement(passes=preset.passes, held_words=preset.held_words)
