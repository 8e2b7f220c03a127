"""Vocabulary: beginnings of docstrings, and words that code, docs, pages and log have given up."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PACKAGES = ("rtc_server", "rtc_phrasebook")
CODE = (*PACKAGES, "tests", "bench", "scripts", "models")
QUESTIONS = {"What", "Whether", "Who", "Whose", "How", "Where", "Which", "When", "Why"}
"""A docstring that begins so leaves the reader to find the noun or the verb."""
PRONOUNS = {"It", "Its", "This", "That", "These", "Those", "They", "We", "You", "I"}
"""Beginnings that name nothing."""
RETIRED = {
    r"\bthe wires?\b|\bon a wire\b": "transport",
    r"\bgoodbyes?\b": "close, RTCP BYE",
    r"\bthe beat\b|\b20 ms beat\b": "tick",
    r"\bmint(s|ed)?\b": "make, sign",
}
"""Pattern of a word that was given up, and the word to use; docs/glossary.md has the terms."""
RETIRED_IN_TESTS = re.compile(r"_(goodbyes?|beat|wires?|mint(s|ed)?|guess|utterances?)(_|$)")
"""Retired words in the name of a test."""
RETIRED_NAMES = {
    "AdmissionHouse": "AdmissionBench of the tests",
    "Halls": "RoomsBench of the tests",
    "Hint": "NearPhrase of an engine, CaptionHint of an event",
    "DetectionPlace": "SharedDetection",
    "House": "SessionBench of the tests",
    "LinePlace": "LineTicket",
    "ListedStreet": "ListedHeldServers of the tests",
    "ListenerSettings": "SegmenterSettings",
    "Utterance": "ClosedSegment, SegmentOutput",
    "VadPlace": "VadClient",
}
"""Name of a class that was given up, and those that have taken over from it."""
TEXTS = (
    *(f"{each}/**/*.py" for each in PACKAGES),
    *("static/**/*.js", "static/**/*.html", "docs/*.md", "README.md"),
)
SHIPPED = {path for each in TEXTS for path in CHECKOUT.glob(each) if path.name != "glossary.md"}


def modules() -> list[Path]:
    """Return the files of the packages that are installed."""
    return [path for each in PACKAGES for path in sorted((CHECKOUT / each).rglob("*.py"))]


def docstrings(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of each docstring, those below attributes included."""
    for node in ast.walk(ast.parse(source)):
        body = getattr(node, "body", None)
        for each in body if isinstance(body, list) else ():
            if isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant):
                text = each.value.value
                if isinstance(text, str) and text.strip():
                    yield each.lineno, text


def first_word(text: str) -> str:
    return text.split(maxsplit=1)[0].rstrip(",.:")


def test_docstrings_begin_with_a_noun_or_a_verb() -> None:
    found = [
        f"{path.relative_to(CHECKOUT)}:{line}: {text.splitlines()[0]}"
        for folder in CODE
        for path in sorted((CHECKOUT / folder).rglob("*.py"))
        for line, text in docstrings(path.read_text("utf-8"))
        if first_word(text) in QUESTIONS | PRONOUNS
    ]
    assert not found


def test_a_question_is_found_wherever_a_docstring_stands() -> None:
    source = '"""What it is."""\nclass A:\n    b = 1\n    """Whether b."""\n    """Length."""\n'
    found = [line for line, text in docstrings(source) if first_word(text) in QUESTIONS]
    assert sorted(found) == [1, 4]


@pytest.mark.parametrize("pattern", RETIRED)
def test_retired_words_stay_retired(pattern: str) -> None:
    word = re.compile(pattern, re.IGNORECASE)
    found = [
        f"{path.relative_to(CHECKOUT)}:{number}: {line.strip()} (use: {RETIRED[pattern]})"
        for path in sorted(SHIPPED)
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if word.search(line)
    ]
    assert not found


def test_retired_names_stay_retired() -> None:
    found = [
        f"{path.relative_to(CHECKOUT)}: {node.name} (use: {RETIRED_NAMES[node.name]})"
        for folder in CODE
        for path in sorted((CHECKOUT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ClassDef | ast.alias) and node.name in RETIRED_NAMES
    ]
    assert not found


def test_names_of_tests_have_no_retired_word() -> None:
    found = [
        f"{path.relative_to(CHECKOUT)}: {node.name}"
        for path in sorted((CHECKOUT / "tests").rglob("test_*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and RETIRED_IN_TESTS.search(node.name)
    ]
    assert not found


def test_every_file_that_the_glossary_names_is_there() -> None:
    """Otherwise a reader is sent to a former name of a module."""
    roots = (CHECKOUT, *(CHECKOUT / each for each in ("rtc_server", "static", "static/styles")))
    named = re.findall(
        r"`([\w/-]+\.(?:py|js|css))`", (CHECKOUT / "docs" / "glossary.md").read_text("utf-8")
    )
    assert named
    assert [each for each in named if not any((root / each).exists() for root in roots)] == []


def test_every_package_has_a_door() -> None:
    """A door states what comes in, what goes out and what to read first: three lines at least."""
    found = [
        str(path.parent.relative_to(CHECKOUT))
        for path in modules()
        if path.name == "__init__.py"
        if len((ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").splitlines()) < 3
    ]
    assert not found


@pytest.mark.parametrize("folders", [PACKAGES, ("bench",)])
def test_no_two_classes_share_a_name(folders: tuple[str, ...]) -> None:
    """A reader would have to tell two classes of one name apart by their paths."""
    places: dict[str, list[str]] = {}
    for path in (path for each in folders for path in (CHECKOUT / each).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                places.setdefault(node.name, []).append(str(path.relative_to(CHECKOUT)))
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


def test_no_module_shadows_the_standard_library() -> None:
    """The exception is ``engines/service/ast.py``, where AST is speech translation."""
    found = {path.name for path in modules() if path.stem in sys.stdlib_module_names}
    assert found == {"ast.py"}
