"""A fetched Canary for transformers: all files are read through the handles that were checked."""

from hashlib import sha256
from pathlib import Path

import pytest

from rtc_server.catalog import Model, ModelFile
from rtc_server.engines.canary.files import open_folder
from rtc_server.errors import EngineUnavailable

CONTENT = {"config.json": b"{}", "model.safetensors": b"weights"}


@pytest.fixture
def fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Folder of models with one of two files in it, the only one in the catalogue."""
    files = tuple(
        ModelFile(name, f"https://x/{name}", len(content), sha256(content).hexdigest())
        for name, content in CONTENT.items()
    )
    model = Model("tiny-hf", "canary-hf", ("en",), "MIT", 1, files)
    monkeypatch.setattr("rtc_server.catalog.catalog", lambda: (model,))
    (tmp_path / "tiny-hf").mkdir()
    for name, content in CONTENT.items():
        (tmp_path / "tiny-hf" / name).write_bytes(content)
    return tmp_path


@pytest.mark.parametrize("name", ["nvidia/tiny", "tiny", "tiny-hf"])
def test_what_was_checked_is_read_whatever_becomes_of_the_names(fetched: Path, name: str) -> None:
    with open_folder(name, fetched, "canary-hf", "config.json") as folder:
        for file in CONTENT:
            (fetched / "tiny-hf" / file).unlink()
            (fetched / "tiny-hf" / file).write_bytes(b"swapped")
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == CONTENT
    assert not folder.exists()


def test_another_file_is_refused(fetched: Path) -> None:
    (fetched / "tiny-hf" / "model.safetensors").write_bytes(b"Weights")
    with (
        pytest.raises(EngineUnavailable, match="models fetch tiny-hf"),
        open_folder("tiny", fetched, "canary-hf", "config.json"),
    ):
        pass


def test_a_folder_of_ones_own_is_taken_as_it_is(tmp_path: Path) -> None:
    with open_folder(str(tmp_path), Path(), "canary-hf", "config.json") as folder:
        assert folder == tmp_path
