"""The worklets of the WebSocket path in Chromium, fed with exact signals."""

import base64
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.signal
from playwright.async_api import Page

from rtc_server.pcm import SPEECH_RATE, Samples
from tests.support.browser.chromium import visit
from tests.support.browser.scripted_server import scripted_server
from tests.support.signals import join, silence, tone

RATES = (44_100, 48_000, 96_000)
CHUNK = 320
PLAYED_RATE = 48_000
HELPERS = (Path(__file__).parent / "worklets.js").read_text()


@asynccontextmanager
async def worklets() -> AsyncIterator[Page]:
    """A page of the server's, with the helpers at hand."""
    async with scripted_server() as server, visit(server.url) as seen:
        names = HELPERS.replace("export ", "") + "\nObject.assign(window, { encode, play });"
        await seen.page.evaluate(f"() => {{ {names} }}")
        yield seen.page


# ------------------------------------------------------------------------ the encoder


@dataclass(frozen=True)
class Encoded:
    """Messages that the encoder posted."""

    samples: Samples
    sizes: list[int]
    reports: list[dict[str, float]]


async def encode(page: Page, rate: int, *channels: Samples, buffers: int = 1000) -> Encoded:
    """Through an OfflineAudioContext that runs at `rate`."""
    seconds = len(channels[0]) / rate
    wanted = {
        "rate": rate,
        "channels": [as_base64(channel.astype("<f4")) for channel in channels],
        "buffers": buffers,
        "chunks": min(buffers, int(seconds * 50) - 2),
    }
    found = await page.evaluate("wanted => encode(wanted)", wanted)
    pcm = np.frombuffer(base64.b64decode(found["pcm"]), "<i2")
    return Encoded((pcm / 32767).astype(np.float32), found["sizes"], found["reports"])


def as_base64(samples: np.ndarray[Any, Any]) -> str:
    return base64.b64encode(samples.tobytes()).decode()


def db(ratio: float) -> float:
    return 20 * float(np.log10(max(ratio, 1e-12)))


def rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def beside_db(samples: Samples, frequency_hz: float, sample_rate: int) -> float:
    """The strongest component other than the tone, relative to it."""
    window = scipy.signal.windows.blackmanharris(len(samples))
    spectrum = np.abs(np.fft.rfft(samples * window))
    frequencies = np.fft.rfftfreq(len(samples), 1 / sample_rate)
    is_tone = np.abs(frequencies - frequency_hz) < 20
    return db(float(spectrum[~is_tone].max() / spectrum[is_tone].max()))


