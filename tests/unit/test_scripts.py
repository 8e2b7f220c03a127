"""The scripts in a folder of their own, with programs that only write down how they were called."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

pytestmark = pytest.mark.real_time

CHECKOUT = Path(__file__).parents[2]
TOOLS = ("bash", "cat", "cksum", "dirname", "flock")
"""What the scripts may count on everywhere."""


class Machine:
    """A checkout without code, and a PATH without anything else."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "checkout"
        self.bin = folder / "bin"
        self.calls = folder / "calls"
        shutil.copytree(CHECKOUT / "scripts", self.root / "scripts")
        shutil.copy(CHECKOUT / "pyproject.toml", self.root)
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
        models = scripts.get("models", "")
        self.program(self.root / ".venv-models" / "bin" / "python", models)

    def debian(self, commands: Iterable[str], *, user: int = 1000) -> None:
        """The commands that are installed, and who we are."""
        self.program(self.bin / "id", f"echo {user}")
        for name in commands:
            self.program(self.bin / name)

    def run(self, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it from elsewhere; `calls` then holds what it called."""
        self.calls.write_text("")
        return subprocess.run(
            [self.root / "scripts" / script, *arguments],
            env={"PATH": str(self.bin), "RTC_PORT": "1"},
            cwd="/",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    @property
    def called(self) -> list[str]:
        return self.calls.read_text().splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


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


def test_without_python_serve_says_what_to_install(machine: Machine) -> None:
    done = machine.run("serve")
    assert done.returncode == 1
    assert "needs Python 3.11 or newer" in done.stderr
    assert "apt-get install python3.11" in done.stderr


def test_the_second_start_installs_nothing(machine: Machine) -> None:
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


def test_install_adds_extras_and_serve_keeps_them(machine: Machine) -> None:
    machine.environment({})
    assert machine.run("install", "canary", "silero").returncode == 0
    assert machine.called[3].endswith(f"-e {machine.root}[canary,silero]")
    assert machine.run("install", "canary", "silero").returncode == 0
    assert machine.run("serve").returncode == 0
    assert machine.called == ["python -c ", "python -m rtc_server serve"]


def test_the_images_install_what_the_project_asks_for() -> None:
    script = CHECKOUT / "scripts" / "requirements.py"
    command = [sys.executable, str(script), "canary", "silero"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert {"aiortc==1.16.0", "nemo_toolkit[asr]==3.0.0", "ru-normalizr>=1.3,<1.4"} <= set(lines)
    assert not any("pytest" in line or "piper" in line for line in lines)


def test_a_failed_install_is_said_and_tried_again(machine: Machine) -> None:
    machine.environment({"python": '[[ "$*" != *install* ]]'})
    for _ in range(2):
        done = machine.run("serve")
        assert done.returncode == 1
        assert "needs a Python package registry" in done.stderr
        assert not any("rtc_server serve" in call for call in machine.called)


DEBIAN = re.findall(r"^  [\w.-]+:(\w+)$", (CHECKOUT / "scripts" / "test").read_text(), re.MULTILINE)
"""The commands that Debian's packages bring; what is a file is not faked."""


def test_without_debian_packages_test_says_which(machine: Machine) -> None:
    machine.debian(("flite",))
    done = machine.run("test")
    assert done.returncode == 2
    assert "sudo apt-get install chromium festival" in done.stderr
    assert "flite" not in done.stderr


@pytest.mark.parametrize("apt_works", [True, False])
def test_root_gets_the_debian_packages_installed(machine: Machine, *, apt_works: bool) -> None:
    machine.debian([name for name in DEBIAN if name not in ("chromium", "sox")], user=0)
    machine.program(machine.bin / "apt-get", "" if apt_works else '[[ "$*" != *install* ]]')
    machine.environment({})
    done = machine.run("test")
    update, install = (call for call in machine.called if call.startswith("apt-get"))
    assert update.endswith(" update")
    assert install.endswith(" install -y --no-install-recommends chromium sox")
    assert done.returncode == (0 if apt_works else 2)
    assert ("Installing chromium sox failed" in done.stderr) is not apt_works
    assert ("python -m pytest" in machine.called) is apt_works


@pytest.mark.parametrize(
    ("tools", "status", "complaint"),
    [
        ({}, 0, ""),
        ({"python": '[[ "$*" != "-m pytest"* ]] || exit 3'}, 3, ""),
        ({"mypy": "exit 1"}, 1, "Failed before the tests: mypy"),
        ({"ruff": "exit 1"}, 1, "Failed before the tests: ruff check, ruff format"),
    ],
    ids=["all well", "a test fails", "types fail", "lint fails"],
)
def test_every_check_runs_and_the_worst_is_the_status(
    machine: Machine, tools: dict[str, str], status: int, complaint: str
) -> None:
    machine.debian(DEBIAN)
    machine.environment(tools)
    done = machine.run("test", "-k", "one")
    assert done.returncode == status
    assert complaint in done.stderr
    assert machine.called[-5:] == [
        "ruff check",
        "ruff format --check",
        "mypy ",
        "lint-imports ",
        "python -m pytest -k one",
    ]
    assert f"-e {machine.root}[test]" in machine.called[-6]


@pytest.mark.parametrize(("models", "status"), [("", 0), ("exit 4", 4)])
def test_without_arguments_the_model_tests_run_in_their_own_environment(
    machine: Machine, models: str, status: int
) -> None:
    machine.debian(DEBIAN)
    machine.environment({"models": f'[[ "$*" != "-m pytest"* ]] || {models or "exit 0"}'})
    done = machine.run("test")
    assert done.returncode == status
    assert machine.called[-2:] == ["python -m pytest tests/nemo", "python -m pytest"]
    assert "[canary,canary-hf,silero,piper,test]" in machine.called[-3]
