"""The own-voice guard on real voices, in rooms of loudspeaker, reflections and noise."""

from functools import cache
from itertools import product

import numpy as np
import pytest
import scipy

from rtc_server.audio.own_voice import NOBODY, Judgement, OwnVoice
from rtc_server.engines.base import EngineOptions, TtsRequest
from rtc_server.engines.espeak.engine import create
from rtc_server.pcm import PLAYOUT_FRAME_SAMPLES, PLAYOUT_RATE, SPEECH_RATE, Samples
from rtc_server.resample import Resampler
from tests.support.espeak_sentences import SENTENCES
from tests.support.signals import english, noise, russian

STEP = SPEECH_RATE // 50
NOTICED_AFTER = SPEECH_RATE * 3 // 10
"""Length of speech after which the segmenter notices it."""
PREROLL = SPEECH_RATE * 3 // 10
BEFORE_MS = 1000
"""Time from the beginning to the first sound that is played."""
DELAYS_MS = (20, 150, 400, 800)
LANGUAGES = ("en", "ru", "fr")
"""Languages of the played speech."""


@cache
def translation(language: str) -> Samples:
    """Return played speech: eSpeak NG at 48 kHz, as the interpreter resamples it."""
    engine = create(EngineOptions())
    request = TtsRequest(SENTENCES[language], language, None)
    speech = np.concatenate(list(engine.synthesize(request)))
    resampler = Resampler(engine.capabilities.sample_rate, PLAYOUT_RATE)
    return np.concatenate((resampler.push(speech), resampler.flush()))


@cache
def people() -> tuple[Samples, ...]:
    """Return voices of other synthesizers, in two languages."""
    return (
        english("please call a taxi for tomorrow morning", "slt"),
        english("thank you very much", "rms"),
        english("two coffees and a cold beer please", "awb"),
        russian("где находится вокзал"),
        russian("вызовите такси на завтра пожалуйста"),
    )


def loud(samples: Samples, level_db: float) -> Samples:
    """Return the sound with its audible parts at that level."""
    audible = samples[np.abs(samples) > 0.01 * np.abs(samples).max()]
    gain = 10 ** (level_db / 20) / float(np.sqrt(np.mean(np.square(audible))))
    return (samples * gain).astype(np.float32)


