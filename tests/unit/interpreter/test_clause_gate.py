"""Moment at which committed words are spoken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtc_server.interpreter.clause_gate import ClauseGate
from rtc_server.interpreter.words import untearable

CALM_MS = 2000.0
WORDS = st.sampled_from(["we", "20", "%", "Dr.", "Anna", "Smith", "and", "so,", "done.", "the"])


def taken(words: str, queue_ms: float = CALM_MS, least_words: int = 3) -> str:
    gate = ClauseGate(least_words=least_words)
    gate.add(tuple(words.split()))
    return " ".join(gate.take(queue_ms=queue_ms))


@pytest.mark.parametrize(
    ("words", "clause"),
    [
        ("Good morning, ladies and", "Good morning,"),
        ("Yes. I think", "Yes."),
        ("I think", ""),
        ("the old house stood there and nobody", "the old house stood there"),
        ("he said quite clearly", ""),
        ("one two three four five six", "one two three four five six"),
        ("he met with our Dr. Smith", ""),
        ("we all paid them exactly about 20", "we all paid them exactly about"),
        ("she lives in a part of", ""),
        ("we were there with Anna Maria", ""),
    ],
)
def test_clauses_end_where_a_voice_may_pause(words: str, clause: str) -> None:
    assert taken(words) == clause


def test_a_voice_about_to_fall_silent_takes_fewer_words() -> None:
    assert taken("he said quite", queue_ms=0) == "he said quite"
    assert taken("he said", queue_ms=0) == ""
    assert taken("he said", queue_ms=0, least_words=2) == "he said"
    assert taken("he paid about 20", queue_ms=0) == "he paid about"


def test_the_rest_comes_at_the_end() -> None:
    gate = ClauseGate(least_words=3)
    gate.add(("about", "20"))
    assert gate.take(queue_ms=0) == ()
    assert gate.take_rest() == ("about", "20")
    assert gate.waiting == 0


@given(
    st.lists(WORDS),
    st.integers(1, 5),
    st.booleans(),
)
def test_nothing_is_lost_torn_or_said_twice(words: list[str], least: int, dry: bool) -> None:
    gate = ClauseGate(least_words=least)
    said: list[str] = []
    for word in words:
        gate.add((word,))
        while clause := gate.take(queue_ms=0 if dry else CALM_MS):
            said += clause
            assert not untearable(clause)
    assert [*said, *gate.take_rest()] == words
