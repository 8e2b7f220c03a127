from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rtc_server.audio.endpointer import (
    MAX_BACKDATE_SAMPLES,
    ONSET_GAP_SAMPLES,
    Background,
    Endpointer,
    Window,
    quietest,
)
from tests.support.signals import add_noise, english, join, noise, silence, tone

SIZE = 512


def endpointer(min_speech_samples: int = 3 * SIZE, hangover_samples: int = 10 * SIZE) -> Endpointer:
    return Endpointer(
        threshold=0.5, hangover_samples=hangover_samples, min_speech_samples=min_speech_samples
    )


def window(
    index: int, probability: float, *, audible: bool = True, concealed: bool = False
) -> Window:
    start, end = index * SIZE, (index + 1) * SIZE
    return Window(start, end, probability, end if audible else None, -20.0, concealed)


def run(speech: Endpointer, probabilities: list[float]) -> list[bool]:
    states = []
    for index, probability in enumerate(probabilities):
        speech.step(window(index, probability))
        states.append(speech.in_speech)
    return states


def test_speech_begins_when_enough_was_heard() -> None:
    speech = endpointer()
    assert run(speech, [0.1, 0.9, 0.9, 0.9]) == [False, False, False, True]
    assert speech.onset_samples == SIZE


def test_it_goes_on_below_the_threshold_but_not_far_below() -> None:
    states = run(endpointer(), [0.9] * 3 + [0.4] * 30 + [0.3] * 10)
    assert states == [False] * 2 + [True] * 40 + [False]


def test_a_pause_shorter_than_the_hangover_does_not_end_it() -> None:
    states = run(endpointer(), [0.9] * 3 + [0.0] * 9 + [0.9] + [0.0] * 9)
    assert all(states[2:])


def test_a_click_is_not_speech_nor_are_two_far_apart() -> None:
    gap = [0.0] * (ONSET_GAP_SAMPLES // SIZE + 1)
    assert not any(run(endpointer(), [0.9, 0.9, *gap, 0.9, 0.9]))


def test_concealed_sound_does_not_begin_speech_but_carries_it_on() -> None:
    speech = endpointer(hangover_samples=2 * SIZE)
    for index in range(10):
        speech.step(window(index, 0.9, concealed=True))
    assert not speech.in_speech
    for index in range(10, 13):
        speech.step(window(index, 0.9))
    for index in range(13, 20):
        speech.step(window(index, 0.9, concealed=True))
    assert speech.in_speech


def test_the_hangover_counts_from_the_last_audible_sample() -> None:
    speech = endpointer(hangover_samples=4 * SIZE)
    run(speech, [0.9] * 5)
    for index in (5, 6):  # the VAD still reports speech, the sound has ended
        speech.step(window(index, 0.9, audible=False))
    assert speech.speech_end_samples == 5 * SIZE
    assert speech.voice_end_samples == 7 * SIZE
    speech.step(window(7, 0.1, audible=False))
    assert speech.in_speech
    speech.step(window(8, 0.1, audible=False))
    assert not speech.in_speech


def test_it_never_ends_while_the_vad_says_speech_and_trusts_it_after_a_while() -> None:
    speech = endpointer(hangover_samples=2 * SIZE)
    run(speech, [0.9] * 5)
    for index in range(5, 40):
        speech.step(window(index, 0.9, audible=False))
        assert speech.in_speech
    assert speech.speech_end_samples == 40 * SIZE - MAX_BACKDATE_SAMPLES


def test_a_low_threshold_still_ends() -> None:
    speech = Endpointer(threshold=0.05, hangover_samples=SIZE, min_speech_samples=0)
    assert run(speech, [0.9, 0.0]) == [True, False]


@given(st.lists(st.floats(0, 1), max_size=200))
def test_it_begins_only_with_speech_and_ends_only_in_silence(probabilities: list[float]) -> None:
    speech = endpointer()
    states = run(speech, probabilities)
    for index, (before, now) in enumerate(pairwise([False, *states])):
        if now and not before:
            assert probabilities[index] >= 0.5
        if before and not now:
            assert max(probabilities[index - 9 : index + 1]) < 0.5
    assert speech.speech_end_samples <= speech.voice_end_samples <= len(probabilities) * SIZE


def ends(background: Background, samples: np.ndarray) -> list[int | None]:
    return [
        background.measure(row)[1]
        for row in samples[: len(samples) // SIZE * SIZE].reshape(-1, SIZE)
    ]


def test_sound_stands_out_of_silence_and_of_steady_noise() -> None:
    for background_db in (-90.0, -60.0, -45.0):
        sound = join(silence(512), tone(300, 320, peak=0.3), silence(512))
        signal = sound + noise(len(sound) / 16, level_db=background_db)
        heard = ends(Background(), signal)
        assert heard[:16] == [None] * 16
        assert None not in heard[16:26]
        assert heard[26:] == [None] * 16


def test_a_microphone_that_is_unmuted_has_its_background_learnt() -> None:
    heard = ends(Background(), join(silence(3000), noise(6000, level_db=-55)))
    assert heard[-30:] == [None] * 30


def test_the_end_within_a_window_is_found() -> None:
    signal = join(silence(64), tone(1000, 40), silence(56))
    assert ends(Background(), signal) == [None, None, SIZE, 128, None]


def test_speech_does_not_become_background() -> None:
    speech = english("the train leaves at seven thirty")
    signal = add_noise(join(speech, speech, speech, silence(300)), snr_db=20)
    heard = ends(Background(), signal)
    voiced = heard[: 3 * speech.size // SIZE]
    assert np.mean([end is not None for end in voiced]) > 0.7
    assert heard[-5:] == [None] * 5


def test_the_level_is_in_db_full_scale() -> None:
    level_db, _ = Background().measure(tone(1000, 32, peak=1.0))
    assert abs(level_db - -3.01) < 0.01


def test_the_best_cut_is_a_pause_not_a_stop_and_the_later_of_two() -> None:
    probabilities = [0.9, 0.9, 0.1, 0.9, 0.9, 0.1, 0.1, 0.1, 0.9, 0.1, 0.1, 0.1, 0.9]
    windows = [window(index, p) for index, p in enumerate(probabilities)]
    assert quietest(windows).start_samples == 10 * SIZE
