"""Words of the pages: the same in every language, set as printers do, one form of address.

Lengths are for `tests/browser/test_page_languages.py`, which sees the labels.
"""

import re
from pathlib import Path

import pytest

STRINGS = Path(__file__).parents[2] / "static" / "strings"
LANGUAGES = sorted(path.name for path in STRINGS.iterdir())
TABLES = tuple(sorted(path.stem for path in (STRINGS / "en").iterdir()))
QUOTES = {
    "de": "„“", "en": "“”", "es": "«»", "fr": "«»", "it": "«»", "pl": "„”", "ru": "«»", "uk": "«»",
}  # fmt: skip
"""Quotation marks of each language."""
FAMILIAR = {
    "de": r"\b(?:du|dir|dich|dein\w*)\b",
    "es": r"\b(?:tú|tu|tus|ti|contigo)\b",
    "fr": r"\b(?:tu|toi|ton|tes)\b",
    "ru": r"\b(?:ты|тебя|тебе|тво\w+)\b",
    "uk": r"\b(?:ти|тебе|тобі|тво\w+)\b",
}
"""Words of the familiar address, in languages whose pages use the polite one."""
POLITE = {
    "it": r"\b(?:Lei|vi|vostr\w+|accoglier[Vv]i)\b|[Mm]entre parla\b",
    "pl": r"\b(?:Pan|Pani|Panu|Państw\w*)\b",
}
"""The reverse."""


def texts(language: str) -> list[str]:
    """Return every text of a language."""
    return [text for table in TABLES for text in _table(language, table)]


def _table(language: str, table: str) -> list[str]:
    code = (STRINGS / language / f"{table}.js").read_text("utf-8")
    return re.findall(r'"((?:[^"\\]|\\.)*)"', re.sub(r"/\*\*.*?\*/", "", code, flags=re.DOTALL))


def keys(language: str, table: str) -> list[str]:
    """Return the names in a table, sorted."""
    code = (STRINGS / language / f"{table}.js").read_text("utf-8")
    return sorted(re.findall(r"^\s+(\w+):", code, flags=re.MULTILINE))


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_language_names_the_same_texts(language: str) -> None:
    for table in TABLES:
        assert keys(language, table) == keys("en", table)
        assert len(_table(language, table)) == len(_table("en", table))


@pytest.mark.parametrize("language", LANGUAGES)
def test_quotes_and_apostrophes_are_those_of_print(language: str) -> None:
    others = set("„“”«»‘") - set(QUOTES[language])
    for text in texts(language):
        assert not re.search(r"\w'\w|\.\.\.", text), text
        assert not others & set(text), text


def test_no_line_begins_with_a_sign_that_ends_a_french_or_german_sentence() -> None:
    for text in texts("fr"):
        assert not re.search(r" [:;?!»]|« ", text), text
    for text in texts("de"):
        assert " …" not in text, text


@pytest.mark.parametrize(("language", "other"), (*FAMILIAR.items(), *POLITE.items()))
def test_people_are_addressed_in_one_way(language: str, other: str) -> None:
    flags = re.IGNORECASE if language in FAMILIAR else re.NOFLAG
    assert [text for text in texts(language) if re.search(other, text, flags)] == []
