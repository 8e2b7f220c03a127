"""``scripts/check``: its parts, and its behaviour without npm."""

import json
import re

import pytest

from tests.support.checkout_machine import (
    CHECKOUT,
    CheckoutMachine,
    checkout_machine,  # noqa: F401 - the fixture `machine`
)

pytestmark = pytest.mark.real_time


@pytest.mark.parametrize(
    ("tools", "status", "complaint"),
    [
        ({}, 0, ""),
        ({"mypy": "echo wrong; exit 1"}, 1, "mypy: failed\nwrong"),
        ({"ruff": "exit 1"}, 1, "ruff check: failed"),
    ],
    ids=["all well", "types fail", "lint fails"],
)
def test_every_check_runs(
    machine: CheckoutMachine, tools: dict[str, str], status: int, complaint: str
) -> None:
    machine.environment(tools)
    done = machine.run("check")
    assert done.returncode == status
    assert complaint in done.stderr
    assert re.search(r"^scripts/check: \d+ min \d+ s$", done.stderr, re.MULTILINE)
    assert sorted(machine.called[-4:]) == [
        "lint-imports ", "mypy ", "ruff check", "ruff format --check"
    ]  # fmt: skip


def test_a_check_without_npm_says_what_it_leaves_out(machine: CheckoutMachine) -> None:
    machine.environment({})
    done = machine.run("check")
    assert done.returncode == 0
    assert "static/: NOT CHECKED, for there is no npm here." in done.stderr
    assert "apt-get install nodejs npm" in done.stderr


def test_a_check_where_npm_has_no_registry_says_so(machine: CheckoutMachine) -> None:
    machine.environment({})
    machine.debian(["node"])
    machine.program(machine.bin / "npm", "exit 1")
    done = machine.run("check")
    assert done.returncode == 0
    assert "static/: NOT CHECKED, for npm could not install its checkers" in done.stderr
    assert "mypy: passed" in done.stderr


@pytest.mark.parametrize(
    ("tsc", "status", "verdict"),
    [("", 0, "tsc -p .: passed"), ("echo wrong; exit 2", 1, "tsc -p .: failed\nwrong")],
    ids=["right", "wrong"],
)
def test_a_check_holds_the_page_too(
    machine: CheckoutMachine, tsc: str, status: int, verdict: str
) -> None:
    machine.environment({"tsc": tsc})
    machine.debian(["node", "npm"])
    done = machine.run("check")
    assert done.returncode == status
    assert verdict in done.stderr
    assert "eslint static: passed" in done.stderr
    assert any(call.startswith("npm ci ") for call in machine.called)
    machine.run("check")
    assert not any(call.startswith("npm ") for call in machine.called)


def test_the_checkers_of_the_page_are_pinned_and_come_from_any_registry() -> None:
    wanted = json.loads((CHECKOUT / "package.json").read_text())["devDependencies"]
    locked = json.loads((CHECKOUT / "package-lock.json").read_text())["packages"]
    assert {name: locked[f"node_modules/{name}"]["version"] for name in wanted} == wanted
    sources = {each["resolved"] for each in locked.values() if "resolved" in each}
    assert not {url for url in sources if not url.startswith("https://registry.npmjs.org/")}
    assert all("integrity" in each for path, each in locked.items() if path)
