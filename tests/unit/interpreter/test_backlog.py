"""Rules that keep the voice near the speaker."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtc_server.interpreter.backlog import (
    FASTEST,
    LEAST_GAIN_MS,
    Backlog,
    BacklogRules,
    longest_pause_ms,
)
from rtc_server.interpreter.modes import PRESETS, Mode

SIMULTANEOUS = PRESETS[Mode.BALANCED].backlog
GAP_MS = 100
"""Between two sentences, at any tempo."""


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


@given(
    st.sampled_from([SIMULTANEOUS, BacklogRules()]),
    st.floats(0, 20_000),
    st.floats(1.0, FASTEST),
    st.lists(st.tuples(st.floats(1.0, FASTEST), st.floats(50, 10_000))),
)
def test_sentences_that_wait_become_faster_by_small_steps(
    rules: BacklogRules, ahead_ms: float, before: float, waiting: list[tuple[float, float]]
) -> None:
    tempos, lengths_ms = [each[0] for each in waiting], [each[1] for each in waiting]
    after = Backlog(rules).raised(before, tempos, lengths_ms, ahead_ms)
    for one, (tempo, length_ms), new in zip([before, *after], waiting, after, strict=False):
        assert tempo <= new <= FASTEST
        if new > tempo:
            assert new - one <= rules.tempo_step + 1e-9
            assert length_ms * (1 - tempo / new) >= LEAST_GAIN_MS


def test_a_sentence_that_waits_alone_keeps_its_tempo() -> None:
    assert Backlog(BacklogRules()).raised(1.0, [1.0], [20_000.0], 0.0) == [1.0]
    assert Backlog(BacklogRules()).raised(1.0, [1.0], [20_000.0], 2500.0) == [1.125]


def test_what_follows_has_at_least_the_tempo_of_a_sentence_that_was_stretched() -> None:
    backlog = Backlog(SIMULTANEOUS)
    backlog.follow(1.1)
    assert backlog.tempo(5000, begins_sentence=False) == 1.1
    assert backlog.tempo(5000, begins_sentence=True) == pytest.approx(1.15)


def queues(sentences: list[tuple[float, float]]) -> tuple[list[float], list[float]]:
    """Speech that waits at the end of each sentence, and its tempo; (ms, how much longer the voice
    takes) of each."""
    backlog, queue_ms, said_s = Backlog(SIMULTANEOUS), 0.0, 0.0
    waited, tempos = [], []
    for length_ms, longer in sentences:
        tempo = backlog.tempo(queue_ms, begins_sentence=True, said_s=said_s)
        voice_ms = length_ms * longer / tempo
        backlog.spoke(voice_ms)
        queue_ms = max(0.0, queue_ms + voice_ms + GAP_MS - length_ms)
        said_s += length_ms / 1000
        waited.append(queue_ms)
        tempos.append(tempo)
    return waited, tempos


@given(st.lists(st.tuples(st.integers(2500, 4000), st.integers(80, 120)), min_size=5, max_size=20))
def test_a_voice_up_to_a_fifth_longer_is_kept_up_with(sentences: list[tuple[int, int]]) -> None:
    waited, _ = queues([(length_ms, percent / 100) for length_ms, percent in sentences])
    assert max(waited) < 3000


def test_the_tempo_follows_the_lengths_before_the_queue_has_grown() -> None:
    waited, tempos = queues([(3000.0, 1.2)] * 1200)
    assert tempos[:5] == pytest.approx([1.0, 1.05, 1.1, 1.15, 1.2])
    assert max(waited) < 2500
    assert waited[-1] == pytest.approx(waited[600], abs=50)


def test_a_voice_that_falls_silent_takes_its_time_again() -> None:
    backlog = Backlog(SIMULTANEOUS)
    assert backlog.tempo(0, begins_sentence=True, said_s=0) == 1.0
    backlog.spoke(6000)
    assert backlog.tempo(300, begins_sentence=True, said_s=3) == pytest.approx(1.05)
    backlog.spoke(3000)
    assert backlog.tempo(0, begins_sentence=True, said_s=60) == pytest.approx(1.0)


def test_what_was_spoken_in_another_mode_says_nothing_about_the_pace() -> None:
    backlog = Backlog(BacklogRules())
    backlog.tempo(0, begins_sentence=True, said_s=1000)
    backlog.spoke(60_000)
    backlog.rules = SIMULTANEOUS
    for sentence, tempo in enumerate((1.0, 1.05, 1.1)):
        said_s = 1010 + 3 * sentence
        assert backlog.tempo(200, begins_sentence=True, said_s=said_s) == pytest.approx(tempo)
        backlog.spoke(3600 / tempo)


def test_pauses_are_shorter_in_a_hurry() -> None:
    assert longest_pause_ms(0) > longest_pause_ms(1500) == 120
