"""``rtc-server models`` with a catalogue of one model."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from rtc_server.catalog import Model, ModelFile, ModelSet
from rtc_server.cli import main
from tests.support.model_site import CONTENT, SHA256

Capture = pytest.CaptureFixture[str]


def model(url: str = "http://127.0.0.1:9/x", sha256: str | None = SHA256) -> Model:
    """A model of one file of `CONTENT`."""
    file = ModelFile("tiny.pt", url, len(CONTENT), sha256)
    return Model("tiny", "silero", ("ru",), "MIT", 1, (file,))


def run(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    entry: Model,
    *argv: str,
    environ: Mapping[str, str] | None = None,
) -> int:
    """``rtc-server models`` with a catalogue of one model, and of ``pair``: it and a twin."""
    twin = Model("twin", entry.kind, ("en",), "CC0", 1, entry.files)
    monkeypatch.setattr("rtc_server.catalog.catalog", lambda: (entry, twin))
    pair = ModelSet("pair", "Two for a test", (entry, twin), memory_mb=1600)
    monkeypatch.setattr("rtc_server.catalog.model_sets", lambda: (pair,))
    return main(["models", "--models-dir", str(folder), *argv], environ or {})


def put(folder: Path, content: bytes, name: str = "tiny.pt") -> Path:
    path = folder / "tiny" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
