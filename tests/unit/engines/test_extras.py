import re
import shlex
import sys
import tomllib
from pathlib import Path

import pytest

from rtc_server.engines.extras import install_command

CHECKOUT = Path(__file__).parents[3]
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
ASKED = {"": PROJECT["dependencies"], **EXTRAS}


def name_of(requirement: str) -> str:
    """Return the distribution's name as the registry compares it (PEP 503)."""
    name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("extra", ASKED)
def test_the_command_installs_tested_versions_from_any_folder(extra: str) -> None:
    python, m, pip, install, c, constraints, *wanted = shlex.split(install_command(extra))
    assert (python, m, pip, install, c) == (sys.executable, "-m", "pip", "install", "-c")
    assert Path(constraints).is_absolute()
    assert "torch==" in Path(constraints).read_text()
    # A build backend may write a requirement's parts in another order.
    assert {name_of(each) for each in wanted} == {name_of(each) for each in ASKED[extra]}


def test_one_package_alone() -> None:
    assert shlex.split(install_command(only="pocketsphinx"))[6:] == ["pocketsphinx<5.2,>=5.1"]
    assert shlex.split(install_command("piper", only="piper-tts"))[6:] == ["piper-tts<2,>=1.8"]


def test_one_of_another_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "rtc_odd-1.0.dist-info"
    folder.mkdir()
    needs = "Requires-Dist: odd-ears<3\nRequires-Dist: odd-eyes>=2\n"
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: rtc-odd\nVersion: 1\n{needs}")
    monkeypatch.syspath_prepend(tmp_path)
    assert shlex.split(install_command(package="rtc-odd", only="odd-ears"))[6:] == ["odd-ears<3"]


def test_every_requirement_has_a_tested_version() -> None:
    lines = (CHECKOUT / "scripts" / "constraints.txt").read_text().splitlines()
    pinned = {name_of(line) for line in lines if re.fullmatch(r"[\w.-]+==\S+", line)}
    asked = {name_of(requirement) for group in ASKED.values() for requirement in group}
    assert asked - pinned == set(), "run scripts/freeze"


def test_the_list_names_versions_and_nothing_of_a_machine() -> None:
    lines = (CHECKOUT / "scripts" / "constraints.txt").read_text().splitlines()
    odd = [line for line in lines if not re.fullmatch(r"#.*|[\w.-]+==[\w.!]+", line)]
    assert odd == []
