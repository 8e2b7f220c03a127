"""``scripts/test``: the packages that tests need, the parts of a full run, and its end."""

import os
import re
import shutil
import signal
import sys

import psutil
import pytest

from tests.support.checkout_machine import (
    CHECKOUT,
    CheckoutMachine,
    checkout_machine,  # noqa: F401 - the fixture `machine`
)

pytestmark = pytest.mark.real_time
NEEDS = [
    line.split()
    for line in (CHECKOUT / "scripts" / "needs.txt").read_text().splitlines()
    if line and not line.startswith("#")
]
FONTS = {package for _, package, _ in NEEDS if package.startswith("fonts-")}
COMMANDS = {brings for _, _, brings in NEEDS if "/" not in brings}
"""Commands that Debian's packages install; plain files are not faked."""


def test_without_debian_packages_test_says_which(machine: CheckoutMachine) -> None:
    machine.debian(("chromium", "chromium-headless-shell"))
    done = machine.run("test", "tests/browser/test_client_library.py")
    assert done.returncode == 2
    told = re.search(
        r"These tests need (.*)\. Install them first: sudo apt-get install (.*)", done.stderr
    )
    assert told
    assert told[1] == told[2]
    named = set(told[1].split())
    assert named - FONTS == {"coturn", "nodejs", "npm", "node-typescript"}  # fonts are files
    assert machine.called == ["id -u"]


@pytest.mark.parametrize(
    "path",
    ["tests/unit", "./tests/unit/audio/test_vad.py::test_one", "tests/loopback/test_rooms.py"],
)
def test_what_needs_no_debian_package_asks_for_none(machine: CheckoutMachine, path: str) -> None:
    machine.debian((), user=0)
    machine.program(machine.bin / "apt-get")
    machine.environment({})
    assert machine.run("test", path, "-k", "one").returncode == 0
    assert not any(call.startswith("apt-get") for call in machine.called)
    assert machine.called[-1] == f"python -m pytest {path.removeprefix('./')} -k one"


@pytest.mark.parametrize("lacks", ["", "caddy"])
def test_root_gets_what_is_missing_and_is_told_before(machine: CheckoutMachine, lacks: str) -> None:
    """A package that cannot be installed does not prevent the others."""
    machine.debian([name for name in COMMANDS if name != "caddy"], user=0)
    refuse = '[[ "$*" != *caddy* ]] || { echo "caddy conflicts" >&2; exit 1; }' if lacks else ""
    machine.program(machine.bin / "apt-get", refuse)
    machine.environment({})
    done = machine.run("test", "tests/loopback/test_mounting.py")
    calls = [call for call in machine.called if call.startswith("apt-get")]
    assert calls[0].endswith(" update")
    told, _, rest = done.stderr.partition("caddy conflicts")
    assert "Installing Debian packages that these tests need: " in told
    alone = [call for call in calls if call.endswith("--no-install-recommends caddy")]
    if lacks:
        assert len(alone) == 2  # with the others, which are none here, and alone
        assert "Installing caddy failed" in rest
    else:
        assert len(calls) == 2
    assert done.returncode == (2 if lacks else 0)


def test_quick_runs_unit_tests_without_the_real_clock(machine: CheckoutMachine) -> None:
    machine.debian((), user=0)
    machine.environment({})
    assert machine.run("test", "quick", "-x").returncode == 0
    assert machine.called[-1] == (
        "python -m pytest tests/unit -m not real_time and not slow --hypothesis-profile=quick"
        " -n 2 -x"
    )


COVERAGE = "python scripts/coverage_by_layer.py"
BELOW_FLOOR = "Below the floor: x"
NOT_SLOW = "not slow"
ALL_TESTS = "slow or not slow"
FAILED_LINE = "FAILED tests/x.py::test_y"
PYTEST_FAILS = '[[ "$*" != *"{}"* ]] || {{ echo "FAILED tests/x.py::test_y"; exit 1; }}'
LIKE_PYTEST = """
import signal, sys
try:
    open(sys.argv[1], "w").close()
    signal.pause()
except KeyboardInterrupt:
    sys.exit(2)
"""
"""Program that says in a pipe that it runs, and ends at Ctrl-C as pytest does."""


