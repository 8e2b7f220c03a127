"""Grammar and sense of the shipped book, every wording with every filler."""

import re
from collections.abc import Iterator

import pytest

from bench.phrasebook.readthrough import fillings, lines
from rtc_phrasebook.book import LANGUAGES, Item, load
from rtc_phrasebook.fillers import fill

BOOK = load()


def texts(language: str) -> Iterator[str]:
    """Yield every wording of the language with every value of its slots."""
    for phrase in BOOK.phrases:
        for values in fillings(phrase, BOOK):
            for wording in phrase.wordings[language]:
                yield fill(wording, values, BOOK)


ENGLISH = tuple(texts("en"))
RUSSIAN = tuple(texts("ru"))

FEMININE = {"а": "у", "я": "ю", "ая": "ую", "яя": "юю"}
"""Endings of the nominative and of the accusative that they become."""


def accusative(nominative: str) -> str:
    """Return the accusative of an inanimate noun in the singular, with its adjectives."""
    words = nominative.split()
    head = next((n for n, word in enumerate(words) if not word.endswith(("ая", "ый"))), 0)
    for n, word in enumerate(words[: head + 1]):
        ending = next((end for end in ("ая", "яя", "а", "я") if word.endswith(end)), "")
        if ending:
            words[n] = word.removesuffix(ending) + FEMININE[ending]
    return " ".join(words)


def items(*forms: str) -> Iterator[Item]:
    """Items of all lists that have these Russian forms."""
    for of_list in BOOK.lists.values():
        yield from (item for item in of_list if set(forms) <= item.forms["ru"].keys())


@pytest.mark.parametrize("form", ["acc", "one"])
def test_the_accusative_of_a_filler_belongs_to_its_nominative(form: str) -> None:
    found = [item.forms["ru"] for item in items("nom", form)]
    assert found
    assert [one[form] for one in found] == [accusative(one["nom"]) for one in found]


@pytest.mark.parametrize(
    ("form", "prepositions"),
    [("to", "в во на к ко"), ("at", "в во на у"), ("origin", "из"), ("on", "в во")],
)
def test_fillers_with_a_preposition_have_the_right_one(form: str, prepositions: str) -> None:
    adverbs = ("сегодня", "завтра", "послезавтра")
    for item in items(form):
        text = item.forms["ru"][form]
        assert text in adverbs or text.split()[0] in prepositions.split(), text


def test_articles_agree_with_the_sound_that_follows() -> None:
    for text in ENGLISH:
        for article, word in re.findall(r"\b([Aa]n?) ([a-z]+)", text):
            vowel = word[0] in "aeiou" and not word.startswith(("uni", "one"))
            assert (article.lower() == "an") is vowel, text


def test_many_is_the_plural_of_one() -> None:
    for of_list in BOOK.lists.values():
        counted = [item.forms["en"] for item in of_list if "many" in item.forms["en"]]
        for one in counted:
            singular, plural = one["one"].split(), one["many"].split()
            changed = [(a, b) for a, b in zip(singular, plural, strict=True) if a != b]
            assert len(changed) == ("thousand" not in singular), one
            assert all(b in (f"{a}s", f"{a}es") for a, b in changed), one


NOMINATIVE = r"(у меня есть|с вас|отсюда|пешком)"
ACCUSATIVE = r"(через|опаздывает на|подождите|займёт|стоит|номер на|дайте,? пожалуйста,?)"


def test_counts_stand_in_the_case_that_the_sentence_asks_for() -> None:
    seen = set()
    for text in map(str.lower, RUSSIAN):
        wrong = re.search(rf"{NOMINATIVE} одну\b|{ACCUSATIVE} одна\b|\bодну \w+ пешком", text)
        assert not wrong, text
        seen |= {word for word in ("одна", "одну", "одно") if word in text.split()}
    assert seen == {"одна", "одну", "одно"}


def test_the_sought_stands_in_the_accusative() -> None:
    sought = [text for text in RUSSIAN if re.match(r"(Я ищу|Не могу найти) ", text)]
    assert len(sought) > 40
    nominatives = {item.forms["ru"]["nom"] for item in items("nom", "acc")}
    feminine = {nom for nom in nominatives if accusative(nom) != nom}
    assert not [text for text in sought if any(text.endswith(f" {nom}.") for nom in feminine)]


@pytest.mark.parametrize(
    ("about", "never"),
    [
        (r"(bus goes|take me) to", r"elevator|toilet|bathroom|restroom|exit|entrance|bus stop"),
        (r"(meet|I'm|I am) at the", r"toilet|bathroom|restroom"),
        (r"on foot|from here|\blate\b|\b[Ww]ait\b", r"\b(day|night|week|month|year)"),
        (r"be there in", r"nights?\b|months?\b|years?\b"),
        (r"\bago\b|It takes|It will take", r"nights?\b"),
        (r"Is there an? .* near", r"city center"),
        (r"Do you have", r"\b(coffees|teas|pieces|bottles|glasses)\b"),
        (r"number|room", r"\b0\b"),
    ],
)  # fmt: skip
def test_no_filler_makes_nonsense(about: str, never: str) -> None:
    meant = [text for text in ENGLISH if re.search(about, text)]
    assert meant
    assert not [text for text in meant if re.search(never, text)]


def test_flights_fly_and_do_not_drive() -> None:
    about = [text for text in RUSSIAN if text.startswith("Самолёт")]
    assert about
    assert not [text for text in about if re.search(r"отправляется|уходит|приходит", text)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_are_written_as_sentences(language: str) -> None:
    for text in ENGLISH if language == "en" else RUSSIAN:
        assert re.fullmatch(r"[A-ZА-ЯЁ0-9].*[.?]", text), text
        assert not re.search(r"\s[,.?]|\s\s|\.\.|[{}\[\]()|]", text), text


def test_the_book_can_be_read_through() -> None:
    written = list(lines(BOOK))
    assert "I'm looking for the metro station. | Я ищу станцию метро." in written
    assert "    Я замужем." in written
