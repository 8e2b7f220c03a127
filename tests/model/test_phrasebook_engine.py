"""The phrasebook engine on synthetic speech. `bench/phrasebook` has the full figures."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from bench.phrasebook import sets, voices
from bench.phrasebook.voices import Voice
from rtc_phrasebook.book import LANGUAGES, load
from rtc_phrasebook.engine import create
from rtc_phrasebook.network import Vocabularies
from rtc_phrasebook.recognizer import PhraseRecognizer
from rtc_server.engines.base import Ast, AstRequest, AstResult, AstStatus, EngineOptions
from rtc_server.errors import EngineUnavailable
from rtc_server.pcm import SPEECH_RATE, Samples
from tests.support.signals import english, russian

ROOM = np.zeros(SPEECH_RATE * 3 // 10, np.float32)
FLITE = Voice("flite slt", "en", "flite", "slt")
FESTIVAL = Voice("festival msu", "ru", "festival", "msu_ru_nsh_clunits")
ESPEAK_EN = Voice("espeak", "en", "espeak", "en-us")
ESPEAK_RU = Voice("espeak", "ru", "espeak", "ru")
ENGLISH = {
    "Where is the train station?": "Где находится вокзал?",
    "The train leaves at seven thirty.": "Поезд отправляется в семь тридцать.",
    "Two coffees, please.": "Два кофе, пожалуйста.",
    "How much does it cost?": "Сколько это стоит?",
    "I don't understand.": "Я не понимаю.",
    "My name is Anna.": "Меня зовут Анна.",
    "It costs twenty five dollars.": "Это стоит двадцать пять долларов.",
    "Do you speak Russian?": "Вы говорите по-русски?",
}
RUSSIAN = {
    "Где находится вокзал?": "Where is the train station?",
    "Поезд отправляется в половине восьмого.": "The train leaves at 7:30.",
    "Два кофе, пожалуйста.": "Two coffees, please.",
    "Сколько это стоит?": "How much does it cost?",
    "Я не понимаю.": "I don't understand.",
    "Большое спасибо.": "Thank you very much.",
    "Как вас зовут?": "What is your name?",
    "Вы говорите по-английски?": "Do you speak English?",
}
STRANGE = {
    "en": [
        "The committee postponed its decision until further notice.",
        "Good soldiers follow orders.",
        "My brother keeps three rabbits behind the garage.",
    ],
    "ru": [
        "Две собаки лаяли на луну.",
        "Мой брат держит трёх кроликов за гаражом.",
        "Комитет отложил решение до следующего заседания.",
    ],
}


@cache
def engine() -> Ast:
    """Loaded once for all tests."""
    loaded = create(EngineOptions())
    loaded.warm_up()
    return loaded


def segments(texts: Sequence[str], voice: Voice) -> list[Samples]:
    """Speech with the room around it that the listener leaves."""
    match voice:
        case Voice(engine="flite"):
            spoken = [english(text, voice.voice) for text in texts]
        case Voice(engine="festival"):
            spoken = [russian(text) for text in texts]
        case _:
            spoken = voices.speak(texts, voice)
    return [np.concatenate([ROOM, samples, ROOM]) for samples in spoken]


def ask(samples: Samples, language: str, *, partial: bool = False) -> AstResult:
    other = "ru" if language == "en" else "en"
    (result,) = engine().translate([AstRequest(samples, language, other, partial)])
    return result


@pytest.mark.parametrize(
    ("voice", "meanings", "least"),
    [(ESPEAK_EN, ENGLISH, 7), (FLITE, ENGLISH, 7), (ESPEAK_RU, RUSSIAN, 8), (FESTIVAL, RUSSIAN, 5)],
    ids=lambda value: value.name if isinstance(value, Voice) else "",
)
def test_phrases_are_understood(voice: Voice, meanings: dict[str, str], least: int) -> None:
    results = [ask(one, voice.language) for one in segments(list(meanings), voice)]
    right = [
        one.target_text == meant for one, meant in zip(results, meanings.values(), strict=True)
    ]
    assert sum(right) >= least, results
    assert all(one.source_text for one in results if one.status is AstStatus.OK)


@pytest.mark.parametrize("voice", [ESPEAK_EN, FLITE, ESPEAK_RU, FESTIVAL], ids=lambda v: v.name)
def test_what_is_not_in_the_book_gets_neither_a_translation_nor_a_far_hint(voice: Voice) -> None:
    for samples in segments(STRANGE[voice.language], voice):
        result = ask(samples, voice.language)
        assert result.status is AstStatus.NOT_UNDERSTOOD
        assert (result.source_text, result.target_text) == ("", "")
        assert result.hints == ()


def test_what_is_near_a_phrase_gets_it_as_a_hint() -> None:
    (samples,) = segments(["Where is the old train station?"], ESPEAK_EN)
    result = ask(samples, "en")
    assert result.status is AstStatus.NOT_UNDERSTOOD
    near = "Where is the train station?", "Где находится вокзал?"
    assert near in {(hint.source, hint.target) for hint in result.hints}


@pytest.mark.parametrize("voice", [ESPEAK_EN, FLITE], ids=lambda v: v.name)
def test_a_word_that_sounds_like_a_phrase_is_none(voice: Voice) -> None:
    five, fire = (ask(one, "en") for one in segments(["Five.", "Fire."], voice))
    assert five.status is AstStatus.NOT_UNDERSTOOD
    assert fire.target_text == "Пожар."


def test_sounds_that_are_not_speech_are_not_understood() -> None:
    for kind, made in sets.sounds(77, 3, seconds=2.0).items():
        for samples in made:
            for language in ("en", "ru"):
                result = ask(samples, language)
                assert result.status is AstStatus.NOT_UNDERSTOOD, kind
                assert kind != "silence" or result.hints == ()


def test_partial_captions_grow_to_the_phrase() -> None:
    (samples,) = segments(["Where is the train station?"], ESPEAK_EN)
    seen = [
        ask(samples[:end], "en", partial=True)
        for end in range(SPEECH_RATE // 4, len(samples) + 1, SPEECH_RATE // 4)
    ]
    assert all(one.status is AstStatus.OK and one.target_text == "" for one in seen)
    texts = [one.source_text for one in seen]
    assert "Where is the train" in texts
    assert texts[-1] == "Where is the train station"


def test_what_others_said_before_changes_nothing() -> None:
    book = load()
    recognizer = PhraseRecognizer(book, {one: Vocabularies(book, one) for one in LANGUAGES})
    calm, other = segments(["Two coffees, please.", "Where is the train station?"], FLITE)
    first = recognizer.understand(calm, "en")
    recognizer.understand(voices.with_noise(other, 10, seed=1), "en")
    recognizer.words_so_far(other[: SPEECH_RATE // 2], "en")
    assert recognizer.understand(calm, "en") == first


def test_a_batch_keeps_its_order_and_directions() -> None:
    (in_english,) = segments(["Two coffees, please."], ESPEAK_EN)
    (in_russian,) = segments(["Большое спасибо."], ESPEAK_RU)
    results = engine().translate(
        [
            AstRequest(in_english, "en", "ru"),
            AstRequest(in_russian, "ru", "en"),
            AstRequest(np.zeros(1, np.float32), "ru", "en"),
            AstRequest(np.zeros(1, np.float32), "en", "ru", partial=True),
        ]
    )
    assert [one.target_text for one in results] == [
        "Два кофе, пожалуйста.", "Thank you very much.", "", "",
    ]  # fmt: skip
    assert results[2].status is AstStatus.NOT_UNDERSTOOD
    assert len(engine().capabilities.pairs) == 2


def test_own_phrases_are_understood(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        '[topic.work]\ntitle = { en = "Work", ru = "Работа" }\nphrases = [\n'
        '  { en = "The borscht is ready.", ru = "Борщ готов." },\n]\n',
        encoding="utf-8",
    )
    mine = create(EngineOptions(own={"phrasebook": (str(own),)}))
    (samples,) = segments(["The borscht is ready."], ESPEAK_EN)
    (result,) = mine.translate([AstRequest(samples, "en", "ru")])
    assert result.target_text == "Борщ готов."


def test_a_bad_book_names_file_and_line(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text("[topic.work]\nphrases = []\n", encoding="utf-8")
    with pytest.raises(EngineUnavailable, match=r"own\.toml, line 1: .*needs title"):
        create(EngineOptions(own={"phrasebook": (str(own),)}))


def test_a_phrase_with_a_constant_offset_is_understood() -> None:
    said, meant = next(iter(ENGLISH.items()))
    samples = np.concatenate([ROOM, english(said), ROOM])
    for partial in (False, True):
        plain, shifted = (
            engine().translate([AstRequest(samples + np.float32(offset), "en", "ru", partial)])[0]
            for offset in (0.0, 0.2)
        )
        assert shifted == plain
        assert plain.source_text
        assert partial or plain.target_text == meant
