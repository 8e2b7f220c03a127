"""The dry run of a release: the wheel is built, installed alone, and translates a phrase."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]


def visible(folder: Path) -> list[str]:
    """Names in a folder, without those of tools that run beside, as coverage's."""
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


@pytest.mark.slow
def test_the_dry_run_of_a_release() -> None:
    before = visible(CHECKOUT)
    command = [sys.executable, "-m", "scripts.release", "--dry-run"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.sub(r" \(\d+ s\)", "", done.stdout).splitlines() == [
        "Built the sdist, and the wheel from it",
        "Built the same wheel from the checkout",
        "Packed the client library for npm",
        "Installed the wheel alone",
        "Listed what it needs as a CycloneDX bill of materials",
        "Served from it and translated a phrase over WebRTC",
    ]
    assert visible(CHECKOUT) == before
