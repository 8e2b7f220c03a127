"""Speech at a common level."""

import numpy as np
import pytest

from rtc_server.engines.loudness import MOST_GAIN_DB, SPEECH_DBFS, leveled
from rtc_server.pcm import Samples

RANDOM = np.random.default_rng(0)
PAUSE = np.zeros(8000, np.float32)


def speech(level_dbfs: float) -> Samples:
    """Noise of that level between pauses."""
    noise = RANDOM.standard_normal(16_000) * 10 ** (level_dbfs / 20)
    return np.concatenate([PAUSE, noise.astype(np.float32), PAUSE])


def level_dbfs(samples: Samples) -> float:
    return float(10 * np.log10(np.mean(np.square(samples[8000:24_000], dtype=np.float64))))


@pytest.mark.parametrize("level", [-50.0, -35.0, -23.0, -14.0])
def test_the_loud_part_comes_to_the_common_level_whatever_the_pauses(level: float) -> None:
    made = leveled(speech(level))
    assert made.dtype == np.float32
    assert level_dbfs(made) == pytest.approx(SPEECH_DBFS, abs=0.5)


def test_a_constant_offset_is_gone() -> None:
    made = leveled(speech(-30.0) + np.float32(0.2))
    assert abs(float(made.mean())) < 1e-4
    assert level_dbfs(made) == pytest.approx(SPEECH_DBFS, abs=0.5)


def test_what_is_nearly_silent_is_raised_no_further_than_speech_would_be() -> None:
    made = leveled(speech(-90.0))
    assert level_dbfs(made) == pytest.approx(-90.0 + MOST_GAIN_DB, abs=0.5)


def test_no_peak_is_clipped() -> None:
    samples = speech(-40.0)
    samples[12_000] = 0.9
    assert float(np.max(np.abs(leveled(samples)))) <= 1.0


@pytest.mark.parametrize("samples", [np.zeros(1600, np.float32), np.ones(1, np.float32)])
def test_silence_stays_silence(samples: Samples) -> None:
    assert not leveled(samples).any()
