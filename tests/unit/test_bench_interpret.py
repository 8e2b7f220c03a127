"""Oracles of the interpreting bench on tones, and the bench's judgement of a voice."""

import numpy as np
import pytest

from bench import oracle, phrases, talks
from bench.harness import split_arguments
from bench.interpret import Figures, judge_voice, pauses
from models.fixture.phrases import PHRASES
from rtc_server.engines.base import AstRequest, EngineOptions
from rtc_server.interpreter.watchdog import STALL_MS, Fault, Watchdog
from rtc_server.pcm import PLAYOUT_FRAME_SAMPLES, SPEECH_RATE, Samples

WORD_S = 0.25


def tones(numbers: range) -> Samples:
    """Return words as the bench says them, without a voice."""
    t = np.arange(round(WORD_S * SPEECH_RATE)) / SPEECH_RATE
    gap = np.zeros(SPEECH_RATE // 20)
    parts = [
        part
        for number in numbers
        for part in (
            0.06 * np.sin(2 * np.pi * (oracle.PILOT_HZ + oracle.PILOT_STEP_HZ * number) * t),
            gap,
        )
    ]
    return np.concatenate(parts).astype(np.float32)


def passes(name: str, *, partial: bool, most: int = 24) -> list[tuple[list[str], list[str]]]:
    """Return both texts of a growing number of words."""
    engine: oracle.Oracle = getattr(oracle, name)(EngineOptions())
    answers = [
        engine.translate([AstRequest(tones(range(16, end)), "en", "ru", partial)])[0]
        for end in range(20, most)
    ]
    return [(each.source_text.split(), each.target_text.split()) for each in answers]


def right(end: int) -> list[str]:
    return [oracle.written(number, "ru") for number in range(16, end)]


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bench.oracle.time.sleep", lambda _seconds: None)


@pytest.mark.parametrize("name", oracle.ENGINES)
def test_every_oracle_knows_what_was_said_when_it_is_over(name: str) -> None:
    assert [target for _, target in passes(name, partial=False)] == [
        right(end) for end in range(20, 24)
    ]


@pytest.mark.parametrize(
    ("name", "fault"),
    [("stalling", Fault.STALL), ("looping", Fault.LOOP), ("echoing", Fault.SCRIPT)],
)
def test_an_oracle_that_goes_astray_is_noticed(name: str, fault: Fault) -> None:
    watchdog = Watchdog("ru")
    faults = [
        watchdog.judge(STALL_MS * index // 3, *texts)
        for index, texts in enumerate(passes(name, partial=True))
    ]
    assert faults[0] is None, "the word at which it goes astray has not been said"
    assert faults[-1] is fault


def test_an_oracle_takes_back_its_last_words() -> None:
    before, *lost = [target for _, target in passes("revising", partial=True)]
    assert before[:-1] == right(19), "the last word is not known to be whole"
    for end, target in enumerate(lost, 21):
        assert target[:-2] == right(end)[:-2]
        assert not set(target[-2:]) & set(right(end))
    assert len({target[-1] for target in lost}) == len(lost)


def test_silences_between_words_are_pauses() -> None:
    at_s = [0.0, 0.25, 0.75, 1.0, 2.0]
    silences = pauses(list(enumerate(at_s)))
    assert silences == pytest.approx([1.0 - oracle.WORD_S])


def test_options_of_the_server_stand_behind_two_dashes() -> None:
    own = ["list", "--modes", "fast"]
    assert split_arguments([*own, "--", "--ast", "a"]) == (own, ["--ast", "a"])
    assert split_arguments(own) == (own, [])


def test_the_words_of_the_phrases_have_tones_of_their_own() -> None:
    words = phrases.translated_words()
    assert [phrases.number_of(word) for word in words] == list(range(len(words)))
    assert len(words) <= oracle.WORDS
    assert phrases.number_of("помочь?") == words.index("помочь")
    assert phrases.number_of("слово") is None


def test_a_word_of_a_translation_is_due_with_its_share_of_the_phrase() -> None:
    speech = talks.phrases(8.0)
    words = PHRASES[0][1].split()
    assert speech.written[: len(words)] == words
    assert speech.firsts[:2] == [0, len(words)]
    assert len(speech.bounds) == len(speech.written)
    start, end = speech.bounds[0][0], speech.bounds[len(words) - 1][1]
    behind = speech.bounds[len(words)][0]
    assert not speech.audio[:start].any() and not speech.audio[end:behind].any(), "pauses"
    assert np.abs(speech.audio[[start, end - 1]]).min() > 0, "speech from end to end"
    assert speech.bounds[0][1] == speech.bounds[1][0]


def test_what_a_voice_says_of_the_phrases_is_found_again() -> None:
    speech = talks.phrases(8.0)
    count = len(speech.written)
    heard = [(number, float(number)) for number in range(count)]
    heard.insert(2, (oracle.WORDS, 1.5))
    figures = Figures(words=count)
    sent_at_s = [0.02 * frame for frame in range(len(speech.audio) // PLAYOUT_FRAME_SAMPLES + 1)]
    judge_voice(figures, speech, sent_at_s, heard)
    assert (figures.lost, figures.again) == (0, 1), "a word that is none of theirs is wrong"
    assert len(figures.ear_voice_s) == count
