"""A chosen engine set whose models are missing: an error or, on a terminal, a question."""

import io
import os
import pty
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from rtc_server import catalog, model_files
from rtc_server.catalog import Model, ModelFile, ModelSet
from rtc_server.cli import main
from rtc_server.cli.missing_models import provide_models
from rtc_server.config import EngineSettings
from rtc_server.errors import EngineUnavailable, ModelError
from tests.support.model_site import CONTENT, SHA256, Site, serving

Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch
KINDS = ("canary", "silero")


@pytest.fixture
def gpu(monkeypatch: Patch) -> tuple[Model, ...]:
    """Set ``gpu`` of two small models; every engine counts as installed."""
    monkeypatch.setattr("rtc_server.cli.missing_models.resolve", lambda *_: "module:create")
    address = "https://huggingface.co/x/{0}.bin"
    models = tuple(
        Model(kind, kind, ("ru",), f"licence of {kind}", 1,
              (ModelFile(f"{kind}.bin", address.format(kind), len(CONTENT), SHA256),))
        for kind in KINDS
    )  # fmt: skip
    monkeypatch.setattr("rtc_server.catalog.catalog", lambda: models)
    sets = (ModelSet("gpu", "A test", models, memory_mb=8300),)
    monkeypatch.setattr("rtc_server.catalog.model_sets", lambda: sets)
    return models


@contextmanager
def terminal(monkeypatch: Patch, typed: str) -> Iterator[int]:
    """Put stdin and stderr on a pseudo-terminal with typed input; return its other end."""
    ours, theirs = pty.openpty()
    os.write(ours, typed.encode())
    with os.fdopen(theirs, "r+b", buffering=0) as end:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(end, write_through=True))
        monkeypatch.setattr(sys, "stderr", sys.stdin)
        yield ours
    os.close(ours)


def settings(folder: Path) -> EngineSettings:
    return EngineSettings(engines="gpu", models_dir=str(folder))


def test_without_a_terminal_there_is_one_sentence_with_the_command(
    gpu: tuple[Model, ...], tmp_path: Path
) -> None:
    with pytest.raises(ModelError) as refused:
        provide_models(settings(tmp_path / "my models"), {})
    assert str(refused.value) == (
        "The engine set gpu needs canary, silero (2 MB), not on this machine. "
        f"Run: rtc-server models --models-dir '{tmp_path}/my models' fetch gpu"
    )
    with pytest.raises(ModelError, match="Run: rtc-server models fetch gpu"):
        provide_models(EngineSettings(engines="gpu"), {"XDG_CACHE_HOME": str(tmp_path)})


@pytest.mark.parametrize("command", [["serve"], ["translate", "in.wav"]])
def test_both_commands_that_load_engines_say_it(
    gpu: tuple[Model, ...], capsys: Capture, tmp_path: Path, command: list[str]
) -> None:
    assert main([*command, "--engines", "gpu", "--models-dir", str(tmp_path)], {}) == 2
    assert "models --models-dir" in capsys.readouterr().err


@pytest.mark.real_time
def test_a_yes_on_a_terminal_fetches_with_a_bar(
    gpu: tuple[Model, ...], monkeypatch: Patch, capsys: Capture, tmp_path: Path
) -> None:
    with serving(Site()) as site, terminal(monkeypatch, "y\n") as ours:
        provide_models(settings(tmp_path), {"HF_ENDPOINT": site.url})
        shown = os.read(ours, 65_536).decode()
    assert f"needs 2 models that are not in {tmp_path}" in shown
    assert "canary  1 MB, licence of canary" in shown
    assert "Serving takes up to 8.3 GB of memory." in shown
    assert "Fetch 2 MB now? [y/N]" in shown
    assert "██████ 1.0 of 1.0 MB" in shown
    assert site.paths == ["/x/canary.bin", "/x/silero.bin"]
    provide_models(settings(tmp_path), {})  # nothing is missing any more


@pytest.mark.parametrize("typed", ["n\n", "\n", "\x04", "yup\n"])
def test_anything_else_fetches_nothing(
    gpu: tuple[Model, ...], monkeypatch: Patch, tmp_path: Path, typed: str
) -> None:
    with terminal(monkeypatch, typed), pytest.raises(ModelError, match="fetch gpu"):
        provide_models(settings(tmp_path), {"HF_ENDPOINT": "http://127.0.0.1:9"})
    assert not list(tmp_path.iterdir())


def test_an_engine_that_is_not_installed_comes_before_its_models(
    gpu: tuple[Model, ...], monkeypatch: Patch, tmp_path: Path
) -> None:
    def absent(*_: object) -> str:
        raise EngineUnavailable("Engine canary needs torch.")

    monkeypatch.setattr("rtc_server.cli.missing_models.resolve", absent)
    with terminal(monkeypatch, "y\n"), pytest.raises(EngineUnavailable):
        provide_models(settings(tmp_path), {})


def test_the_engine_of_an_engine_server_need_not_be_installed_here(
    gpu: tuple[Model, ...], monkeypatch: Patch, tmp_path: Path
) -> None:
    looked_for: list[object] = []
    monkeypatch.setattr(
        "rtc_server.cli.missing_models.resolve", lambda *names: looked_for.append(names)
    )
    chosen = EngineSettings(
        engines="gpu", models_dir=str(tmp_path), ast_servers=("unix:/run/engines.sock",)
    )
    with pytest.raises(ModelError, match="needs silero"):
        provide_models(chosen, {})
    assert looked_for == [("tts", "silero")]


def test_files_from_a_folder_stand_in_for_a_whole_set(tmp_path: Path, monkeypatch: Patch) -> None:
    room = SimpleNamespace(free=10_000)  # enough only for the stand-ins
    monkeypatch.setattr("rtc_server.cli.download.shutil.disk_usage", lambda _: room)
    [laptop] = [each for each in catalog.model_sets() if each.id == "laptop"]
    stand_ins, folder = tmp_path / "stand-ins", tmp_path / "models"
    for model in laptop.models:
        (stand_ins / model.id).mkdir(parents=True)
        for file in model.files:
            (stand_ins / model.id / file.name).write_bytes(file.name.encode())
    chosen = EngineSettings(engines="laptop", models_dir=str(folder))
    with pytest.raises(ModelError, match=r"fetch laptop$"):
        provide_models(chosen, {})
    fetch = ["models", "--models-dir", str(folder), "fetch", "laptop", "--from", str(stand_ins)]
    assert main(fetch, {}) == 2  # their hashes are not the catalogue's
    assert main([*fetch, "--trust-download"], {}) == 0
    provide_models(chosen, {})
    assert main(["models", "--models-dir", str(folder), "remove", "en_US-ljspeech-medium"], {}) == 0
    provide_models(chosen, {})  # --tts auto needs no voice of its own
    (folder / "mt-en-ru" / "lex.50.50.enru.s2t.bin.gz").unlink()
    provide_models(chosen, {})  # for users who fetched the model before this was listed
    assert main([*fetch, "--trust-download"], {}) == 0
    for model in laptop.models:
        for file in model.files:
            with model_files.open_verified(folder, model, file) as handle:
                assert handle.read() == file.name.encode()
