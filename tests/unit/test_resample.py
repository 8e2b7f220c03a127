import numpy as np
import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtc_server.pcm import Samples
from rtc_server.resample import Resampler
from tests.support.signals import join, pieces, tone


def resampled(samples: Samples, source: int, target: int, sizes: list[int]) -> Samples:
    resampler = Resampler(source, target)
    out, at, turn = [], 0, 0
    while at < samples.size:
        size = sizes[turn % len(sizes)]
        out.append(resampler.push(samples[at : at + size]))
        at, turn = at + size, turn + 1
    return join(*out, resampler.flush())


@pytest.mark.parametrize(
    ("source", "target"), [(22050, 48000), (24000, 48000), (48000, 16000), (16000, 48000)]
)
def test_a_tone_stays_the_same_tone(source: int, target: int) -> None:
    out = resampled(tone(440, 1000, sample_rate=source), source, target, [source // 50])
    expected = tone(440, 1000, sample_rate=target)
    assert abs(out.size - expected.size) <= 1
    inside = slice(target // 100, -target // 100)
    error = out[: expected.size][inside] - expected[: out.size][inside]
    assert 10 * np.log10(np.mean(error**2) / np.mean(expected**2)) < -60


@given(st.lists(st.integers(1, 2000), min_size=1, max_size=8))
def test_how_the_stream_is_cut_into_pieces_changes_nothing(sizes: list[int]) -> None:
    signal = tone(300, 200, sample_rate=22050)
    whole = resampled(signal, 22050, 48000, [signal.size])
    np.testing.assert_allclose(resampled(signal, 22050, 48000, sizes), whole, atol=1e-6)


def test_little_is_held_back() -> None:
    resampler = Resampler(48000, 16000)
    given_out = sum(resampler.push(p.samples).size for p in pieces(tone(440, 100), 480))
    assert 1600 / 3 - given_out <= 20  # about 1 ms


def test_flush_ends_one_stream_and_begins_another() -> None:
    resampler = Resampler(22050, 48000)
    signal = tone(440, 100, sample_rate=22050)
    first = join(resampler.push(signal), resampler.flush())
    second = join(resampler.push(signal), resampler.flush())
    np.testing.assert_array_equal(first, second)


def test_equal_rates_and_empty_pieces_pass() -> None:
    signal = tone(440, 20)
    np.testing.assert_array_equal(Resampler(16000, 16000).push(signal), signal)
    assert Resampler(16000, 48000).push(signal[:0]).size == 0
    assert Resampler(16000, 48000).flush().size == 0


def test_a_resampler_has_no_threads() -> None:
    process = psutil.Process()
    before = process.num_threads()
    made = [Resampler(48000, 16000) for _ in range(10)]
    for resampler in made:
        resampler.push(tone(440, 20, sample_rate=48000))
    assert process.num_threads() == before


def test_closing_drops_what_was_held_back() -> None:
    resampler = Resampler(22050, 48000)
    signal = tone(440, 100, sample_rate=22050)
    whole = join(resampler.push(signal), resampler.flush())
    resampler.push(signal[:100])
    resampler.close()
    resampler.close()
    np.testing.assert_array_equal(join(resampler.push(signal), resampler.flush()), whole)
