"""The scripts in a folder of their own, with programs that only write down how they were called."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import psutil
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from rtc_server.engine_sets import ENGINE_SETS

pytestmark = pytest.mark.real_time

CHECKOUT = Path(__file__).parents[2]
TOOLS = ("bash", "cat", "cksum", "dirname", "flock", "grep", "mktemp", "nice", "rm", "sleep", "tee")
"""Programs that the scripts may count on everywhere."""


REACHED_BY_CONTROL_C = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Starts a program with its arguments. What a shell puts behind ignores SIGINT, and so would all
that the tests start there."""


class CheckoutMachine:
    """A checkout without code, and a PATH without anything else."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "checkout"
        self.bin = folder / "bin"
        self.calls = folder / "calls"
        shutil.copytree(CHECKOUT / "scripts", self.root / "scripts")
        for name in ("pyproject.toml", "package.json", "package-lock.json"):
            shutil.copy(CHECKOUT / name, self.root)
        self.bin.mkdir()
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool) or "/nonexistent")

    def program(self, path: Path, script: str = "") -> None:
        """A program that writes its arguments down and then does `script`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#!/bin/bash\necho "{path.name} $*" >>{self.calls}\n{script}\n')
        path.chmod(0o755)

    def environment(self, scripts: dict[str, str]) -> None:
        """Both environments with these programs, doing these things."""
        for name in ("python", "ruff", "mypy", "lint-imports"):
            self.program(self.root / ".venv" / "bin" / name, scripts.get(name, ""))
        for name in ("tsc", "eslint"):
            program = self.root / "node_modules" / ".bin" / name
            self.program(program, scripts.get(name, ""))
        models = scripts.get("models", "")
        self.program(self.root / ".venv-models" / "bin" / "python", models)

    def debian(self, commands: Iterable[str], *, user: int = 1000) -> None:
        """The commands that are installed, and who we are."""
        self.program(self.bin / "id", f"echo {user}")
        for name in commands:
            self.program(self.bin / name)

    def run(self, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it from elsewhere; `calls` then holds what it called."""
        with self.start(script, *arguments) as process:
            try:
                output, errors = process.communicate(timeout=60)
            finally:
                process.kill()
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    def start(self, script: str, *arguments: str) -> subprocess.Popen[str]:
        """Start it from elsewhere, as a process group that Ctrl-C reaches."""
        self.calls.write_text("")
        self.program(self.bin / "nproc", "echo 2")
        return subprocess.Popen(
            [
                sys.executable,
                "-c",
                REACHED_BY_CONTROL_C,
                self.root / "scripts" / script,
                *arguments,
            ],
            process_group=0,
            env={"PATH": str(self.bin), "RTC_PORT": "1"},
            cwd="/",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def called(self) -> list[str]:
        return self.calls.read_text().splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> CheckoutMachine:
    return CheckoutMachine(tmp_path)


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
    """At the versions that the tests ran with, each file by its hash, from whatever registry."""
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


NEEDS = [
    line.split()
    for line in (CHECKOUT / "scripts" / "needs.txt").read_text().splitlines()
    if line and not line.startswith("#")
]
FONTS = {package for _, package, _ in NEEDS if package.startswith("fonts-")}
COMMANDS = {brings for _, _, brings in NEEDS if "/" not in brings}
"""Commands that Debian's packages bring; what is a file is not faked."""


def test_without_debian_packages_test_says_which(machine: CheckoutMachine) -> None:
    machine.debian(("chromium",))
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
    """One that cannot be installed does not keep the others away."""
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
    """All that a full run of a tier begins on a machine of two cores."""
    browser = "tests/browser -p no:cacheprovider"
    return {
        f"python -m pytest tests/nemo -p no:cacheprovider -m {tier}",
        f"python -m pytest -m {tier} tests/unit tests/loopback tests/model"
        " -n 3 --dist worksteal --cov --cov-report=",
        f"python -m pytest -m ({tier}) and alone {browser}",
        f"python -m pytest -m ({tier}) and not alone {browser} -n 2 --dist worksteal",
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
            {"python": '[[ "$*" != *by_layer* ]] || { echo "Below the floor: x"; exit 1; }'},
            "coverage",
            "Below the floor: x",
        ),
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
        "coverage",
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
    assert runs == parts("not slow")
    assert any("[canary,canary-hf,silero,piper,test" in call for call in machine.called)


def test_the_slow_tier_holds_everything(machine: CheckoutMachine) -> None:
    full_machine(machine, {})
    assert machine.run("test", "--slow").returncode == 0
    assert parts("slow or not slow") <= set(machine.called)
    assert not any("tests/cluster" in call for call in machine.called)


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
    assert parts("not slow") <= set(calls)
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
