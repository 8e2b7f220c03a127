"""Unpacking of a ``.nemo`` archive: its members, its place, and the errors."""

import io
import os
import tarfile
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from rtc_server.engines.canary.archive import unpacked
from rtc_server.errors import EngineUnavailable

PARTS = ("./model_config.yaml", "./model_weights.ckpt")
ALIGNER = ("./timestamps_asr_model_config.yaml", "./timestamps_asr_model_weights.ckpt")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Write an archive in a folder of its own, laid out like Canary's; 1 kB a file."""
    path = tmp_path / "models" / "tiny.nemo"
    path.parent.mkdir()
    with tarfile.open(path, "w") as archive:
        for name in (*PARTS, *ALIGNER):
            info = tarfile.TarInfo(name)
            info.size = 1000
            archive.addfile(info, io.BytesIO(b"x" * 1000))
    return path


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def room(monkeypatch: pytest.MonkeyPatch, free: dict[Path, int]) -> None:
    usage = "rtc_server.engines.canary.archive.shutil.disk_usage"
    monkeypatch.setattr(usage, lambda place: SimpleNamespace(free=free[Path(place)]))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_is_unpacked_beside_itself_without_the_aligner(model: Path, temporary: Path) -> None:
    with model.open("rb") as handle, unpacked(handle, model) as folder:
        assert folder.parent == model.parent
        assert names(folder) == ["model_config.yaml", "model_weights.ckpt"]
    assert names(model.parent) == ["tiny.nemo"]
    assert names(temporary) == []


def test_the_temporary_folder_serves_when_there_is_no_room_beside_it(
    model: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room(monkeypatch, {model.parent: 1999, temporary: 2000})  # the aligner is not unpacked
    with model.open("rb") as handle, unpacked(handle, model) as folder:
        assert folder.parent == temporary


def test_without_room_anywhere_both_places_and_the_need_are_named(
    model: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room(monkeypatch, {model.parent: 1000, temporary: 1000})
    with (
        model.open("rb") as handle,
        pytest.raises(EngineUnavailable, match="temporary space") as refused,
        unpacked(handle, model),
    ):
        pass
    for words in (str(model.parent), str(temporary), "TMPDIR"):
        assert words in str(refused.value)


def test_a_disk_that_is_full_all_the_same_is_no_damage(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tarfile.TarFile, "extractall", full)
    with (
        model.open("rb") as handle,
        pytest.raises(EngineUnavailable, match=r"No space left on device\. Make room"),
        unpacked(handle, model),
    ):
        pass
    assert names(model.parent) == ["tiny.nemo"]


def test_what_a_killed_process_left_is_removed_once_it_must_be_dead(model: Path) -> None:
    old, young = (model.parent / f".unpacked-{name}" for name in ("old", "young"))
    for folder in (old, young):
        folder.mkdir()
    os.utime(old, (time.time() - 4000,) * 2)
    with model.open("rb") as handle, unpacked(handle, model):
        assert not old.exists()
    assert young.exists()
