"""Layout of the tests, and their imports."""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
PACKAGE = TESTS.parent / "rtc_server"
PHRASEBOOK = TESTS.parent / "rtc_phrasebook"
OF_THE_TESTS = {Path(), Path("support")}
"""Folders of ``tests/unit`` that no package has: what all hold themselves, and what tests share."""


def imported(module: Path) -> Iterator[str]:
    """Dotted names that it imports, wherever in it."""
    for node in ast.walk(ast.parse(module.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{each.name}" for each in node.names)
        elif isinstance(node, ast.Import):
            yield from (each.name for each in node.names)


def test_no_test_module_is_imported() -> None:
    """Shared code is in ``tests/support``, so that each test module can be read and moved by
    itself.
    """
    found = [
        (str(module.relative_to(TESTS)), name)
        for module in TESTS.rglob("*.py")
        for name in imported(module)
        if name.startswith("tests.") and any(part.startswith("test_") for part in name.split("."))
    ]
    assert not found


def test_tests_that_are_alone_are_in_chromium() -> None:
    """``scripts/test`` looks for them there and nowhere else."""
    elsewhere = [
        str(module.relative_to(TESTS))
        for module in TESTS.rglob("test_*.py")
        if "browser" not in module.parts and "pytest.mark." + "alone" in module.read_text("utf-8")
    ]
    assert not elsewhere


def test_a_full_run_holds_every_folder() -> None:
    configuration = tomllib.loads((TESTS.parent / "pyproject.toml").read_text("utf-8"))
    folders = set(configuration["tool"]["pytest"]["ini_options"]["testpaths"])
    script = (TESTS.parent / "scripts" / "test").read_text("utf-8")
    named = re.search(r"^folders=\((.*)\)$", script, re.MULTILINE)
    assert named
    assert {*named[1].split(), "tests/browser"} == folders


def test_unit_tests_mirror_the_packages() -> None:
    unit = TESTS / "unit"
    folders = {path.parent.relative_to(unit) for path in unit.rglob("test_*.py")}
    known = {path.relative_to(PACKAGE) for path in PACKAGE.rglob("*") if path.is_dir()}
    known.add(Path(PHRASEBOOK.name.removeprefix("rtc_")))
    unknown = [str(each) for each in folders - OF_THE_TESTS - known]
    assert not unknown
