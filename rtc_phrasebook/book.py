"""Phrasebook files: reading, checking, merging. docs/phrasebook.md describes the format."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from rtc_phrasebook.pattern import PatternError, Slot, Wording, unfold
from rtc_server.engines.contract import ConfigError

LANGUAGES = ("en", "ru")
BUILT_IN = ("number", "time")
"""Kinds of slots without a list in the book."""
COUNT_FORMS = {"en": ("one", "many"), "ru": ("one", "few", "many", "gender")}
"""Forms that an item needs to be counted."""
TIME_FORMS = {"en": ("",), "ru": ("", "at")}
"""Forms of a clock time."""


@dataclass(frozen=True, slots=True)
class Item:
    """One filler of a list, in both languages."""

    forms: Mapping[str, Mapping[str, str]]
    """Language to form to text. A word with a single form has it under ``""``."""

    def text(self, language: str, form: str) -> str:
        """Return the text for `form`; for an empty `form`, the first text."""
        forms = self.forms[language]
        if "" in forms:
            return forms[""]
        return forms[form] if form else next(iter(forms.values()))


@dataclass(frozen=True, slots=True)
class Phrase:
    """Phrase in all wordings of both languages."""

    topic: str
    """Key of its topic."""
    wordings: Mapping[str, tuple[Wording, ...]]
    """Language to wordings; the first one is used in translations."""
    origin: str
    """File and line, for messages."""


@dataclass(frozen=True, slots=True)
class Book:
    """Phrases that can be said, and the fillers of their slots."""

    topics: Mapping[str, Mapping[str, str]]
    """Topic key to language to title, in the order of the file."""
    lists: Mapping[str, tuple[Item, ...]]
    """List name to its items."""
    phrases: tuple[Phrase, ...]
    """Phrases in order of precedence: if two match, the first one counts."""
    sounds: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Language to word to a respelling, from which its pronunciation is made."""
    decoys: Mapping[str, tuple[Wording, ...]] = field(default_factory=dict)
    """Language to wordings that sound like a phrase: recognised, and not translated."""


def shipped() -> Path:
    """Return the book that comes with the engine."""
    return Path(__file__).parent / "data" / "en-ru.toml"


def load(further: Sequence[Path] = ()) -> Book:
    """Return the shipped book merged with `further` ones; later files take precedence.

    Raises:
        ConfigError: a file cannot be read or has an error; it names file, line and reason.
    """
    readers = [_Reader(path) for path in (shipped(), *further)]
    topics: dict[str, Mapping[str, str]] = {}
    lists: dict[str, tuple[Item, ...]] = {}
    sounds: dict[str, dict[str, str]] = {language: {} for language in LANGUAGES}
    for reader in readers:
        topics |= reader.topics()
        for name, items in reader.lists():
            lists[name] = (*items, *lists.get(name, ()))
        for language, respelled in reader.sounds():
            sounds[language] |= respelled
    phrases = [phrase for reader in reversed(readers) for phrase in reader.phrases(lists)]
    decoys = {
        language: tuple(each for reader in readers for each in reader.decoys(language, lists))
        for language in LANGUAGES
    }
    return Book(topics, lists, tuple(phrases), sounds, decoys)


