"""Findings of the doctor about made-up machines: processor, memory, GPU, model files."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from rtc_server.app.doctor import hardware
from rtc_server.app.doctor.findings import Finding, Level
from rtc_server.app.doctor.hardware import gpu, memory, model_files, processor, torch_cuda
from rtc_server.app.doctor.hardware import unpacking_room as room
from rtc_server.catalog import Model, ModelFile, ModelSet
from rtc_server.config import EngineSettings

GPU = EngineSettings(engines="gpu")
GIB = 2**20
"""Memory in kB."""


def machine(root: Path, **files: str) -> Path:
    """Write a root folder with these files: ``proc__meminfo`` is ``proc/meminfo``."""
    for name, text in files.items():
        path = root / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def only(findings: list[Finding]) -> Finding:
    [finding] = findings
    assert bool(finding.fix) is (finding.level is not Level.OK)
    return finding


@pytest.mark.parametrize(
    ("flags", "shown"),
    [
        ("flags : sse2 avx2 avx512_vnni", "with AVX2 and VNNI."),
        ("Features : fp asimd asimddp", "with dot product."),
        ("", "."),
    ],
)
def test_threads_and_fast_instructions(tmp_path: Path, flags: str, shown: str) -> None:
    found = only([*processor(EngineSettings(), machine(tmp_path, proc__cpuinfo=flags))])
    assert found.level is Level.OK
    assert "CPU thread" in found.what
    assert found.what.endswith(shown)


def test_memory_is_held_against_what_canary_takes(tmp_path: Path) -> None:
    roomy = machine(tmp_path / "a", proc__meminfo=f"MemAvailable:   {16 * GIB} kB\n")
    assert only([*memory(GPU, roomy)]).level is Level.OK
    small = machine(tmp_path / "b", proc__meminfo=f"MemAvailable:   {4 * GIB} kB\n")
    found = only([*memory(GPU, small)])
    assert found.level is Level.FAULT
    assert "4.3 GB of memory are free, and 8.3 GB are needed" in found.what
    assert only([*memory(EngineSettings(), small)]).level is Level.OK


def test_memory_is_held_against_the_models_on_disk_and_their_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = ModelFile("weights", "https://x", 10**9, "0" * 64)
    model = Model("recogniser", "recognizer", ("en",), "MIT", 1, (file,))
    monkeypatch.setattr("rtc_server.catalog.catalog", lambda: (model,))
    (tmp_path / "recogniser").mkdir()
    with (tmp_path / "recogniser" / "weights").open("wb") as weights:
        weights.truncate(10**9)
    laptop = EngineSettings(engines="laptop", models_dir=str(tmp_path))
    small = machine(tmp_path / "small", proc__meminfo=f"MemAvailable:   {10**9 // 1000} kB\n")
    assert "1.6 GB are needed" in only([*memory(laptop, small)]).what


def test_a_containers_limit_counts(tmp_path: Path) -> None:
    root = machine(
        tmp_path,
        proc__meminfo=f"MemAvailable:   {16 * GIB} kB\n",
        sys__fs__cgroup__memory_dot_max="4000000000\n",
        sys__fs__cgroup__memory_dot_current="1000000000\n",
    )
    assert "3.0 GB of memory are free" in only([*memory(GPU, root)]).what
    (root / "sys/fs/cgroup/memory.max").write_text("max\n")
    assert "17.2 GB of memory are free" in only([*memory(GPU, root)]).what


def test_gpu_driver_and_cuda_are_held_together(tmp_path: Path) -> None:
    bare, old = tmp_path / "bare", tmp_path / "old"
    machine(old, dev__nvidia0="", proc__driver__nvidia__version="Kernel Module  535.161.07  Sat\n")
    assert not [*gpu(EngineSettings(), old, "13.0")]
    assert not [*gpu(EngineSettings(engines="gpu", device="cpu"), old, "13.0")]
    assert only([*gpu(GPU, bare, "13.0")]).level is Level.NOTE
    assert "has no CUDA" in only([*gpu(GPU, old, "")]).what
    fault = only([*gpu(GPU, old, "13.0")])
    assert fault.level is Level.FAULT
    assert "535.161.07" in fault.what
    assert only([*gpu(GPU, old, "12.8")]).level is Level.OK


@pytest.mark.parametrize(
    ("line", "cuda"),
    [("cuda: Optional[str] = '13.0'", "13.0"), ("cuda: Optional[str] = None", ""), ("", "")],
)
def test_the_cuda_of_torch_is_read_without_importing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, cuda: str
) -> None:
    package = tmp_path / "torch"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')\n")
    (package / "version.py").write_text(f"__version__ = '2.13.0'\n{line}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert torch_cuda() == cuda


def test_model_files_are_hashed_and_the_missing_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def model(name: str) -> Model:
        file = ModelFile(f"{name}.nemo", "https://x", 5, sha256(b"right").hexdigest())
        return Model(name, "canary", ("en",), "MIT", 1, (file,))

    models = tuple(map(model, ("whole", "damaged", "absent", "unwanted")))
    monkeypatch.setattr("rtc_server.catalog.catalog", lambda: models)
    sets = (ModelSet("gpu", "A test", models[:3]),)
    monkeypatch.setattr("rtc_server.catalog.model_sets", lambda: sets)
    for name, content in (("whole", b"right"), ("damaged", b"wrong")):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.nemo").write_bytes(content)
    settings = EngineSettings(engines="gpu", models_dir=str(tmp_path))
    found = [*model_files(settings)]
    assert [(each.level, each.what.split()[1].rstrip(":")) for each in found] == [
        (Level.OK, "whole"),
        (Level.FAULT, "damaged"),
        (Level.FAULT, "absent"),
    ]
    assert found[2].fix == "Run: rtc-server models fetch absent"
    unneeded = EngineSettings(engines="gpu", ast="phrasebook", tts="auto")
    monkeypatch.setattr(hardware, "needed_models", lambda _: models[2:3])
    assert only([*model_files(unneeded)]).level is Level.NOTE
    assert {each.level for each in room(settings)} == {Level.OK}
    monkeypatch.setattr(hardware, "needed_models", lambda _: ())
    more = ModelFile("quicker.bin", "https://x", 5, "0" * 64, optional=True)
    monkeypatch.setattr(
        "rtc_server.catalog.catalog", lambda: (replace(models[0], files=(*models[0].files, more)),)
    )
    assert only([*model_files(settings)]).level is Level.NOTE
    (tmp_path / "whole" / more.name).write_bytes(b"wrong")
    assert only([*model_files(settings)]).level is Level.FAULT
    (tmp_path / "whole" / more.name).unlink()
    monkeypatch.setattr(hardware, "CANARY_UNPACKED_BYTES", 10**18)
    assert {each.level for each in room(settings)} == {Level.FAULT}
