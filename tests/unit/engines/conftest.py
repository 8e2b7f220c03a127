"""Fixtures of the tests of engines."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Folder of packages on the import path; modules imported from it are unloaded at the end."""
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith(("rtc_odd", "rtc_stopwatch"))]:
        del sys.modules[name]