def parts(tier: str) -> set[str]:
    """Return all parts that a full run of a tier starts on a machine of two cores."""
    browser = "tests/browser -p no:cacheprovider"
    measured = "" if tier == NOT_SLOW else " --cov --cov-report="
    return {
        f"python -m pytest tests/nemo -p no:cacheprovider -m {tier}",
        f"python -m pytest -m {tier} tests/unit tests/loopback tests/model"
        f" -n 3 --dist worksteal{measured}",
        f"python -m pytest -m ({tier}) and alone {browser}",
        f"python -m pytest -m ({tier}) and not alone {browser} -n 3 --dist worksteal",
    }


def full_machine(machine: CheckoutMachine, tools: dict[str, str]) -> None:
    """A machine that has all that a full run asks for."""
    machine.debian(COMMANDS, user=0)
    machine.program(machine.bin / "apt-get")
    machine.environment(tools)


@pytest.mark.parametrize(
    ("tools", "part", "repeated"),
    [
        ({}, "", ""),
        ({"mypy": "exit 1"}, "checks", "mypy: failed"),
        ({"python": PYTEST_FAILS.format("tests/unit")}, "tests", FAILED_LINE),
        ({"models": PYTEST_FAILS.format("-m pytest")}, "nemo", FAILED_LINE),
        ({"python": PYTEST_FAILS.format("and alone")}, "alone", FAILED_LINE),
        ({"python": PYTEST_FAILS.format("not alone")}, "browser", FAILED_LINE),
        ({"python": '[[ "$*" != *"and alone"* ]] || exit 5'}, "", ""),
        ({"models": '[[ "$*" != *"-m pytest"* ]] || exit 5'}, "", ""),
        (
            {"python": '[[ "$*" != *tests/unit* ]] || exit 3'},
            "tests",
            "see what it printed above",
        ),
    ],
    ids=[
        "all well",
        "types fail",
        "a test fails",
        "a model test fails",
        "one alone",
        "one in Chromium",
        "none alone",
        "no model test",
        "pytest itself",
    ],
)
def test_a_full_run_shows_all_and_repeats_last_what_failed(
    machine: CheckoutMachine, tools: dict[str, str], part: str, repeated: str
) -> None:
    full_machine(machine, tools)
    done = machine.run("test")
    assert done.returncode == (1 if part else 0)
    assert re.search(r"^scripts/test: \d+ min \d+ s$", done.stderr, re.MULTILINE)
    _, _, last = done.stderr.partition("FAILED in ")
    assert last.startswith(part)
    assert repeated in last
    if repeated == FAILED_LINE:
        assert FAILED_LINE in done.stdout
    runs = {call for call in machine.called if call.startswith("python -m pytest")}
    assert runs == parts(NOT_SLOW)
    assert any("[canary,canary-hf,silero,piper,test" in call for call in machine.called)


def test_the_slow_tier_holds_everything(machine: CheckoutMachine) -> None:
    full_machine(machine, {})
    assert machine.run("test", "--slow").returncode == 0
    assert parts(ALL_TESTS) <= set(machine.called)
    assert machine.called[-1] == COVERAGE
    assert not any("tests/cluster" in call for call in machine.called)


def test_the_slow_tier_alone_measures_coverage(machine: CheckoutMachine) -> None:
    below = f'[[ "$*" != *by_layer* ]] || {{ echo "{BELOW_FLOOR}"; exit 1; }}'
    full_machine(machine, {"python": below})
    assert machine.run("test").returncode == 0
    assert COVERAGE not in machine.called
    done = machine.run("test", "--slow")
    assert done.returncode == 1
    _, _, last = done.stderr.partition("FAILED in ")
    assert last.startswith("coverage")
    assert BELOW_FLOOR in last


