"""``scripts/needs.txt`` names what tests need of Debian, and ``scripts/test`` reads it."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
NEEDS = [
    line.split()
    for line in (ROOT / "scripts" / "needs.txt").read_text().splitlines()
    if line and not line.startswith("#")
]
BROUGHT_BY = {
    "tests.support.browser.chromium": "chromium",
    "tests.support.browser.fonts": "fonts-paratype",
    "tests.support.coturn": "coturn",
    "tests.support.node": "nodejs",
    "tests.support.npm_clients": "npm",
}
"""Modules that nobody can use without a package."""
TEST_MODULES = sorted((ROOT / "tests").rglob("test_*.py"))


@cache
def reached(module: str) -> frozenset[str]:
    """Return the modules of ours that this one imports, at first or at second hand."""
    path = ROOT / (module.replace(".", "/") + ".py")
    if not module.startswith("tests.") or not path.exists():
        return frozenset()
    names = {
        node.module
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module
    }
    return frozenset(names).union(*map(reached, names))


def packages(test: str) -> set[str]:
    """Return what the list says of a test file."""
    return {package for path, package, _ in NEEDS if f"{test}/".startswith(f"{path}/")}


def test_what_is_listed_is_there() -> None:
    assert [path for path, _, _ in NEEDS if not (ROOT / path).exists()] == []


def test_what_tests_import_is_listed() -> None:
    for path in TEST_MODULES:
        test = str(path.relative_to(ROOT))
        modules = reached(test.removesuffix(".py").replace("/", "."))
        needed = {package for name, package in BROUGHT_BY.items() if name in modules}
        assert needed <= packages(test), test


def test_a_full_run_brings_what_the_check_of_the_page_wants() -> None:
    assert {"nodejs", "npm"} <= {package for _, package, _ in NEEDS}


def test_a_unit_test_needs_nothing() -> None:
    assert [path for path, _, _ in NEEDS if path.startswith("tests/unit")] == []
