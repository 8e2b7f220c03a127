"""Model files and devices that Canary refuses, and the sentence with which it does."""

import sys
import tarfile
from hashlib import sha256
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from rtc_server.engines.base import Ast, EngineOptions
from rtc_server.engines.canary.engine import create
from rtc_server.engines.canary.nemo_writer import restore
from rtc_server.errors import EngineUnavailable
from tests.support.nemo.fixture import MODEL


def refused(model: Path | str, device: str = "cpu") -> str:
    """The sentence with which the factory refuses."""
    with pytest.raises(EngineUnavailable) as caught:
        ast: Ast = create(EngineOptions(canary_model=str(model), device=device))
        ast.warm_up()
    return str(caught.value)


def repacked(folder: Path, name: str, content: bytes | None) -> Path:
    """The fixture with one of its files replaced, or left out."""
    with tarfile.open(MODEL) as archive:
        archive.extractall(folder / "files", filter="data")
    file = next((folder / "files").rglob(name))
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    changed = folder / "changed.nemo"
    with tarfile.open(changed, "w") as archive:
        archive.add(folder / "files", ".")
    return changed


def test_a_download_cut_short(tmp_path: Path) -> None:
    half = tmp_path / "half.nemo"
    half.write_bytes(MODEL.read_bytes()[: MODEL.stat().st_size // 2])
    assert "is not a complete .nemo file" in refused(half)
    assert "models fetch` goes on where it stopped" in refused(half)


def test_a_refusal_does_not_wait_for_nemo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "nemo.collections.asr.models", None)
    half = tmp_path / "half.nemo"
    half.write_bytes(MODEL.read_bytes()[: MODEL.stat().st_size // 2])
    assert "is not a complete .nemo file" in refused(half)
    assert "There is no CUDA here" in refused(MODEL, device="cuda")
    assert "needs nemo.collections.asr.models" in refused(MODEL)


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    picture = tmp_path / "cat.nemo"
    picture.write_bytes(b"\x89PNG" * 1000)
    assert "is not a complete .nemo file" in refused(picture)
    assert "is not a Canary model" in refused(repacked(tmp_path, "model_weights.ckpt", None))


def test_a_model_with_another_prompt(tmp_path: Path) -> None:
    with tarfile.open(MODEL) as archive:
        archive.extractall(tmp_path / "whole", filter="data")
    configuration = OmegaConf.load(next((tmp_path / "whole").rglob("model_config.yaml")))
    configuration.prompt_format = "canary"
    text = OmegaConf.to_yaml(configuration).encode()
    assert "canary2 prompt format" in refused(repacked(tmp_path, "model_config.yaml", text))


def test_damaged_weights(tmp_path: Path) -> None:
    damaged = repacked(tmp_path, "model_weights.ckpt", b"\0" * 5000)
    assert "could not be restored" in refused(damaged)
    with (
        damaged.open("rb") as handle,
        pytest.raises(EngineUnavailable, match="models verify"),
    ):
        restore(handle, damaged)


def test_a_model_that_is_not_here() -> None:
    assert "models fetch canary-1b-v2" in refused("nvidia/canary-1b-v2")
    assert "There is no model at no/such/file.nemo" in refused("no/such/file.nemo")


def test_a_fetched_file_that_is_not_the_catalogues(tmp_path: Path) -> None:
    folder = tmp_path / "canary-1b-v2"
    folder.mkdir()
    (folder / "canary-1b-v2.nemo").write_bytes(MODEL.read_bytes())
    options = EngineOptions(device="cpu", models_dir=tmp_path)
    with pytest.raises(EngineUnavailable, match="its SHA-256 differs"):
        create(options)
    (folder / "canary-1b-v2.nemo").rename(folder / "canary-1b-v2.nemo.part")
    with pytest.raises(EngineUnavailable, match=r"was cut short. Run: rtc-server models fetch"):
        create(options)


def test_a_fetched_file_that_the_operator_trusts(tmp_path: Path) -> None:
    folder = tmp_path / "canary-1b-v2"
    folder.mkdir()
    (folder / "canary-1b-v2.nemo").write_bytes(MODEL.read_bytes())
    digest = sha256(MODEL.read_bytes()).hexdigest()
    (folder / "canary-1b-v2.nemo.sha256").write_text(digest)
    ast = create(EngineOptions(device="cpu", models_dir=tmp_path))
    assert "canary-1b-v2" in ast.capabilities.title


def test_cuda_where_there_is_none() -> None:
    assert "There is no CUDA here" in refused(MODEL, device="cuda")
    assert "--device cpu" in refused(MODEL, device="cuda")
