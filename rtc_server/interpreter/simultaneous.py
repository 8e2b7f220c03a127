"""Text of one stretch of speech that is translated while it is spoken. Pure.

Hypotheses go in. Committed words for the captions, clauses for the voice, and the position at which
this stretch may end and the next one begin come out.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from rtc_server.engines.base import AstCapabilities, AstResult, Texts, WordTime
from rtc_server.interpreter.clause_gate import ClauseGate
from rtc_server.interpreter.commit_policy import CommittedText, Hypothesis
from rtc_server.interpreter.modes import MOST_INTERVAL_MS, Preset, commit_policies
from rtc_server.interpreter.speaking_pace import SpeakingPace
from rtc_server.interpreter.watchdog import Fault, Watchdog, fault_of
from rtc_server.interpreter.window import Cut, Pause, cut_at_pause, cut_by_time
from rtc_server.interpreter.words import ends_clause, ends_sentence


@dataclass(frozen=True, slots=True)
class Clause:
    """Committed words of the translation that are spoken together."""

    text: str
    """Words as they are written in the caption."""
    start_char: int
    """Start of the clause in the segment's translation."""
    begins_sentence: bool
    """True if the tempo may change before it."""
    first_ms: int
    """Position in the stretch of the audio that its first word translates."""
    last_ms: int
    """The same for its last word."""


@dataclass(frozen=True, slots=True)
class News:
    """Text that a hypothesis has committed."""

    source: str
    """Newly committed words of the source text, without spaces at the ends."""
    target: str
    """The same for the translation."""
    fault: Fault | None = None
    """Fault of the hypothesis. With `STALL` its words may be committed all the same."""
    is_lost: bool = False
    """True if the engine needs a fresh stretch of audio."""


class SimultaneousText:
    """Source text and translation of one stretch of audio. Times count from its beginning."""

    def __init__(
        self, preset: Preset, engine: AstCapabilities, target_language: str, context: Texts
    ) -> None:
        """`context`: text of the sentence before."""
        self.context = context
        """Text of the sentence before, as context for the engine."""
        self._preset, self._engine = preset, engine
        self._language = target_language
        self._source, self._target = map(CommittedText, commit_policies(preset, engine))
        self._gate = ClauseGate(least_words=preset.least_words)
        self._watchdog = Watchdog(target_language)
        self._pace = SpeakingPace()
        self._pauses: list[Pause] = []
        self._spoken_words = 0
        """Words of the translation that left the gate."""
        self._begins_sentence = True

    @property
    def committed(self) -> Texts:
        """Both texts, as far as they are committed."""
        return Texts(" ".join(self._source.words), " ".join(self._target.words))

    @property
    def fixed(self) -> Texts:
        """Committed words that stay in this caption: a cut cannot move them to the next one."""
        source, target = self._source.words, self._target.words
        said, meant = len(source), len(target)
        if self._engine.word_times:
            said, meant = _first_sentence(source), _first_sentence(target)
        for pause in self._pauses:
            said, meant = min(said, len(pause.source)), min(meant, len(pause.target))
        return Texts(" ".join(source[:said]), " ".join(target[:meant]))

    @property
    def shown(self) -> Texts:
        """Both texts: committed words, and those of the tails that are likely to stay.

        The last word of a translation is not shown: the next pass usually changes it.
        """
        target = self._target
        before_last = len(target.words) + max(0, len(target.tail) - 1)
        return Texts(" ".join(self._source.shown), " ".join(target.shown[:before_last]))

    @property
    def has_waiting(self) -> bool:
        """True while committed words wait to be spoken."""
        return self._gate.waiting > 0

    def feed(self, heard_ms: int, result: AstResult, offset_ms: int = 0) -> News:
        """Take a hypothesis for the first `heard_ms` of the audio; return what it commits.

        Args:
            offset_ms: start of the result's audio in this stretch.
        """
        source = _hypothesis(result.source_text, result.words, offset_ms, result.open_chars)
        target = _hypothesis(result.target_text, result.target_words, offset_ms)
        words = source.words or target.words
        is_ahead = not self._engine.word_times and self._pace.runs_ahead(heard_ms, words)
        fault = self._watchdog.judge(heard_ms, source.words, target.words, is_ahead=is_ahead)
        if fault in (Fault.LOOP, Fault.SCRIPT):
            return News("", "", fault, self._watchdog.is_lost)
        if is_ahead:
            return News("", "", fault, fault is Fault.STALL)
        said = self._source.feed(heard_ms, source)
        meant = self._target.feed(heard_ms, target)
        self._gate.add(meant)
        return News(" ".join(said), " ".join(meant), fault, fault is Fault.STALL)

    def pause(self, at_ms: int, result: AstResult) -> None:
        """Keep the text before a pause, as a place for a cut, if a clause ends there."""
        source, target = result.source_text.split(), result.target_text.split()
        if target and ends_clause(target[-1]):
            self._pauses.append(Pause(at_ms, tuple(source), tuple(target)))

    def finish(self, heard_ms: int, result: AstResult) -> News:
        """Take the text of the whole audio, or of all before a long pause, and commit all of it."""
        source, target = tuple(result.source_text.split()), tuple(result.target_text.split())
        fault = fault_of(source, target, self._language)
        if fault is not None:
            source, target = self._source.words, self._target.words
        said = self._source.finish(heard_ms, source)
        meant = self._target.finish(heard_ms, target)
        self._gate.add(meant)
        return News(" ".join(said), " ".join(meant), fault)

    # ---------------------------------------------------------------- the voice

    def clauses(self, queue_ms: float) -> Iterator[Clause]:
        """Yield the clauses that are due, while `queue_ms` of speech waits."""
        while words := self._gate.take(queue_ms=queue_ms):
            yield self._clause(words)
            queue_ms += 1000.0  # after this clause the voice is not about to fall silent

    def rest(self) -> Clause | None:
        """Return the rest as a clause, at the end of the segment or in a long pause."""
        words = self._gate.take_rest()
        clause = self._clause(words) if words else None
        self._begins_sentence = True
        return clause

    def _clause(self, words: tuple[str, ...]) -> Clause:
        first = self._spoken_words
        self._spoken_words = last = first + len(words)
        start_char = len(" ".join(self._target.words[:first])) + (first > 0)
        begins, self._begins_sentence = self._begins_sentence, ends_sentence(words[-1])
        times = self._target.ends_ms
        return Clause(" ".join(words), start_char, begins, times[first], times[last - 1])

    def silence(self) -> None:
        """Drop what waits to be spoken."""
        self._spoken_words += len(self._gate.take_rest())

    # ---------------------------------------------------------------- the stretch

    def cut(self, heard_ms: int) -> Cut | None:
        """Return the cut at which this stretch may end; None while there is none."""
        cut = None
        if self._engine.word_times:
            has_alignment = self._engine.alignment
            cut = cut_by_time(self._source, self._target, heard_ms, has_alignment=has_alignment)
        return cut or cut_at_pause(self._source, self._target, self._pauses)

    def fresh(self) -> "SimultaneousText":
        """Return the text of a next stretch that takes nothing from this one."""
        return SimultaneousText(self._preset, self._engine, self._language, Texts())

    def split(self, cut: Cut, at_ms: int) -> "SimultaneousText":
        """End this stretch at `at_ms`, inside `cut`; return the text of the one that begins there,
        with the committed words after the cut.
        """
        context = Texts(
            " ".join(_last_sentence(self._source.words[: cut.source_words])),
            " ".join(_last_sentence(self._target.words[: cut.target_words])),
        )
        later = SimultaneousText(self._preset, self._engine, self._language, context)
        later._source.begin_with(*self._source.split(cut.source_words, at_ms))
        words, ends_ms = self._target.split(cut.target_words, at_ms)
        later._target.begin_with(words, ends_ms)
        # Words that have left the gate are spoken with this stretch, the others with the next.
        waiting = self._gate.take_back(min(len(words), self._gate.waiting))
        later._gate.add(waiting)
        later._spoken_words = len(words) - len(waiting)
        later._begins_sentence = ends_sentence(self._target.words[-1])
        return later


