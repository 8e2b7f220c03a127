"""Layout of the tests and their imports, and the length of all files of code."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
PACKAGE = TESTS.parent / "rtc_server"
PHRASEBOOK = TESTS.parent / "rtc_phrasebook"
OF_THE_TESTS = {Path(), Path("support")}
"""Folders of ``tests/unit`` that no package has: tests of the whole, and of what tests share."""
MOST_LINES = 300
CODE = {".py", ".js", ".mjs", ".ts", ".sh"}


def code_files(root: Path) -> Iterator[Path]:
    """Yield Python, JavaScript and shell files that git tracks, or would: no style sheets.

    No file of code is generated; one that is has to be left out here.
    """
    listing = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    listed = subprocess.run(listing, cwd=root, check=True, capture_output=True).stdout
    for path in (root / name for name in listed.decode().split("\0") if name):
        if path.is_file() and (path.suffix in CODE or is_script(path)):
            yield path


def is_script(path: Path) -> bool:
    """Return whether a file without an ending begins with the name of its interpreter."""
    return not path.suffix and path.read_bytes().startswith(b"#!")


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


def test_no_file_of_code_has_more_than_300_lines() -> None:
    lengths = {
        str(path.relative_to(TESTS.parent)): len(path.read_text("utf-8").splitlines())
        for path in code_files(TESTS.parent)
    }
    assert {"scripts/check", "static/app.js", "rtc_server/errors.py"} <= lengths.keys()
    assert {name: lines for name, lines in lengths.items() if lines > MOST_LINES} == {}
