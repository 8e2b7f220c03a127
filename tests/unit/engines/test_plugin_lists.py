"""Plug-in engines that are listed: their packages, phrases and contract."""

import sys
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import Distribution, EntryPoint
from pathlib import Path

import pytest

from rtc_phrasebook import ENGINE as PHRASEBOOK
from rtc_server.cli import main
from rtc_server.engines import contract, registry
from rtc_server.engines.base import EngineOptions
from rtc_server.engines.plugin_discovery import OWN_PACKAGE, found_plugins
from tests.support.engine_plugins import EXAMPLE, install, install_example

CHECKOUT = Path(__file__).parents[3]


def test_the_list_shows_packages_and_faults(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    install_example(site)
    install(site, "rtc-odd", {"odd": "rtc_odd:ENGINE"}, {"rtc_odd": "import not_there_at_all"})
    assert main(["engines", "list"], {}) == 0
    shown = capsys.readouterr().out
    assert "  stopwatch\n" in shown and "    package: rtc-stopwatch 1.0\n" in shown
    assert "Engine odd of the package rtc-odd 1.0 cannot be imported" in shown
    assert main(["engines"], {}) == 0
    assert capsys.readouterr().out == shown


def test_the_phrasebook_is_a_plug_in_as_any_other() -> None:
    [found] = found_plugins("phrasebook")
    assert (found.package, found.plugin, found.fault) == (OWN_PACKAGE, PHRASEBOOK, "")
    declared = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))["project"]
    assert declared["entry-points"][contract.ENTRY_POINTS] == {
        "phrasebook": "rtc_phrasebook:ENGINE"
    }


@pytest.mark.parametrize(
    "old", [(), (EntryPoint("phrasebook", "rtc_server.gone:ENGINE", contract.ENTRY_POINTS),)]
)
def test_an_installation_that_is_older_than_its_checkout_finds_the_phrasebook(
    monkeypatch: pytest.MonkeyPatch, old: Sequence[EntryPoint]
) -> None:
    """Metadata of an editable installation is that of the day it was made."""
    distribution = Distribution.from_name(OWN_PACKAGE)
    ours = [each._for(distribution) for each in old]  # type: ignore[attr-defined]
    monkeypatch.setattr("rtc_server.engines.plugin_discovery.entry_points", lambda group: ours)
    monkeypatch.setattr(sys, "path", [*sys.path, f"/another/path/than/before/{len(ours)}"])
    [found] = found_plugins("phrasebook")
    assert (found.package, found.plugin) == (OWN_PACKAGE, PHRASEBOOK)


def test_an_engine_with_a_list_of_phrases_shows_them() -> None:
    options = EngineOptions()
    assert registry.phrases("phrasebook", "en", "ru", options)
    assert registry.phrases("phrasebook", "de", "ru", options) == ()
    assert registry.phrases("laptop", "en", "ru", options) == ()


def test_the_contract_names_what_it_says_and_its_version_is_noticed() -> None:
    """A name that goes, or a description that can no longer be written so, is a new version."""
    assert contract.CONTRACT_VERSION == 1
    assert set(contract.__all__) >= {
        *("Ast", "AstRequest", "EnginePlugin", "Tts", "beat", "install_command"),
    }
    assert replace(PHRASEBOOK, contract=contract.CONTRACT_VERSION) == PHRASEBOOK


def test_the_example_imports_the_contract_alone() -> None:
    for path in EXAMPLE.rglob("*.py"):
        lines = [line for line in path.read_text("utf-8").splitlines() if "rtc_server" in line]
        assert all(line.startswith("from rtc_server.engines.contract import") for line in lines)
