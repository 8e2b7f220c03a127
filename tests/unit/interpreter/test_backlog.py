"""How the voice keeps near the speaker."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtc_server.interpreter.backlog import (
    FASTEST,
    Backlog,
    BacklogRules,
    longest_pause_ms,
)

SIMULTANEOUS = BacklogRules(calm_ms=1000, fastest_ms=3000, tempo_step=0.05, drop_ms=5000)


def test_a_whole_sentence_takes_the_tempo_that_the_queue_asks_for() -> None:
    backlog = Backlog(BacklogRules())
    tempos = [backlog.tempo(ms, begins_sentence=True) for ms in (0, 1000, 2500, 4000, 60_000, 0)]
    assert tempos == pytest.approx([1.0, 1.0, 1.125, 1.25, 1.25, 1.0])


@given(st.lists(st.tuples(st.floats(0, 20_000), st.booleans())))
def test_the_tempo_changes_between_sentences_and_by_small_steps(
    clauses: list[tuple[float, bool]],
) -> None:
    backlog = Backlog(SIMULTANEOUS)
    tempos = [1.0] + [backlog.tempo(ms, begins_sentence=begins) for ms, begins in clauses]
    for (before, after), (_, begins) in zip(pairwise(tempos), clauses, strict=True):
        assert abs(after - before) <= 0.05 + 1e-9
        assert begins or after == before
        assert 1.0 <= after <= FASTEST


def test_pauses_are_shorter_in_a_hurry() -> None:
    assert longest_pause_ms(0) > longest_pause_ms(1500) == 120
