"""Text that is too long for its audio."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtc_server.interpreter.speaking_pace import SpeakingPace

SENTENCE = ("Where", "is", "the", "nearest", "underground", "station,", "please?")  # 49 characters


def spoken(chars_per_s: float, heard_ms: int) -> tuple[str, ...]:
    """Return what has been said in words of four letters."""
    return ("word",) * int(chars_per_s * heard_ms / 1000 / 5)


def test_a_sentence_that_is_known_before_it_is_said_runs_ahead_until_it_may_be_over() -> None:
    pace = SpeakingPace()
    ahead = [pace.runs_ahead(heard_ms, SENTENCE) for heard_ms in range(600, 3800, 400)]
    assert ahead == [True] * 7 + [False], "49 characters take 3.1 s"


def test_a_long_text_that_is_exchanged_for_another_runs_ahead() -> None:
    pace = SpeakingPace()
    texts = [SENTENCE, SENTENCE[:4], SENTENCE, ()]
    assert [pace.runs_ahead(1000 + 400 * n, text) for n, text in enumerate(texts)] == [
        True,
        False,
        True,
        False,
    ]


@pytest.mark.parametrize("chars_per_s", [17, 20, 24])
def test_who_speaks_fast_is_believed_from_the_second_pass_on(chars_per_s: float) -> None:
    pace = SpeakingPace()
    heard = range(1000, 8000, 400)
    ahead = [pace.runs_ahead(heard_ms, spoken(chars_per_s, heard_ms)) for heard_ms in heard]
    assert not all(ahead[1:3])
    assert sum(ahead) < len(heard) / 2


def said(chars_per_s: float, heard_ms: int) -> list[str]:
    """Return what has been said in words of one to twelve letters."""
    text = "I would like to understand a conversation in an afternoon of the exhibition"
    words = text.split() * 4
    most = chars_per_s * heard_ms / 1000
    return [word for n, word in enumerate(words, 1) if len(" ".join(words[:n])) <= most]


@pytest.mark.parametrize("chars_per_s", [20, 22])
def test_who_speaks_fast_is_believed_in_short_passes_of_no_word_or_a_long_one(
    chars_per_s: float,
) -> None:
    pace = SpeakingPace()
    heard = range(1000, 10_000, 250)
    ahead = [pace.runs_ahead(heard_ms, said(chars_per_s, heard_ms)) for heard_ms in heard]
    assert sum(ahead) < len(heard) / 2


@given(passes=st.lists(st.tuples(st.integers(1, 1000), st.floats(0, 16)), max_size=20))
def test_who_speaks_as_people_do_never_runs_ahead(passes: list[tuple[int, float]]) -> None:
    pace, heard_ms = SpeakingPace(), 0
    for step_ms, chars_per_s in passes:
        heard_ms += step_ms
        assert not pace.runs_ahead(heard_ms, spoken(chars_per_s, heard_ms))
