"""The gate against invented text: what must be caught, and what must never be."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtc_server.engines.safety import Doubt, doubt_text, doubt_translation, is_silent

BELIEVED = [
    ("Yes.", "Да.", ("en", "ru")),
    ("No, no, no, no!", "Нет, нет, нет, нет!", ("en", "ru")),
    ("Где находится вокзал?", "Where is the train station?", ("ru", "en")),
    ("Мы пользуемся OpenAI.", "We use OpenAI.", ("ru", "en")),
    ("OpenAI.", "OpenAI.", ("en", "ru")),
    ("I don't know. I don't know. I don't know.", "Не знаю. Не знаю. Не знаю.", ("en", "ru")),
    ("It costs 100 000 000.", "Это стоит 100 000 000.", ("en", "ru")),
    ("In 2024.", "В 2024 году.", ("en", "ru")),
    ("Πού είναι ο σταθμός;", "Where is the station?", ("el", "en")),
    ("Où est la gare ?", "Where is the station?", ("fr", "en")),
    ("Wo ist der Bahnhof? Straße, Übung, Grüße.", "Where is the station?", ("de", "en")),
    ("Schadenfreude", "Злорадство", ("de", "ru")),
    ("iPhone 15 Pro Max", "iPhone 15 Pro Max", ("ru", "en")),
    ("Windows 11", "Windows 11", ("en", "ru")),
    ("Linux.", "Linux.", ("en", "ru")),
    ("Купил iPhone.", "I bought an iPhone.", ("ru", "en")),
    ("Купил Samsung Galaxy.", "I bought a Samsung Galaxy.", ("ru", "en")),
    ("Да, да, да, да, да, да, да!", "Yes, yes, yes, yes, yes, yes, yes!", ("ru", "en")),
    ("Очень, очень, очень хорошо", "Very, very, very good", ("ru", "en")),
    ("0 0 0 0 0 0", "0 0 0 0 0 0", ("ru", "en")),
    ("Ноль, ноль, ноль, ноль, ноль, ноль.", "Zero, zero, zero, zero, zero, zero.", ("ru", "en")),
    ("000000", "000000", ("en", "de")),
    ("Berlin, Hamburg, Hannover.", "Berlin, Hamburg, Hannover.", ("en", "de")),
    ("iPhone 15 Pro Max", "iPhone 15 Pro Max", ("en", "de")),
    ("Super, okay!", "Super, okay!", ("en", "de")),
    ("Ana come una manzana", "Ana come uma maçã", ("es", "pt")),
    ("Мама мила раму", "Мама мыла раму", ("uk", "ru")),
]

CAUGHT = [
    ("", "Спасибо.", Doubt.EMPTY),
    ("Thank you.", "...", Doubt.EMPTY),
    ("Thank you.", "Thank you.", Doubt.SCRIPT),  # not translated, but not a name either
    ("Спасибо.", "Спасибо.", Doubt.SCRIPT),
    ("yes " * 14, "да", Doubt.REPEATED),
    ("the the the the the the", "эти", Doubt.REPEATED),
    ("THANK YOU", "THANK YOU", Doubt.SCRIPT),
    ("you know " * 5, "знаешь", Doubt.REPEATED),
    ("and I think that " * 4, "и я думаю", Doubt.REPEATED),
    ("Aaaaaaaaaaaah", "А", Doubt.REPEATED),
    ("hahahahahahahahaha", "ха", Doubt.REPEATED),
    ("Good.", "Это очень длинный ответ на очень короткое слово.", Doubt.RATIO),
    ("w " * 20 + "x" * 120, "что", Doubt.TOO_LONG),
]


@pytest.mark.parametrize(("source", "target", "pair"), BELIEVED)
def test_what_people_say_is_believed(source: str, target: str, pair: tuple[str, str]) -> None:
    assert doubt_translation(source, target, pair, audio_s=2.5, complete=True) is None


@pytest.mark.parametrize(("source", "target", "doubt"), CAUGHT)
def test_invented_text_is_caught(source: str, target: str, doubt: Doubt) -> None:
    assert doubt_translation(source, target, ("en", "ru"), audio_s=2.5, complete=True) is doubt


@pytest.mark.parametrize(
    "partial", ["Купил iPhone", "iPhone 15 Pro", "Мы на YouTube", "Да да да да да да"]
)
def test_a_partial_text_with_names_is_shown(partial: str) -> None:
    assert doubt_text(partial, "ru", 3.0, complete=True) is None


@pytest.mark.parametrize("partial", ["Thank you for watching", "Thanks", "THANK YOU"])
def test_a_partial_text_in_another_language_is_not_shown(partial: str) -> None:
    assert doubt_text(partial, "ru", 3.0, complete=True) is Doubt.SCRIPT


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("Where is the train station?", ("en", "de")),
        ("How are you?", ("en", "fr")),
        ("My iPhone is broken again.", ("en", "es")),
        ("La casa es muy grande y tiene un jardín bonito.", ("es", "it")),
    ],
)
def test_a_sentence_that_was_not_translated_is_caught(text: str, pair: tuple[str, str]) -> None:
    assert doubt_translation(text, text, pair, audio_s=3.0, complete=True) is Doubt.UNTRANSLATED


def test_text_that_was_cut_is_not_believed() -> None:
    assert doubt_text("It goes on and on", "en", 3.0, complete=False) is Doubt.UNFINISHED


def test_more_text_than_time_is_not_believed() -> None:
    assert doubt_text("A whole sentence of some length, in no time.", "en", 0.3, True)
    assert doubt_text("A whole sentence of some length, in no time.", "en", 1.5, True) is None


@given(st.integers(2, 8), st.integers(0, 20))
def test_any_loop_of_words_is_caught(size: int, before: int) -> None:
    loop = [f"w{chr(97 + i)}" for i in range(size)] * 5
    text = " ".join([f"x{chr(97 + i)}" for i in range(before)] + loop)
    assert doubt_text(text, "en", 60.0, True) is Doubt.REPEATED


@given(st.text())
def test_no_text_breaks_the_gate(text: str) -> None:
    doubt_translation(text, text[::-1], ("ru", "en"), 1.0, True)


@pytest.mark.parametrize("level", [0.0, 1e-4, float("nan"), float("inf")])
def test_what_cannot_be_heard_is_silence(level: float) -> None:
    assert is_silent(np.full(1600, level, dtype=np.float32))


def test_a_constant_offset_is_silence() -> None:
    assert is_silent(np.full(1600, 0.2, dtype=np.float32))


def test_whispering_is_not_silence() -> None:
    quiet = 0.003 * np.sin(np.arange(1600)).astype(np.float32)
    assert not is_silent(quiet)
