"""Babble of the bench of Whisper: clips of both languages in each sum."""

import numpy as np

from bench.recognise_people import at_once


def test_six_neighbours_are_summed_and_none_is_used_twice() -> None:
    clips = np.zeros((24, 48), np.float32)
    for number, clip in enumerate(clips):  # each has a place of its own
        clip[2 * number : 2 * number + 2] = 0.1, -0.1
    sums = at_once(list(clips))
    assert len(sums) == 4
    for place, samples in enumerate(sums):
        assert np.flatnonzero(samples).tolist() == [*range(12 * place, 12 * place + 12)]
