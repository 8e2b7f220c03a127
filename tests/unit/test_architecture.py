"""docs/architecture.md against the code: its steps exist, its layers are the import contract."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PACKAGE = CHECKOUT / "rtc_server"
TEXT = (CHECKOUT / "docs" / "architecture.md").read_text("utf-8")
MOST_STEPS = 12
PLACE = re.compile(r"`([a-z0-9_/]+\.py):([A-Za-z0-9_.]+)`")
"""File below the package, and a name that it defines."""
ROADS = (
    "From `POST /v1/realtime/translations/calls` to connected",
    "One packet in",
    "One sentence through",
    "One packet out",
)


def section(title: str, level: str) -> str:
    """Return the text below a heading, up to the next of its level or above."""
    _, found, rest = TEXT.partition(f"{level} {title}\n")
    assert found, f"docs/architecture.md lacks {title!r}"
    return re.split(rf"^#{{2,{len(level)}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def steps(title: str) -> list[str]:
    """Return the numbered steps below a heading."""
    return re.findall(r"^\d+\. (.*(?:\n +.*)*)", section(title, "###"), re.MULTILINE)


def defined_in(path: Path) -> set[str]:
    """Return the dotted names of the classes, methods and functions of a file."""
    names: set[str] = set()

    def collect(node: ast.AST, prefix: str) -> None:
        for each in ast.iter_child_nodes(node):
            if isinstance(each, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                names.add(prefix + each.name)
                collect(each, f"{prefix}{each.name}.")

    collect(ast.parse(path.read_text("utf-8")), "")
    return names


@pytest.mark.parametrize("title", ROADS)
def test_a_road_has_few_steps_and_each_names_its_code(title: str) -> None:
    found = steps(title)
    assert 0 < len(found) <= MOST_STEPS
    assert [step for step in found if not PLACE.search(step)] == []


def test_the_document_opens_with_the_steps_of_a_call() -> None:
    headings = re.findall(r"^##+ (.*)$", TEXT, re.MULTILINE)
    assert headings[: len(ROADS) + 2] == ["A call, step by step", *ROADS, "Invariants"]


@pytest.mark.parametrize("place", sorted(set(PLACE.findall(TEXT))), ids=":".join)
def test_what_the_document_names_exists(place: tuple[str, str]) -> None:
    file, name = place
    assert name in defined_in(PACKAGE / file)


def test_every_code_span_with_a_colon_behind_a_file_is_read_as_a_place() -> None:
    """A slip in a name must not take it out of the test above."""
    spans = re.findall(r"`([^`\n]*\.py:[^`\n]*)`", TEXT)
    assert sorted(set(spans)) == sorted({":".join(place) for place in PLACE.findall(TEXT)})


def test_the_table_of_layers_is_the_import_contract() -> None:
    """Order, siblings and names."""
    settings = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))
    [layers] = [
        contract["layers"]
        for contract in settings["tool"]["importlinter"]["contracts"]
        if contract["type"] == "layers"
    ]
    rows = re.findall(r"^\| (`.*?) \|", section("Layers", "##"), re.MULTILINE)
    in_docs = [" | ".join(re.findall(r"`(\w+)`", row)) for row in rows]
    assert in_docs == layers
    modules = {
        path.stem
        for path in PACKAGE.iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    named = {name for row in in_docs for name in row.split(" | ")}
    assert modules - {"__init__", "__main__"} == named


def test_the_phrasebook_imports_the_engines_contract_alone() -> None:
    """Imports have the one form that the import contract sees."""
    lines = [
        line
        for path in (CHECKOUT / "rtc_phrasebook").glob("*.py")
        for line in path.read_text("utf-8").splitlines()
        if re.match(r"\s*(from|import) rtc_server", line)
    ]
    assert lines
    assert all(line.startswith("from rtc_server.engines.contract import") for line in lines)
