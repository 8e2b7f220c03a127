"""systemd units as systemd reads them."""

import shutil
import subprocess
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = ("rtc-server.service", "rtc-server-engines.service")
COMMAND = "/opt/rtc-server/bin/rtc-server"


def verify(folder: Path, unit: str) -> str:
    """Return what `systemd-analyze verify` has to say of a unit and its drop-ins."""
    done = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", "--man=no", unit],
        cwd=folder, text=True, capture_output=True, check=False,
    )  # fmt: skip
    return "\n".join(line for line in done.stderr.splitlines() if unit.partition(".")[0] in line)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units as an operator puts them, drop-in included, with a command that is there."""
    for path in DEPLOY.glob("*.service*"):
        if path.is_dir():
            shutil.copytree(path, tmp_path / path.name)
        else:
            (tmp_path / path.name).write_text(path.read_text().replace(COMMAND, "/bin/true"))
    return tmp_path


@pytest.mark.parametrize("unit", UNITS)
def test_systemd_has_nothing_to_say(installed: Path, unit: str) -> None:
    assert verify(installed, unit) == ""


def test_a_mistake_in_the_drop_in_would_be_found(installed: Path) -> None:
    drop_in = installed / "rtc-server.service.d/workers.conf"
    drop_in.write_text(drop_in.read_text().replace("ExecReload=/bin/kill", "ExecReload=kill-it"))
    assert "kill-it" in verify(installed, UNITS[0])
