"""Silero packages for tests: torch's own exporter around `silero_package`, as Silero packs."""

import hashlib
import importlib
import sys
import warnings
from pathlib import Path

import pytest
import torch
from torch.package import PackageExporter, package_exporter

from rtc_server.catalog import Model, ModelFile, find
from rtc_server.engines.silero.silero_text import ALPHABETS

SPEAKERS = {
    "v5_5_ru": ("aidar", "baya", "kseniya", "xenia", "eugene"),
    "v3_en": ("en_0", "en_1", "random"),
    "v3_de": ("bernd_ungerer", "eva_k"),
    "v3_es": ("es_0",),
    "v3_fr": ("fr_0",),
    "v4_ua": ("mykyta",),
    "v5_cis_base": ("bak_aigul", "ru_aigul", "ru_eduard", "ukr_igor"),
}
MODULE = "multi_acc_v3_package"


def write_package(path: Path, alphabet: str, speakers: tuple[str, ...], percent: bool) -> None:
    """A package of the tiny model at `path`."""
    folder = str(Path(__file__).parent / "silero_package")
    sys.path.insert(0, folder)
    gate = package_exporter._gate_torchscript_serialization
    package_exporter._gate_torchscript_serialization = False
    try:
        module = importlib.import_module(MODULE)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch.jit is deprecated, Silero's packages are not
            core = torch.jit.script(module.TinyCore(len(alphabet) + 3).eval())
            model = module.TTSModelMultiAcc_v3(core, alphabet, speakers, percent)
            with PackageExporter(str(path)) as exporter:
                exporter.intern(MODULE)
                exporter.extern(["torch.**"])
                exporter.save_pickle("tts_models", "model", model)
    finally:
        package_exporter._gate_torchscript_serialization = gate
        sys.path.remove(folder)
        sys.modules.pop(MODULE, None)


def fetched(folder: Path, *model_ids: str, percent: bool = True) -> tuple[Model, ...]:
    """Tiny models where the real ones would be, and a catalogue with their hashes."""
    entries = []
    for model_id in model_ids:
        real = find(model_id)
        letters = set().union(*(ALPHABETS[language] for language in real.languages))
        path = folder / model_id / real.files[0].name
        path.parent.mkdir(parents=True)
        write_package(path, "+" + "".join(sorted(letters)), SPEAKERS[model_id], percent)
        data = path.read_bytes()
        file = ModelFile(path.name, real.files[0].url, len(data), hashlib.sha256(data).hexdigest())
        entries.append(Model(model_id, "silero", real.languages, real.licence, 1, (file,)))
    return tuple(entries)


def use(monkeypatch: pytest.MonkeyPatch, models: tuple[Model, ...]) -> None:
    """Make these the entries of their ids; the rest of the catalogue stays."""
    by_id = {model.id: model for model in models}
    every = tuple(by_id.get(model.id, model) for model in find.__globals__["catalog"]())
    monkeypatch.setattr("rtc_server.catalog.catalog", lambda: every)