@pytest.mark.skipif(not shutil.which("setsid"), reason="runs what is behind with all else")
def test_what_is_behind_has_a_session_of_its_own_and_fails_the_run(
    machine: CheckoutMachine,
) -> None:
    """Linux gives the processors to sessions: only so do tests that are alone go before it."""
    noted = "session ${stat[5]} $$ ${stat[18]}"
    note_session = f"read -ra stat </proc/$$/stat; echo {noted} >>{machine.calls}"
    fails = PYTEST_FAILS.format("tests/unit")
    full_machine(machine, {"python": f"{note_session}\n{fails}"})
    (machine.bin / "setsid").symlink_to(shutil.which("setsid") or "/nonexistent")
    done = machine.run("test")
    assert done.returncode == 1
    assert f"FAILED in tests:\n{FAILED_LINE}" in done.stderr
    calls = machine.called
    assert parts(NOT_SLOW) <= set(calls)
    sessions = [call.split()[1:] for call in calls if call.startswith("session ")]
    [nice] = [int(nice) for session, pid, nice in sessions if session == pid]
    assert nice == min(os.getpriority(os.PRIO_PROCESS, 0) + 5, 19)


@pytest.mark.skipif(not shutil.which("setsid"), reason="is no session that the run could end")
def test_what_is_behind_ends_with_an_interrupted_run(machine: CheckoutMachine) -> None:
    pid_file, pipe = machine.root / "pid", machine.root / "pipe"
    os.mkfifo(pipe)
    held = f"[[ $* != *tests/unit* ]] || {{ echo $$ >{pid_file}; echo >{pipe}; read -r <{pipe}; }}"
    full_machine(machine, {"python": held})
    (machine.bin / "setsid").symlink_to(shutil.which("setsid") or "/nonexistent")
    with machine.start("test") as run:
        pipe.read_bytes()
        behind = psutil.Process(int(pid_file.read_text()))
        assert behind.status() != psutil.STATUS_ZOMBIE
        run.terminate()
        run.communicate(timeout=60)
    gone, _ = psutil.wait_procs([behind], timeout=60)
    assert gone


@pytest.mark.skipif(not shutil.which("setsid"), reason="is no session that the run could end")
def test_after_an_interrupted_run_nothing_begins_behind(machine: CheckoutMachine) -> None:
    begun, end = machine.root / "begun", machine.root / "end"
    os.mkfifo(begun)
    os.mkfifo(end)
    held = f"[[ $* != *install* ]] || {{ echo >{begun}; read -r <{end}; }}"
    full_machine(machine, {"models": held})
    (machine.bin / "setsid").symlink_to(shutil.which("setsid") or "/nonexistent")
    with machine.start("test") as run:
        begun.read_bytes()
        behind = psutil.Process(run.pid).children(recursive=True)
        run.terminate()
        run.communicate(timeout=60)
    end.write_text("\n")
    _, left = psutil.wait_procs(behind, timeout=60)
    assert not left
    assert any("[canary,canary-hf,silero,piper,test" in call for call in machine.called)
    assert not any("tests/nemo" in call for call in machine.called)


def test_control_c_ends_a_run_whose_part_takes_it_for_a_failure(machine: CheckoutMachine) -> None:
    begun = machine.root / "begun"
    os.mkfifo(begun)
    program = machine.root / "pytest.py"
    program.write_text(LIKE_PYTEST)
    held = f'[[ "$*" != *"and alone"* ]] || exec {sys.executable} {program} {begun}'
    full_machine(machine, {"python": held})
    with machine.start("test") as run:
        begun.read_bytes()
        os.killpg(run.pid, signal.SIGINT)
        run.communicate(timeout=60)
    assert run.returncode == 130
    assert not any("not alone" in call or "by_layer" in call for call in machine.called)


def test_a_cluster_is_tested_where_ray_is(machine: CheckoutMachine) -> None:
    machine.debian(("ip",), user=0)
    machine.environment({})
    assert machine.run("test", "tests/cluster", "-k", "drain").returncode == 0
    assert machine.called[-1] == "python -m pytest tests/cluster -k drain"
    assert any("test,ray]" in call for call in machine.called)
