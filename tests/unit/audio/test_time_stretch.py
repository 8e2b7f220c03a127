"""Shortening of waiting speech at its own pitch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtc_server.audio.time_stretch import MOST_SKIP, TimeStretch
from rtc_server.engines.base import EngineOptions, TtsRequest
from rtc_server.engines.espeak.engine import create as create_espeak
from rtc_server.pcm import PLAYOUT_RATE, Samples
from rtc_server.resample import Resampler
from tests.support.signals import tone

TEMPOS = (1.05, 1.1, 1.15, 1.2, 1.25)
QUIET = 0.02
"""Share of the power below which a band does not count."""


def stretched(samples: Samples, tempo: float) -> Samples:
    stretch = TimeStretch(tempo)
    return np.concatenate([stretch.push(samples), stretch.flush()])


def speech() -> Samples:
    voice = create_espeak(EngineOptions())
    resampler = Resampler(voice.capabilities.sample_rate, PLAYOUT_RATE)
    text = "The station is behind the river, and the morning train has left already."
    chunks = [resampler.push(chunk) for chunk in voice.synthesize(TtsRequest(text, "en"))]
    return np.concatenate([*chunks, resampler.flush()])


def level_db(samples: Samples) -> float:
    return 10 * float(np.log10(np.mean(samples.astype(np.float64) ** 2)))


def loudest_hz(samples: Samples) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(samples.size), samples.size * 4))
    return float(np.argmax(spectrum)) * PLAYOUT_RATE / (samples.size * 4)


def bands(samples: Samples) -> Samples:
    """Return the power in bands of 100 Hz up to 4 kHz, as shares of the total."""
    power = np.abs(np.fft.rfft(samples)) ** 2 / samples.size**2
    hz = np.fft.rfftfreq(samples.size, 1 / PLAYOUT_RATE)
    edges = np.arange(0, 4001, 100)
    each = np.array([power[(hz >= a) & (hz < a + 100)].sum() for a in edges[:-1]])
    shares: Samples = each / each.sum()
    return shares


@pytest.mark.parametrize("tempo", TEMPOS)
@pytest.mark.parametrize("hz", [80, 147, 220, 440, 1000, 3000])
def test_a_tone_keeps_its_pitch_and_its_level_without_a_click(hz: int, tempo: float) -> None:
    source = tone(hz, 2000, sample_rate=PLAYOUT_RATE)
    result = stretched(source, tempo)
    assert result.size == pytest.approx(source.size / tempo, rel=0.01)
    assert loudest_hz(result) == pytest.approx(hz, rel=0.01)
    assert level_db(result) == pytest.approx(level_db(source), abs=0.5)
    assert np.abs(np.diff(result)).max() <= np.abs(np.diff(source)).max() * 1.01


@pytest.mark.parametrize("tempo", TEMPOS)
def test_speech_keeps_its_level_and_its_sound_without_a_click(tempo: float) -> None:
    source = speech()
    result = stretched(source, tempo)
    assert result.size == pytest.approx(source.size / tempo, rel=0.01)
    assert level_db(result) == pytest.approx(level_db(source), abs=0.5)
    assert np.abs(np.diff(result)).max() <= np.abs(np.diff(source)).max()
    before, after = bands(source), bands(result)
    loud = before > QUIET
    assert np.abs(10 * np.log10(after[loud] / before[loud])).max() < 1.5


def test_noise_loses_less_than_half_a_decibel() -> None:
    source = np.random.default_rng(1).normal(0, 0.1, 2 * PLAYOUT_RATE).astype(np.float32)
    result = stretched(source, 1.25)
    assert level_db(result) == pytest.approx(level_db(source), abs=0.5)
    assert result.size == pytest.approx(source.size / 1.25, rel=0.01)


def test_silence_stays_silence() -> None:
    result = stretched(np.zeros(PLAYOUT_RATE, np.float32), 1.25)
    assert not result.any()
    assert result.size == pytest.approx(PLAYOUT_RATE / 1.25, rel=0.02)


@settings(max_examples=30)
@given(
    st.lists(st.integers(1, 9000), min_size=1, max_size=30),
    st.floats(1.0, 1.25),
    st.integers(0, 2**32 - 1),
)
def test_the_result_does_not_depend_on_the_pieces(
    sizes: list[int], tempo: float, seed: int
) -> None:
    noise = np.random.default_rng(seed).normal(0, 0.1, sum(sizes)).astype(np.float32)
    stretch = TimeStretch(tempo)
    pieces = [stretch.push(piece) for piece in np.split(noise, np.cumsum(sizes)[:-1])]
    result = np.concatenate([*pieces, stretch.flush()])
    np.testing.assert_array_equal(result, stretched(noise, tempo))
    assert noise.size / tempo - MOST_SKIP <= result.size <= noise.size


def test_clauses_of_a_sentence_share_what_is_left_out() -> None:
    stretch = TimeStretch(1.2)
    clause = speech()[: PLAYOUT_RATE // 2]
    total = sum(stretch.push(clause).size + stretch.flush().size for _ in range(20))
    assert total == pytest.approx(20 * clause.size / 1.2, rel=0.01)