class _Reader:
    """Reader of one file, whose errors name the line."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._text = path.read_text(encoding="utf-8")
            self._table = tomllib.loads(self._text)
        except OSError as error:
            raise ConfigError(
                f"Phrasebook {path} cannot be read: {error.strerror}. Correct --phrasebook."
            ) from error
        except UnicodeDecodeError as error:
            raise ConfigError(
                f"Phrasebook {path} cannot be read: it is not text in UTF-8."
            ) from error
        except tomllib.TOMLDecodeError as error:
            found = re.search(r"\(at line (\d+), column \d+\)", str(error))
            line = found[1] if found else str(self._text.count("\n") + 1)
            reason = str(error).split(" (at ")[0]
            raise ConfigError(f"Phrasebook {path}, line {line}: {reason}.") from error
        self._lines = self._text.splitlines()
        self._cursor = 0
        unknown = set(self._table) - {"topic", "list", "sound", "decoy"}
        if unknown:
            name = min(unknown)
            self._seek(name)
            self._refuse(
                f"unknown table “{name}”; a book has [topic.*], [list.*], [sound.*] and [decoy]"
            )

    def topics(self) -> dict[str, Mapping[str, str]]:
        """Return the titles by key."""
        found: dict[str, Mapping[str, str]] = {}
        for key, topic in self._tables("topic"):
            self._known(topic, {"title", "phrases"}, f"topic {key}")
            title = topic.get("title")
            if not isinstance(title, dict) or set(title) != set(LANGUAGES):
                self._refuse(f'topic {key} needs title = {{ en = "…", ru = "…" }}')
            found[key] = title
        return found

    def lists(self) -> Iterator[tuple[str, tuple[Item, ...]]]:
        """Yield name and items of each list."""
        for name, table in self._tables("list"):
            if name in BUILT_IN or not re.fullmatch(r"[a-z_]+", name):
                self._refuse(f"a list cannot be called “{name}”")
            self._known(table, {"items"}, f"list {name}")
            items = table.get("items")
            if not isinstance(items, list) or not items:
                self._refuse(f"list {name} needs items = [ … ]")
            yield name, tuple(self._item(entry) for entry in items)

    def sounds(self) -> Iterator[tuple[str, dict[str, str]]]:
        """Yield each language and its respelled words."""
        for language, table in self._tables("sound"):
            if language not in LANGUAGES:
                self._refuse(f"[sound.{language}]: a book speaks en and ru")
            for word, respelled in table.items():
                self._seek(word)
                if not isinstance(respelled, str) or not respelled:
                    self._refuse(f"the sound of “{word}” must be a respelling in quotes")
            yield language, {word.lower(): respelled for word, respelled in table.items()}

    def decoys(self, language: str, lists: Mapping[str, tuple[Item, ...]]) -> Iterator[Wording]:
        """Yield the wordings that are recognised in a language without being translated."""
        self._cursor = 0
        table = self._table.get("decoy", {})
        self._seek("[decoy]")
        if not isinstance(table, dict) or not set(table) <= set(LANGUAGES):
            self._refuse("[decoy] has en and ru, and nothing else")
        for wording in self._wordings(table.get(language, []), language):
            for slot in wording.slots():
                self._check_slot(slot, language, lists)
            yield wording

    def phrases(self, lists: Mapping[str, tuple[Item, ...]]) -> Iterator[Phrase]:
        """Yield each phrase, its slots checked against all lists."""
        for key, topic in self._tables("topic"):
            entries = topic.get("phrases", [])
            if not isinstance(entries, list):
                self._refuse(f"topic {key} needs phrases = [ … ]")
            for entry in entries:
                yield self._phrase(key, entry, lists)

    def _tables(self, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        self._cursor = 0
        tables = self._table.get(kind, {})
        if not isinstance(tables, dict):
            self._seek(kind)
            self._refuse(f"{kind} must be a table, such as [{kind}.name]")
        for name, table in tables.items():
            self._seek(f"[{kind}.{name}")
            if not isinstance(table, dict):
                self._refuse(f"{kind}.{name} must be a table")
            yield name, table

    def _item(self, entry: object) -> Item:
        self._seek_first(entry)
        if not isinstance(entry, dict) or set(entry) != set(LANGUAGES):
            self._refuse("an item needs en and ru, and nothing else")
        forms: dict[str, dict[str, str]] = {}
        for language, text_or_forms in entry.items():
            given = {"": text_or_forms} if isinstance(text_or_forms, str) else text_or_forms
            if not isinstance(given, dict) or not given:
                self._refuse(f"{language} must be a text or a table of forms")
            for form, text in given.items():
                if not isinstance(text, str) or not text.strip():
                    self._refuse(f"the form {language}.{form} must be a text")
            if given.get("gender", "m") not in ("m", "f", "n"):
                self._refuse("gender must be m, f or n")
            forms[language] = given
        return Item(forms)

    def _phrase(self, topic: str, entry: object, lists: Mapping[str, tuple[Item, ...]]) -> Phrase:
        self._seek_first(entry)
        if not isinstance(entry, dict) or set(entry) != set(LANGUAGES):
            self._refuse("a phrase needs en and ru, and nothing else")
        wordings: dict[str, tuple[Wording, ...]] = {}
        common: set[tuple[str, int, int]] | None = None
        for language in LANGUAGES:
            given = entry[language]
            if not given:
                self._refuse(f"{language} must be a text or a list of texts")
            found = self._wordings(given, language)
            for wording in found:
                slots = wording.slots()
                if len({slot.key for slot in slots}) != len(slots):
                    self._refuse("the same slot stands twice; number them: {place1} {place2}")
                for slot in slots:
                    self._check_slot(slot, language, lists)
                wanted = {(slot.key, slot.low, slot.high) for slot in slots}
                common = wanted if common is None else common
                if wanted != common:
                    self._refuse(
                        "every wording, in both languages, needs the same slots and ranges"
                    )
            wordings[language] = tuple(dict.fromkeys(found))
        return Phrase(topic, wordings, f"{self._path.name}:{self._cursor + 1}")

    def _wordings(self, given: object, language: str) -> list[Wording]:
        """Return every wording of a pattern or a list of patterns."""
        patterns = [given] if isinstance(given, str) else given
        if not isinstance(patterns, list):
            self._refuse(f"{language} must be a text or a list of texts")
        found: list[Wording] = []
        for pattern in patterns:
            self._seek_first(pattern)
            if not isinstance(pattern, str):
                self._refuse(f"{language} must be a text or a list of texts")
            try:
                found += unfold(pattern, language)
            except PatternError as error:
                self._refuse(str(error))
        return found

    def _check_slot(self, slot: Slot, language: str, lists: Mapping[str, tuple[Item, ...]]) -> None:
        if slot.kind in BUILT_IN:
            allowed = TIME_FORMS[language] if slot.kind == "time" else ("",)
            if slot.counted or slot.form not in allowed:
                self._refuse(f"{{{slot.kind}}} has no such form in {language}")
            return
        if slot.kind not in lists:
            kinds = ", ".join((*BUILT_IN, *lists))
            self._refuse(f"there is no list “{slot.kind}”; the book has {kinds}")
        needed = COUNT_FORMS[language] if slot.counted else (slot.form,)
        if slot.counted and language == "ru" and slot.form == "nom":
            needed = (*needed, "nom")
        for item in lists[slot.kind]:
            forms = item.forms[language]
            missing = [form for form in needed if form and form not in forms]
            if missing and ("" not in forms or "gender" in missing):
                self._refuse(
                    f"“{item.text(language, '')}” in list {slot.kind} lacks the form "
                    f"{language}.{missing[0]}, which this phrase needs"
                )

    def _known(self, table: Mapping[str, object], allowed: Iterable[str], where: str) -> None:
        unknown = sorted(set(table) - set(allowed))
        if unknown:
            self._refuse(f"{where} has no setting “{unknown[0]}”")

    def _seek(self, text: str) -> None:
        """Move the cursor to the next line that contains `text`, if there is one."""
        for number in range(self._cursor, len(self._lines)):
            if text in self._lines[number]:
                self._cursor = number
                return

    def _seek_first(self, value: object) -> None:
        """Move the cursor to the line with the first string inside `value`."""
        while isinstance(value, (dict, list)) and value:
            value = next(iter(value.values())) if isinstance(value, dict) else value[0]
        if isinstance(value, str):
            self._seek(f'"{value}"')

    def _refuse(self, reason: str) -> NoReturn:
        raise ConfigError(f"Phrasebook {self._path}, line {self._cursor + 1}: {reason}.")
