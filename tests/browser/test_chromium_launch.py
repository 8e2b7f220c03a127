"""Chromium as tests launch it."""

import os
import shutil
from pathlib import Path

import pytest

from tests.support.browser.browsers import DISABLED_FEATURES
from tests.support.browser.chromium import visit

SWITCH = "--disable-features="


def children(process: int) -> set[int]:
    """Return the processes that each thread of a process started."""
    tasks = Path(f"/proc/{process}/task").iterdir()
    return {int(each) for task in tasks for each in (task / "children").read_text().split()}


def command_lines(process: int) -> list[list[str]]:
    """Return the arguments of all descendants of a process."""
    found = []
    for child in children(process):
        arguments = Path(f"/proc/{child}/cmdline").read_text(encoding="utf-8").split("\0")
        found += [arguments, *command_lines(child)]
    return found


async def test_what_playwright_disables_stays_disabled() -> None:
    """Chromium obeys the last of two lists of features, which is ours."""
    async with visit("about:blank"):
        lists = [
            [each.removeprefix(SWITCH).split(",") for each in line if each.startswith(SWITCH)]
            for line in command_lines(os.getpid())
            if any(each.startswith("--remote-debugging") for each in line)
        ]
    assert lists
    for playwrights, ours in lists:
        assert set(playwrights) <= set(ours)
        assert ours == list(DISABLED_FEATURES)


def browsers(argument: str) -> set[str]:
    """Return the names of the programs that run with an argument, but for their children."""
    return {
        Path(line[0]).name
        for line in command_lines(os.getpid())
        if argument in line and any(each.startswith("--remote-debugging") for each in line)
    } - {"sh"}  # Debian's chromium is begun by a script


@pytest.mark.skipif(not shutil.which("chromium-headless-shell"), reason="there is one browser")
async def test_pages_are_in_the_shell_unless_a_test_wants_the_whole_browser() -> None:
    async with visit("about:blank", further=["--one-test"]):
        assert browsers("--one-test") == {"chromium-headless-shell"}
    async with visit("about:blank", further=["--another-test"], whole=True):
        assert browsers("--another-test") == {"chromium"}


async def test_as_many_kinds_of_browsers_as_are_needed_are_open_at_once() -> None:
    async with (
        visit("about:blank", further=["--first"]),
        visit("about:blank", further=["--second"]),
        visit("about:blank", further=["--third"]) as third,
    ):
        assert await third.page.evaluate("1 + 1") == 2
