"""Scripts in a checkout of their own, with programs that only write down how they were called."""

import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest

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
    """Checkout without code, and a PATH with nothing else."""

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
        """Write a program that records its arguments and then runs `script`."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#!/bin/bash\necho "{path.name} $*" >>{self.calls}\n{script}\n')
        path.chmod(0o755)

    def environment(self, scripts: dict[str, str]) -> None:
        """Write both environments, with programs that run these scripts."""
        for name in ("python", "ruff", "mypy", "lint-imports"):
            self.program(self.root / ".venv" / "bin" / name, scripts.get(name, ""))
        for name in ("tsc", "eslint"):
            program = self.root / "node_modules" / ".bin" / name
            self.program(program, scripts.get(name, ""))
        models = scripts.get("models", "")
        self.program(self.root / ".venv-models" / "bin" / "python", models)

    def debian(self, commands: Iterable[str], *, user: int = 1000) -> None:
        """Install these commands, and set the user."""
        self.program(self.bin / "id", f"echo {user}")
        for name in commands:
            self.program(self.bin / name)

    def run(self, script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the script from another folder; `calls` then holds the programs that it called."""
        with self.start(script, *arguments) as process:
            try:
                output, errors = process.communicate(timeout=60)
            finally:
                process.kill()
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    def start(self, script: str, *arguments: str) -> subprocess.Popen[str]:
        """Start the script from another folder, as a process group that Ctrl-C reaches."""
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


@pytest.fixture(name="machine")
def checkout_machine(tmp_path: Path) -> CheckoutMachine:
    """Fixture of the tests of scripts."""
    return CheckoutMachine(tmp_path)
