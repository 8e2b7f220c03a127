"""Fixtures of the tests of the command."""

from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Folder of models that does not exist yet."""
    return tmp_path / "models"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let failed downloads be tried again at once."""
    monkeypatch.setattr("rtc_server.cli.download._PAUSE_S", 0.0)
