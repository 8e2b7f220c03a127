"""Captions of one segment: revisions, what is stable, and the append-only transcript."""

from dataclasses import dataclass, field
from typing import NamedTuple

from rtc_server.engines.base import AstResult, AstStatus, Texts
from rtc_server.events.segment_events import (
    CaptionHint,
    SegmentEvent,
    SegmentStatus,
    SourceCaption,
    TargetCaption,
)
from rtc_server.interpreter.recent_passes import SPAN_MS, RecentPasses
from rtc_server.interpreter.speaking_pace import SpeakingPace


class _Hypothesis(NamedTuple):
    """Text that one pass of the engine had for the segment."""

    text: str
    reliable_chars: int
    """Characters at its beginning with which another pass may agree."""


@dataclass(frozen=True, slots=True)
class Direction:
    """Languages of an interpretation, and the voice."""

    source: str
    """Language that is spoken."""
    target: str
    """Language of the translation."""
    voice: str | None = None
    """Voice of the synthesis; None takes the language's default."""


@dataclass(slots=True)
class SegmentCaptions:
    """Captions of one segment: their revisions, and the part of the text that is stable.

    A partial is stable as far as it agrees with all passes since one at least `SPAN_MS` before it,
    without the last word and what the engine itself marks as open. What was stable stays: a later
    pass that contradicts it is not shown.

    A text that is too long for its audio (`SpeakingPace`) is shown, but no pass can agree with it.
    That applies to engines with word times, too: times are not requested for captions alone.
    """

    segment_id: str
    """Unique in the session."""
    direction: Direction
    """Languages that were set when the segment began."""
    start_ms: int
    """Start of the segment on the session's audio clock."""
    _pace: SpeakingPace = field(default_factory=SpeakingPace, init=False)
    _rev: int = field(default=0, init=False)
    _text: str = field(default="", init=False)
    _passes: RecentPasses[_Hypothesis] = field(default_factory=RecentPasses, init=False)
    _stable: str = field(default="", init=False)
    _reported: tuple[Texts, Texts] = field(default=(Texts(), Texts()), init=False)

    @property
    def shown(self) -> bool:
        """True once a caption of it was sent."""
        return self._rev > 0

    def partial(self, text: str, end_ms: int, open_chars: int = 0) -> SegmentEvent | None:
        """Return the event for a new partial; None if it adds nothing, or contradicts what is
        stable.

        `open_chars`: length of the end of the text that the engine marks as likely to change.
        """
        is_ahead = self._pace.runs_ahead(end_ms - self.start_ms, text.split())
        reliable_chars = 0 if is_ahead else len(text) - open_chars
        agreed = self._agreed(end_ms, _Hypothesis(text, reliable_chars))
        grew = len(agreed) > len(self._stable) and agreed.startswith(self._stable)
        if grew:
            self._stable = agreed
        same = text == self._text
        self._text = text
        if not text.startswith(self._stable) or (same and not grew):
            return None
        return self._event(SegmentStatus.PARTIAL, text, "", end_ms, stable_chars=len(self._stable))

    def hypothesis(self, shown: Texts, committed: Texts, end_ms: int) -> SegmentEvent | None:
        """Return the event for texts that begin with the committed ones; None if nothing is new."""
        news = (shown, committed)
        if news == self._reported:
            return None
        self._reported = news
        return self._event(
            SegmentStatus.PARTIAL,
            shown.source,
            shown.target,
            end_ms,
            stable_chars=len(committed.source),
            stable_target_chars=len(committed.target),
        )

    def final(self, result: AstResult, end_ms: int) -> SegmentEvent:
        """Return the event for the engine's answer."""
        if result.status is AstStatus.NOT_UNDERSTOOD:
            hints = tuple(CaptionHint(h.source, h.target) for h in result.hints)
            return self._event(SegmentStatus.NOT_UNDERSTOOD, "", "", end_ms, hints=hints)
        return self._event(SegmentStatus.FINAL, result.source_text, result.target_text, end_ms)

    def failed(
        self, message: str, end_ms: int, result: AstResult | None = None, *, code: str = ""
    ) -> SegmentEvent:
        """Return the event for a failure; texts that were already final stay."""
        source, target = (result.source_text, result.target_text) if result else ("", "")
        return self._event(SegmentStatus.FAILED, source, target, end_ms, message=message, code=code)

    def _agreed(self, end_ms: int, latest: _Hypothesis) -> str:
        """Return what the passes of the last `SPAN_MS` have in common with the latest."""
        before = self._passes.add(end_ms, latest)
        if before is None or end_ms - before.heard_ms < SPAN_MS:
            return ""
        passes = [each.found for each in self._passes]
        common = min(len(_common_words(each.text, latest.text)) for each in passes)
        return latest.text[: min(common, *(each.reliable_chars for each in passes))].rstrip()

    def _event(
        self,
        status: SegmentStatus,
        source: str,
        target: str,
        end_ms: int,
        *,
        stable_chars: int | None = None,
        stable_target_chars: int | None = None,
        hints: tuple[CaptionHint, ...] = (),
        message: str = "",
        code: str = "",
    ) -> SegmentEvent:
        self._rev += 1
        stable = len(source) if stable_chars is None else stable_chars
        target_stable = len(target) if stable_target_chars is None else stable_target_chars
        return SegmentEvent(
            segment_id=self.segment_id,
            rev=self._rev,
            final=status is not SegmentStatus.PARTIAL,
            status=status,
            source=SourceCaption(self.direction.source, source, stable, self.start_ms, end_ms),
            target=TargetCaption(self.direction.target, target, target_stable),
            hints=hints,
            message=message,
            code=code,
        )


def _common_words(one: str, other: str) -> str:
    """Return the longest common beginning after which both texts go on with another word.

    The last word of a text does not count even if both have it: an engine that has received half of
    the next word tends to guess it.
    """
    size = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        size += 1
    while size and not all(text[size : size + 1] == " " for text in (one, other)):
        size -= 1
    return one[:size]


class DeltaTranscript:
    """Final texts joined into the append-only deltas of the public API."""

    def __init__(self) -> None:
        self._begun = False

    def delta(self, text: str) -> str:
        """Return `text` as it is to be appended: with a space before it unless it is the first."""
        begun, self._begun = self._begun, True
        return f" {text}" if begun else text
