"""Pauses of synthesized speech."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rtc_server.audio.pauses import BLOCK_SAMPLES, PauseTrimmer
from rtc_server.pcm import PLAYOUT_RATE, Samples


def speech(*parts: tuple[int, float]) -> Samples:
    """Return a sound of some milliseconds at each level."""
    return np.concatenate(
        [np.full(ms * PLAYOUT_RATE // 1000, level, np.float32) for ms, level in parts]
    )


def trimmed(
    samples: Samples, longest_ms: int, chunk: int = 1000, trailing_ms: int = 120
) -> Samples:
    trimmer = PauseTrimmer(longest_ms)
    parts = [trimmer.push(samples[at : at + chunk]) for at in range(0, samples.size, chunk)]
    return np.concatenate([*parts, trimmer.flush(trailing_ms)])


def test_long_pauses_become_short_and_short_ones_stay() -> None:
    heard = trimmed(speech((100, 0.3), (400, 0.0), (100, 0.3), (80, 0.0), (100, 0.3)), 120)
    assert abs(heard.size - (100 + 120 + 100 + 80 + 100) * 48) <= 2 * BLOCK_SAMPLES


def test_little_silence_stays_before_the_first_sound() -> None:
    heard = trimmed(speech((300, 0.0), (100, 0.3)), 120)
    assert np.flatnonzero(heard)[0] <= 35 * 48


def test_silence_at_the_end_stays_as_far_as_it_is_wanted() -> None:
    source = speech((100, 0.3), (250, 0.0), (100, 0.3), (250, 0.0))
    for trailing_ms in (0, 40, 120):
        heard = trimmed(source, 120, trailing_ms=trailing_ms)
        assert abs(heard.size - (100 + 120 + 100 + trailing_ms) * 48) <= BLOCK_SAMPLES


@given(st.lists(st.tuples(st.integers(1, 300), st.sampled_from([0.0, 0.3]))), st.integers(50, 5000))
def test_sound_is_never_taken_away(parts: list[tuple[int, float]], chunk: int) -> None:
    whole = speech((1, 0.3), *parts)
    heard = trimmed(whole, 120, chunk)
    assert np.count_nonzero(heard) == np.count_nonzero(whole)