@pytest.mark.parametrize("rate", RATES)
async def test_a_tone_comes_out_as_it_went_in_and_nothing_else_does(rate: int) -> None:
    async with worklets() as page:
        encoded = await encode(page, rate, tone(1000, 2000, sample_rate=rate))
    assert set(encoded.sizes) == {2 * CHUNK}
    steady = encoded.samples[SPEECH_RATE // 10 : -SPEECH_RATE // 10]
    assert beside_db(steady, 1000, SPEECH_RATE) < -80
    assert abs(db(rms(steady) / (0.5 / np.sqrt(2)))) < 0.05


@pytest.mark.parametrize("rate", RATES)
async def test_a_sweep_is_heard_up_to_7_khz_and_nothing_of_what_is_above_8(rate: int) -> None:
    seconds, peak = 4.0, 0.9
    time_s = np.arange(int(seconds * rate)) / rate
    top_hz = 0.49 * rate
    sweep = peak * scipy.signal.chirp(time_s, 50, seconds, top_hz)
    sweep *= np.minimum(1, (seconds - time_s) / 0.1)  # an abrupt end would hold every frequency
    async with worklets() as page:
        heard = (await encode(page, rate, sweep.astype(np.float32))).samples
    blocks = heard[: len(heard) // 80 * 80].reshape(-1, 80)  # 5 ms each
    levels_db = np.array([db(rms(block) / (peak / np.sqrt(2))) for block in blocks])
    block_hz = 50 + (np.arange(len(blocks)) + 0.5) * 0.005 / seconds * (top_hz - 50)
    edge_hz = 0.02 * top_hz / seconds  # the filter's length blurs the time by this much
    assert np.abs(levels_db[(block_hz > 500) & (block_hz < 7000 - edge_hz)]).max() < 0.5
    assert levels_db[block_hz > 8000 + edge_hz].max() < -60


async def test_channels_are_mixed_and_loud_sound_is_clipped() -> None:
    async with worklets() as page:
        left = tone(500, 1000, sample_rate=PLAYED_RATE)
        mixed = await encode(page, PLAYED_RATE, left, np.zeros_like(left))
        loud = await encode(page, PLAYED_RATE, 4 * left)
    assert abs(db(rms(mixed.samples[1600:-1600]) / (0.25 / np.sqrt(2)))) < 0.05
    assert loud.samples.max() == 1 and loud.samples.min() == -1
    assert np.abs(np.diff(loud.samples)).max() < 0.5  # it does not wrap around


async def test_chunks_that_nobody_takes_are_dropped_and_counted() -> None:
    async with worklets() as page:
        encoded = await encode(
            page, PLAYED_RATE, tone(500, 2100, sample_rate=PLAYED_RATE), buffers=5
        )
    assert len(encoded.sizes) == 5
    assert sum(report["dropped"] for report in encoded.reports) == pytest.approx(95, abs=2)
    assert all(0 <= report["usedShare"] < 1 for report in encoded.reports)


# ------------------------------------------------------------------------ the player

Message = tuple[float, int, int] | tuple[float, str]


@dataclass(frozen=True)
class Played:
    """Output of the player, and its report each second."""

    heard: Samples
    reports: list[dict[str, float]]

    @property
    def begin_s(self) -> float:
        return float(np.flatnonzero(self.heard)[0]) / PLAYED_RATE

    @property
    def steepest(self) -> float:
        return float(np.abs(np.diff(self.heard)).max())


async def play(page: Page, speech: Samples, messages: Sequence[Message], seconds: float) -> Played:
    """At `PLAYED_RATE`, `seconds` of the context's time."""
    wanted = {
        "rate": PLAYED_RATE,
        "pcm": as_base64((speech * 32767).astype("<i2")),
        "messages": [list(message) for message in sorted(messages, key=lambda m: m[0])],
        "seconds": seconds,
    }
    found = await page.evaluate("wanted => play(wanted)", wanted)
    heard = np.frombuffer(base64.b64decode(found["heard"]), "<f4")
    return Played(heard.astype(np.float32), found["reports"])


def arrivals(samples: int, *, start_s: float = 0.1, ppm: float = 0) -> list[tuple[float, int, int]]:
    """A chunk each 20 ms by a clock that runs `ppm` faster."""
    step_s = CHUNK / SPEECH_RATE / (1 + ppm * 1e-6)
    return [(start_s + n * step_s, n * CHUNK, CHUNK) for n in range(samples // CHUNK)]


def steepest_of(frequency_hz: float, peak: float) -> float:
    """The largest step of such a tone, and a little for fading."""
    return peak * 2 * np.pi * frequency_hz / PLAYED_RATE * 1.05 + peak / (0.005 * PLAYED_RATE)


async def test_speech_begins_soon_and_is_all_there() -> None:
    speech = tone(440, 2000)
    async with worklets() as page:
        played = await play(page, speech, [*arrivals(len(speech)), (2.1, "finished")], 3)
    assert played.begin_s - 0.1 < 0.05
    assert np.count_nonzero(np.abs(played.heard) > 1e-4) / PLAYED_RATE == pytest.approx(2, abs=0.02)
    assert played.steepest < steepest_of(440, 0.5)
    assert played.reports[-1]["underruns"] == 0
    middle = played.heard[PLAYED_RATE // 2 : 3 * PLAYED_RATE // 2]
    assert beside_db(middle, 440, PLAYED_RATE) < -60


async def test_no_image_of_a_high_tone_is_heard() -> None:
    speech = tone(6500, 2000)
    async with worklets() as page:
        played = await play(page, speech, arrivals(len(speech)), 2)
    middle = played.heard[PLAYED_RATE // 2 : 3 * PLAYED_RATE // 2]
    assert beside_db(middle, 6500, PLAYED_RATE) < -60


async def test_a_word_that_is_shorter_than_the_buffer_is_heard() -> None:
    word = tone(440, 20)
    async with worklets() as page:
        known = await play(page, word, [(0.1, 0, CHUNK), (0.1, "finished")], 1)
        unknown = await play(page, word, [(0.1, 0, CHUNK)], 1)
    assert known.begin_s < 0.11
    assert unknown.begin_s < 0.16
    assert np.abs(unknown.heard).max() > 0.4


async def test_a_network_that_is_late_again_and_again_is_soon_not_heard_and_then_forgotten() -> (
    None
):
    speech = tone(440, 90_000)
    # For 30 s every second one stall of 120 ms, after which all that was held back comes at once.
    late = [
        (max(at, np.floor(at) + 0.12) if at < 30 else at, first, count)
        for at, first, count in arrivals(len(speech))
    ]
    async with worklets() as page:
        played = await play(page, speech, late, 90)
    underruns = [report["underruns"] for report in played.reports]
    targets_ms = [report["targetMs"] for report in played.reports]
    assert underruns[4] > 0
    assert underruns[-1] == underruns[5]
    assert max(targets_ms) >= 100
    assert targets_ms[-1] < 60
    assert played.reports[-1]["waitingMs"] < 80
    assert played.steepest < steepest_of(440, 0.5)


@pytest.mark.parametrize("ppm", [-300, 300])
async def test_a_clock_that_drifts_is_followed(ppm: float) -> None:
    speech = tone(440, 60_000)
    async with worklets() as page:
        played = await play(page, speech, arrivals(len(speech), ppm=ppm), 60)
    assert played.reports[-1]["underruns"] == 0
    waiting_ms = [report["waitingMs"] for report in played.reports]
    assert min(waiting_ms) > 5 and max(waiting_ms) < 60
    assert abs(np.mean([r["speed"] for r in played.reports[10:]]) - 1 - ppm * 1e-6) < 2e-4
    assert played.steepest < steepest_of(440, 0.5)


async def test_cleared_speech_fades_at_once_and_the_next_is_heard() -> None:
    speech = tone(440, 1000)
    messages = [(0.1, first, count) for _, first, count in arrivals(len(speech))]
    async with worklets() as page:
        played = await play(
            page, speech, [*messages, (0.5, "clear"), *arrivals(3200, start_s=0.8)], 1.5
        )
    gone = played.heard[round(0.52 * PLAYED_RATE) : round(0.8 * PLAYED_RATE)]
    assert not gone.any()
    assert np.abs(played.heard[round(0.85 * PLAYED_RATE) :]).max() > 0.4
    assert played.steepest < steepest_of(440, 0.5)


async def test_who_slept_goes_on_with_the_newest() -> None:
    speech = join(silence(10_000), tone(440, 2000))
    messages = [(0.1, first, count) for _, first, count in arrivals(len(speech))]
    async with worklets() as page:
        played = await play(page, speech, messages, 4)
    assert played.reports[-1]["droppedMs"] == pytest.approx(10_000, abs=20)
    assert np.abs(played.heard[: PLAYED_RATE // 2]).max() > 0.4
