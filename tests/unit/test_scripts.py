"""``scripts/serve`` and ``scripts/install``, the image, and what both install."""

import re
import subprocess
import sys

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from rtc_server.engine_sets import ENGINE_SETS
from tests.support.checkout_machine import (
    CHECKOUT,
    CheckoutMachine,
    checkout_machine,  # noqa: F401 - the fixture `machine`
)

pytestmark = pytest.mark.real_time


def test_the_image_is_given_all_that_it_copies() -> None:
    lines = (CHECKOUT / "Dockerfile").read_text().splitlines()
    copied = {
        name
        for line in lines
        if line.startswith("COPY ") and "--from" not in line
        for name in line.split()[1:-1]
    }
    admitted = (CHECKOUT / ".dockerignore").read_text().splitlines()
    assert copied
    assert {name for name in copied if f"!{name}" not in admitted} == set()
    assert {name for name in copied if not (CHECKOUT / name).exists()} == set()


def test_without_python_serve_says_what_to_install(machine: CheckoutMachine) -> None:
    done = machine.run("serve")
    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr
    assert "apt-get install python3.11" in done.stderr


def test_the_second_start_installs_nothing(machine: CheckoutMachine) -> None:
    machine.environment({})
    machine.run("serve", "--port", "9000")
    assert [call.split(" install ")[-1] for call in machine.called[1:]] == [
        f"--quiet -c {machine.root}/scripts/constraints.txt -e {machine.root}",
        "python -m rtc_server serve --port 9000",
    ]
    assert machine.run("serve").returncode == 0
    assert machine.called == ["python -c ", "python -m rtc_server serve"]
    with (machine.root / "pyproject.toml").open("a") as file:
        file.write("# changed\n")
    machine.run("serve")
    assert len(machine.called) == 3


def test_install_adds_extras_and_serve_keeps_them(machine: CheckoutMachine) -> None:
    machine.environment({})
    assert machine.run("install", "canary", "silero").returncode == 0
    assert machine.called[3].endswith(f"-e {machine.root}[canary,silero]")
    assert machine.run("install", "canary", "silero").returncode == 0
    assert machine.run("serve").returncode == 0
    assert machine.called == ["python -c ", "python -m rtc_server serve"]


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("--engines", "laptop"), "laptop"),
        (("--port", "9000", "--engines=gpu"), "gpu"),
        (("--engines", "laptop", "--engines", "embedded"), "embedded"),
        ((), "embedded"),
    ],
)
def test_serve_installs_what_the_chosen_engines_need(
    machine: CheckoutMachine, words: tuple[str, ...], name: str
) -> None:
    machine.environment({})
    assert machine.run("serve").returncode == 0
    assert machine.run("serve", *words).returncode == 0
    installed = [call.rpartition(" -e ")[2] for call in machine.called if " install " in call]
    extras = ",".join(ENGINE_SETS[name].extras)
    assert installed == ([f"{machine.root}[{extras}]"] if extras else [])
    assert machine.called[-1] == " ".join(("python -m rtc_server serve", *words))
    machine.run("serve", *words)
    assert not any(" install " in call for call in machine.called)


@pytest.mark.parametrize(("image", "extras"), [("cpu", ()), ("gpu", ("canary", "silero"))])
def test_an_image_locks_what_the_project_asks_for(image: str, extras: tuple[str, ...]) -> None:
    """In the versions that the tests ran with, each file by its hash, from any registry."""
    text = (CHECKOUT / "deploy" / "lock" / f"{image}.txt").read_text()
    entry = r"^([\w.-]+)==([\w.]+)(?: ; [^\\]+)? \\\n((?:    --hash.*\n)+)"
    entries = re.findall(entry, text, re.MULTILINE)
    locked = {canonicalize_name(name): version for name, version, _ in entries}
    hashes = sum(rows.count("--hash=sha256:") for _, _, rows in entries)
    assert len(text.splitlines()) == 1 + len(entries) + hashes, "lines that are neither"
    assert "://" not in text
    script = CHECKOUT / "scripts" / "requirements.py"
    command = [sys.executable, str(script), *extras]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    for wanted in map(Requirement, done.stdout.splitlines()):
        assert locked[canonicalize_name(wanted.name)] in wanted.specifier
    constraints = (CHECKOUT / "scripts" / "constraints.txt").read_text().splitlines()
    tested = dict(line.split("==") for line in constraints if "==" in line)
    tested = {canonicalize_name(name): version for name, version in tested.items()}
    assert {n: v for n, v in locked.items() if tested.get(n, v) != v} == {}, "run scripts/lock"


def test_a_failed_install_is_said_and_tried_again(machine: CheckoutMachine) -> None:
    machine.environment({"python": '[[ "$*" != *install* ]]'})
    for _ in range(2):
        done = machine.run("serve")
        assert done.returncode == 1
        assert "needs a Python package registry" in done.stderr
        assert not any("rtc_server serve" in call for call in machine.called)