class PassPacing:
    """Interval between two passes over one speaker's audio: twice the time of the last answer,
    within the bounds of the mode.

    The languages of a room share one object, and request passes in rounds, because an engine
    encodes the same audio only once for several languages. A language whose answer is still under
    way joins the next round.
    """

    def __init__(self, preset: Preset) -> None:
        self._least_ms = preset.least_interval_ms
        self._round_ms = 0
        self.interval_ms = self._least_ms
        """Audio from the request of one pass to that of the next."""

    def is_due(self, now_ms: int, asked_ms: int) -> bool:
        """Return whether to request a pass now, and begin a round if so.

        Args:
            now_ms: length of the audio received so far.
            asked_ms: the same at the last pass, or at the start of the stretch.
        """
        if now_ms == self._round_ms:
            return now_ms - asked_ms >= self._least_ms
        if now_ms - max(asked_ms, self._round_ms) < self.interval_ms:
            return False
        self._round_ms = now_ms
        return True

    def answered(self, took_ms: float) -> None:
        """Note how long a pass took, including its wait."""
        self.interval_ms = round(min(max(2 * took_ms, self._least_ms), MOST_INTERVAL_MS))


def _hypothesis(
    text: str, times: tuple[WordTime, ...], offset_ms: int, open_chars: int = 0
) -> Hypothesis:
    words = tuple(text.split())
    ends_ms = tuple(time.end_ms + offset_ms for time in times)
    if len(ends_ms) != len(words):
        ends_ms = ()
    closed = text[: len(text) - open_chars].split() if open_chars else words
    return Hypothesis(words, ends_ms, len(words) - len(closed))


def _first_sentence(words: tuple[str, ...]) -> int:
    """Return the number of words in the first sentence; all words if it does not end."""
    return next((n for n, word in enumerate(words, 1) if ends_sentence(word)), len(words))


def _last_sentence(words: tuple[str, ...]) -> tuple[str, ...]:
    begins = [n for n, word in enumerate(words[:-1], 1) if ends_sentence(word)]
    return words[begins[-1] :] if begins else words