def echo(language: str, delay_ms: int, level_db: float, seed: int) -> Samples:
    """Return the translation as a microphone receives it: a small loudspeaker, and a room."""
    rng = np.random.default_rng(seed)
    at_16 = Resampler(PLAYOUT_RATE, SPEECH_RATE).push(translation(language))
    size = round(rng.uniform(0.1, 0.4) * SPEECH_RATE)
    room = 0.12 * rng.standard_normal(size) * np.exp(-6.9 * np.arange(size) / size)
    room[0] = 1.0
    room[rng.integers(20, 800, 6)] += rng.uniform(-0.5, 0.5, 6)
    edges = (rng.uniform(150, 400), rng.uniform(3500, 7000))
    sos = scipy.signal.butter(2, edges, "band", fs=SPEECH_RATE, output="sos")
    heard = scipy.signal.sosfilt(sos, np.convolve(at_16, room).astype(np.float64))
    late = np.zeros(delay_ms * SPEECH_RATE // 1000, np.float32)
    return np.concatenate((late, loud(heard.astype(np.float32), level_db)))


def judged(
    language: str,
    *sounds: tuple[Samples, int],
    noise_db: float = -68.0,
    seed: int = 0,
    block_frames: int = 1,
    chunk_frames: int = 1,
    late_frames: int = 0,
    always: bool = False,
) -> Judgement:
    """Return the guard's judgement of these sounds, each that many ms after playing began, in
    noise. So many frames are played at once, and so many received; every other time those come
    late. The guard attends when speech is noticed, or `always`.
    """
    begin = BEFORE_MS * SPEECH_RATE // 1000
    placed = [(samples, begin + ms * SPEECH_RATE // 1000) for samples, ms in sounds]
    end = max(at + samples.size for samples, at in placed)
    mic = noise((end + SPEECH_RATE) * 1000 / SPEECH_RATE, level_db=noise_db, seed=seed)
    for samples, at in placed:
        mic[at : at + samples.size] += samples
    guard = OwnVoice()
    frames = translation(language)
    frames = frames[: frames.size // PLAYOUT_FRAME_SAMPLES * PLAYOUT_FRAME_SAMPLES]
    waiting = list(frames.reshape(-1, PLAYOUT_FRAME_SAMPLES))
    first = min(at + int(np.flatnonzero(np.abs(samples) > 0)[0]) for samples, at in placed)
    position = 0
    for row in range(mic.size // STEP):
        if always or position >= first + NOTICED_AFTER:
            guard.attend(0 if always else first - PREROLL)
        chunk = position // STEP // chunk_frames
        if row + 1 >= (chunk + 1) * chunk_frames + chunk % 2 * late_frames:
            start, position = position, position + chunk_frames * STEP
            for at in range(start, position, STEP):
                guard.received(mic[at : at + STEP], at)
        if row % block_frames == 0:
            for _ in range(block_frames):
                playing = row * STEP >= begin and waiting
                guard.played(waiting.pop(0) if playing else None, position)
    return guard.judge(first - PREROLL, end)


@pytest.mark.parametrize("delay_ms", DELAYS_MS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_what_we_played_is_known_whatever_its_delay_and_level(language: str, delay_ms: int) -> None:
    for seed, level_db in enumerate((-15.0, -30.0, -45.0)):
        found = judged(language, (echo(language, delay_ms, level_db, seed), 0))
        assert found.is_own_voice, (level_db, found)
        assert abs(found.delay_ms - delay_ms) <= 60


@pytest.mark.parametrize("block_frames", [1, 10])
@pytest.mark.parametrize(("chunk_frames", "late_frames"), [(1, 0), (5, 0), (10, 0), (10, 8)])
def test_what_comes_and_goes_in_blocks_is_known_too(
    block_frames: int, chunk_frames: int, late_frames: int
) -> None:
    for language in LANGUAGES:
        found = judged(
            language,
            (echo(language, 400, -30.0, 0), 0),
            block_frames=block_frames,
            chunk_frames=chunk_frames,
            late_frames=late_frames,
        )
        assert found.is_own_voice, (language, found)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_guard_that_rested_knows_as_much_as_one_that_did_not(language: str) -> None:
    back = echo(language, 400, -30.0, 0)
    back[: translation(language).size * SPEECH_RATE // PLAYOUT_RATE // 2] = 0.0  # muted
    for sounds in ((back, 0),), ((loud(people()[0], -25.0), 1500),):
        rested, always = judged(language, *sounds), judged(language, *sounds, always=True)
        assert rested.alike == pytest.approx(
            always.alike, abs=1e-6
        )  # float32, summed in another order
        assert (rested.delay_ms, rested.person_ms) == (always.delay_ms, always.person_ms)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_person_who_speaks_while_we_do_is_never_taken_for_us(language: str) -> None:
    for person, after_ms in product(people(), (0, 700, 1500)):
        found = judged(language, (loud(person, -25.0), after_ms))
        assert not found.is_own_voice, found


@pytest.mark.parametrize("above_db", [20, 10, 6, 3, 0])
def test_a_person_who_speaks_over_our_echo_is_heard(above_db: int) -> None:
    for number, person in enumerate(people()):
        language = LANGUAGES[number % len(LANGUAGES)]
        delay_ms = DELAYS_MS[number % len(DELAYS_MS)]
        found = judged(
            language,
            (echo(language, delay_ms, -30.0, number), 0),
            (loud(person, -30.0 + above_db), 200 + 300 * number),
        )
        assert not found.is_own_voice, (number, found)


def test_a_person_after_us_is_no_echo() -> None:
    for person in people():
        after_ms = translation("en").size * 1000 // PLAYOUT_RATE + 300
        assert not judged("en", (loud(person, -25.0), after_ms)).is_own_voice


def test_in_silence_there_is_nothing_to_come_back() -> None:
    guard = OwnVoice()
    speech = people()[0]
    for at in range(0, speech.size - STEP, STEP):
        guard.received(speech[at : at + STEP], at)
        guard.played(None, at + STEP)
    assert guard.judge(0, speech.size) is NOBODY


def test_a_stretch_too_short_to_tell_belongs_to_a_person() -> None:
    guard = OwnVoice()
    tone = np.ones(PLAYOUT_FRAME_SAMPLES, np.float32)
    for row in range(100):
        guard.received(np.ones(STEP, np.float32), row * STEP)
        guard.played(tone, (row + 1) * STEP)
    assert guard.judge(90 * STEP, 100 * STEP) is NOBODY
