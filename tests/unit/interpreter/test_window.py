"""Stretches of audio that follow each other, whatever words are in them."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from rtc_server.engines.base import AstResult, AstStatus, Texts, WordTime
from rtc_server.interpreter.modes import PRESETS, Mode
from rtc_server.interpreter.simultaneous import Clause, SimultaneousText
from tests.support.talk import ALIGNED, spelled


@dataclass
class TimedWord:
    """A word and its translation, with the time by which each is known."""

    source: WordTime
    target: WordTime


def timed_talk(words: list[tuple[int, bool, int]]) -> list[TimedWord]:
    """Return words of that many ms each, with or without a full stop, translated with that lag."""
    talk, at_ms, known_ms = [], 0, 0
    for number, (length_ms, is_last, lag_ms) in enumerate(words):
        at_ms += length_ms
        known_ms = max(known_ms, at_ms + lag_ms)
        name = spelled(number) + ("." if is_last else "")
        talk.append(TimedWord(WordTime(f"s{name}", at_ms), WordTime(f"t{name}", known_ms)))
    return talk


def partial_result(
    talk: list[TimedWord], first: tuple[int, int], begin_ms: int, end_ms: int
) -> AstResult:
    """Return the hypothesis of the audio between two moments: words that are known by its end."""
    source = [word.source for word in talk[first[0] :] if word.source.end_ms <= end_ms]
    target = [word.target for word in talk[first[1] :] if word.target.end_ms <= end_ms]
    return AstResult(
        AstStatus.OK,
        " ".join(word.text for word in source),
        " ".join(word.text for word in target),
        words=tuple(WordTime(word.text, word.end_ms - begin_ms) for word in source),
        target_words=tuple(WordTime(word.text, word.end_ms - begin_ms) for word in target),
    )


def words_of(clauses: list[Clause]) -> list[str]:
    return " ".join(clause.text for clause in clauses).split()


def interpret(words: list[tuple[int, bool, int]], steps_ms: list[int], share: float) -> int:
    """Interpret these words and a silence behind them, and check what comes of it.

    Args:
        words: length, end of a sentence and lag of each, as `timed_talk` takes them.
        steps_ms: audio from each pass to the next; the last one is in the silence.
        share: place of a cut within its range, 0 to 1.

    Returns:
        The number of cuts.
    """
    talk, begin_ms, now_ms = timed_talk(words), 0, 0
    silence_ms = max(talk[-1].target.end_ms, sum(steps_ms)) + 1000 - sum(steps_ms)
    text = SimultaneousText(PRESETS[Mode.BALANCED], ALIGNED, "en", Texts())
    source: list[str] = []
    target: list[str] = []
    voiced: list[Clause] = []
    cuts = 0
    for step_ms in [*steps_ms, silence_ms]:
        now_ms += step_ms
        before = text.committed
        text.feed(
            now_ms - begin_ms, partial_result(talk, (len(source), len(target)), begin_ms, now_ms)
        )
        voiced += text.clauses(0.0)
        committed = text.committed
        assert committed.source.startswith(before.source)
        assert committed.target.startswith(before.target)
        cut = text.cut(now_ms - begin_ms)
        if cut is None:
            continue
        cuts += 1
        assert 0 < cut.from_ms <= cut.until_ms <= now_ms - begin_ms
        at_ms = cut.from_ms + round(share * (cut.until_ms - cut.from_ms))
        later = text.split(cut, at_ms)
        voiced += filter(None, [text.rest()])
        source += text.committed.source.split()
        target += text.committed.target.split()
        begin_ms += at_ms
        assert all(word.source.end_ms <= begin_ms for word in talk[: len(source)])
        assert all(word.source.end_ms > begin_ms for word in talk[len(source) :])
        both = [*text.committed.target.split(), *later.committed.target.split()]
        assert both == committed.target.split()
        text = later
    # The last word of an open stretch might go on; its end is known when the audio ends.
    assert [*source, *text.committed.source.split()] == [word.source.text for word in talk[:-1]]
    assert [*target, *text.committed.target.split()] == [word.target.text for word in talk[:-1]]
    end = partial_result(talk, (len(source), len(target)), begin_ms, now_ms)
    text.finish(now_ms - begin_ms, end)
    source += text.committed.source.split()
    target += text.committed.target.split()
    voiced += filter(None, [text.rest()])
    assert source == [word.source.text for word in talk]
    assert target == [word.target.text for word in talk]
    assert words_of(voiced) == target
    return cuts


@given(
    words=st.lists(
        st.tuples(st.integers(150, 900), st.booleans(), st.integers(0, 800)), min_size=20
    ),
    steps_ms=st.lists(st.integers(400, 1000), min_size=20, max_size=60),
    share=st.floats(0, 1),
)
def test_stretches_lose_nothing_and_say_nothing_twice(
    words: list[tuple[int, bool, int]], steps_ms: list[int], share: float
) -> None:
    interpret(words, steps_ms, share)


def test_a_stretch_ends_with_each_sentence() -> None:
    sentence = [(300, number == 7, 100) for number in range(8)]
    # The third has its last word open to the end.
    assert interpret(3 * sentence, [500] * 15, 0.5) == 2


def test_a_long_stretch_ends_before_its_sentence() -> None:
    words = [(300, False, 0)] * 30
    assert interpret(words, [500] * 18, 0.5) >= 1
