"""Detection of an engine that stalls, repeats itself or writes the wrong script. Pure."""

import unicodedata
from collections.abc import Sequence
from enum import StrEnum

from rtc_server.interpreter.words import bare

STALL_MS = 2000
"""Speech without a new word after which an engine counts as stalled."""
_PATIENCE = 2
"""Bad hypotheses in a row after which the engine gets a fresh stretch of audio."""
_REPEATS = {1: 6, 2: 4, 3: 4, 4: 3, 5: 3, 6: 3}
"""Repetitions at the end of a text that are a loop, by the number of words that are repeated."""
_LEAST_LETTERS = 12
_CYRILLIC = frozenset(["be", "bg", "mk", "ru", "uk"])
_NEITHER = frozenset(["ar", "el", "fa", "he", "hi", "hy", "ja", "ka", "ko", "th", "zh", "sr", "kk"])
"""Languages written in other scripts, or in both of these."""


class Fault(StrEnum):
    """Kind of failure of a hypothesis."""

    STALL = "stall"
    """No new words although speech goes on."""
    LOOP = "loop"
    """Words repeated again and again."""
    SCRIPT = "script"
    """Translation in the script of another language."""


class Watchdog:
    """Check of the hypotheses of one stretch of audio."""

    def __init__(self, target_language: str) -> None:
        self._target_language = target_language
        self._most_words = 0
        self._grew_ms = 0
        self._bad = 0

    def judge(
        self,
        heard_ms: int,
        source: Sequence[str],
        target: Sequence[str],
        *,
        is_ahead: bool = False,
    ) -> Fault | None:
        """Return the fault of the hypothesis for the first `heard_ms` of the audio; None if it has
        none.

        Args:
            is_ahead: True if the text is too long for that audio (`SpeakingPace`). Such a text is
                no stall. Its words do not count as known, so they count as new once the audio is
                long enough for them.
        """
        count = len(source) + len(target)
        if count > self._most_words:
            self._grew_ms = heard_ms
            self._most_words = self._most_words if is_ahead else count
        fault = fault_of(source, target, self._target_language)
        self._bad = self._bad + 1 if fault else 0
        if fault is None and heard_ms - self._grew_ms >= STALL_MS:
            return Fault.STALL
        return fault

    @property
    def is_lost(self) -> bool:
        """True if the engine will not recover by itself."""
        return self._bad >= _PATIENCE


def fault_of(source: Sequence[str], target: Sequence[str], language: str) -> Fault | None:
    """Return the fault that the texts alone show: a loop, or a wrong script; else None."""
    if _loops(source) or _loops(target):
        return Fault.LOOP
    return Fault.SCRIPT if _is_foreign(" ".join(target), language) else None


def _loops(words: Sequence[str]) -> bool:
    said = [bare(word) for word in words]
    for size, most in _REPEATS.items():
        end = said[-size:]
        if len(said) >= size * most and said[-size * most :] == end * most:
            return True
    return False


def _is_foreign(text: str, language: str) -> bool:
    """Return whether more than three quarters of the letters are Latin in a language with Cyrillic
    script, or the other way round.

    Names may keep their own script, so some letters of the other one are no fault.
    """
    letters = [char for char in text if char.isalpha()]
    if len(letters) < _LEAST_LETTERS or language in _NEITHER:
        return False
    cyrillic = sum(unicodedata.name(char, "").startswith("CYRILLIC") for char in letters)
    expected = cyrillic if language in _CYRILLIC else len(letters) - cyrillic
    return 4 * expected < len(letters)
