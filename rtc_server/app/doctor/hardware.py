"""Checks of processor, memory, room on disk, GPU and model files against what the engines need."""

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from rtc_server.app.doctor.findings import Finding, fault, note, ok
from rtc_server.app.needed_models import fetched_models, must_be_here, needed_models
from rtc_server.catalog import Model
from rtc_server.config import EngineSettings
from rtc_server.engines.nvidia import find_driver, is_too_old, why_unusable
from rtc_server.engines.registry import kinds_loaded
from rtc_server.engines.signed_weights import VNNI
from rtc_server.model_files import FileState, models_folder, path_of, state_of

ROOT = Path("/")
MEMORY_PER_BYTE = 1.6
"""Bytes of memory for each byte of model files: the laptop set's 0.88 GB took 1.4 GB, measured on
stand-ins of the real sizes (docs/engines.md)."""
CANARY_LOADING_BYTES = 8_300_000_000
"""Main memory while the published .nemo file is loaded, measured on a file of its shape."""
CANARY_UNPACKED_BYTES = 3_900_000_000
"""Disk space that it is unpacked into while it is loaded."""
_OF_TORCH = frozenset({"canary", "canary-hf", "silero"})
"""Kinds of models that run in PyTorch."""
_OF_INT8 = frozenset({"recognizer", "translation"})
"""Kinds whose arithmetic is on 8-bit integers."""


def look_at_hardware(engines: EngineSettings, root: Path = ROOT) -> Iterator[Finding]:
    """Yield all findings of this module. `root` holds ``dev``, ``proc`` and ``sys``."""
    yield from processor(engines, root)
    yield from memory(engines, root)
    yield from gpu(engines, root)
    yield from model_files(engines)
    yield from unpacking_room(engines)


def processor(engines: EngineSettings, root: Path = ROOT) -> Iterator[Finding]:
    """Check the number of threads, and the instructions for fast 8-bit arithmetic."""
    affinity = getattr(os, "sched_getaffinity", None)
    threads = len(affinity(0)) if affinity else os.cpu_count() or 1
    flags = set(re.findall(r"\w+", _read(root / "proc/cpuinfo")))
    fast = [
        name
        for name, any_of in (
            ("AVX2", {"avx2"}),
            ("VNNI", VNNI),
            ("dot product", {"asimddp"}),
        )
        if flags & any_of
    ]
    what = f"{threads} CPU thread{'s' if threads > 1 else ''}"
    if flags and not fast and _OF_INT8 & kinds_loaded(engines.ast, engines.tts):
        yield note(
            f"{what}, without AVX2: the models of {engines.ast} compute several times slower.",
            "Take a newer processor, or --engines embedded.",
        )
    else:
        yield ok(f"{what}{' with ' + ' and '.join(fast) if fast else ''}.")


def memory(engines: EngineSettings, root: Path = ROOT) -> Iterator[Finding]:
    """Check the free memory of the machine or container against what loading takes."""
    free = _free_memory(root)
    if free is None:
        return
    kinds = kinds_loaded(engines.ast, engines.tts)
    folder = models_folder(engines.models_dir)
    if "canary" in kinds:
        needed, why = CANARY_LOADING_BYTES, "while Canary's .nemo file is loaded"
    else:
        on_disk = sum(_size_bytes(folder, model) for model in fetched_models(engines, folder))
        needed = round(MEMORY_PER_BYTE * on_disk)
        why = "by the size of the models on disk and what computing takes"
    shown = f"{free / 1e9:.1f} GB of memory are free"
    if not needed:
        yield ok(f"{shown}.")
    elif free < needed:
        yield fault(
            f"{shown}, and {needed / 1e9:.1f} GB are needed, {why}.",
            "Stop other programs that use it, give the container more, or choose other engines.",
        )
    else:
        yield ok(f"{shown}; {needed / 1e9:.1f} GB are needed, {why}.")


def gpu(engines: EngineSettings, root: Path = ROOT, cuda: str | None = None) -> Iterator[Finding]:
    """Check GPU, driver and the CUDA of the installed PyTorch (`cuda`), for engines
    that use them.
    """
    kinds = kinds_loaded(engines.ast, engines.tts)
    if not _OF_TORCH & kinds or engines.device == "cpu":
        return
    driver = find_driver(root)
    cuda = torch_cuda() if cuda is None else cuda
    if driver is None or not cuda:
        if {"canary", "canary-hf"} & kinds:  # Silero is quick enough without
            yield note(
                "There is no NVIDIA GPU: Canary takes seconds for a phrase on the CPU."
                if driver is None
                else "There is an NVIDIA GPU, and PyTorch is missing or has no CUDA: Canary takes "
                "seconds for a phrase on the CPU.",
                "Install PyTorch's CUDA build (docs/canary.md), or accept that with --device cpu.",
            )
    elif is_too_old(driver, cuda):
        yield fault(why_unusable(driver, cuda), "Update the driver.")
    else:
        yield ok(f"NVIDIA driver {driver.version or 'of unknown version'}, PyTorch's CUDA {cuda}.")


def model_files(engines: EngineSettings) -> Iterator[Finding]:
    """Check the catalogue's files that the engines load: missing, damaged or right, by their
    hashes.
    """
    folder = models_folder(engines.models_dir)
    models = dict.fromkeys((*needed_models(engines), *fetched_models(engines, folder)))
    for model in models:
        states = {file.name: state_of(folder, model, file, hashed=True) for file in model.files}
        wrong = [f"{name} {state}" for name, state in states.items() if state != FileState.VERIFIED]
        absent = all(state is FileState.ABSENT for state in states.values())
        spared = {file.name for file in model.files if file.optional}
        slower = all(
            state is FileState.VERIFIED or (name in spared and state is FileState.ABSENT)
            for name, state in states.items()
        )
        if wrong:
            needless = slower or (absent and not must_be_here(engines, model))
            found = note if needless else fault
            yield found(
                f"Model {model.id}: {', '.join(wrong)}.",
                f"Run: rtc-server models fetch {model.id}",
            )
        else:
            yield ok(f"Model {model.id} is complete ({_size_bytes(folder, model) / 1e6:.1f} MB).")


def unpacking_room(engines: EngineSettings) -> Iterator[Finding]:
    """Check the room to unpack Canary in: beside its file, else where temporary files go."""
    folder = models_folder(engines.models_dir)
    for model in fetched_models(engines, folder):
        if model.kind != "canary":
            continue
        beside = path_of(folder, model, model.files[0]).parent
        folders = [p for p in (beside, Path(tempfile.gettempdir())) if os.access(p, os.W_OK)]
        free = max((shutil.disk_usage(folder).free for folder in folders), default=0)
        if free < CANARY_UNPACKED_BYTES:
            yield fault(
                f"Loading {model.id} unpacks {CANARY_UNPACKED_BYTES / 1e9:.1f} GB, and neither "
                f"{beside} nor the temporary folder has room.",
                "Make room, or name another folder with TMPDIR.",
            )
        else:
            yield ok(f"There is room to unpack {model.id} ({free / 1e9:.1f} GB).")


def _size_bytes(folder: Path, model: Model) -> int:
    """Return the bytes of a model on disk; the catalogue does not have those of a trusted file."""
    paths = (path_of(folder, model, file) for file in model.files)
    return sum(path.stat().st_size for path in paths if path.is_file())


def torch_cuda() -> str:
    """Return the version of CUDA that the installed PyTorch was built for; empty for none.

    It is read from PyTorch's version file: importing PyTorch takes seconds and a gigabyte.
    """
    spec = find_spec("torch")
    for folder in (spec and spec.submodule_search_locations) or ():
        if found := re.search(
            r"^cuda\b[^=]*=\s*'([\d.]+)'", _read(Path(folder, "version.py")), re.M
        ):
            return found[1]
    return ""


def _free_memory(root: Path) -> int | None:
    """Return the bytes of free memory; None if the system does not report them."""
    found = re.search(r"^MemAvailable:\s+(\d+) kB", _read(root / "proc/meminfo"), re.M)
    if not found:
        return None
    free = 1024 * int(found[1])
    container = root / "sys/fs/cgroup"
    limit, used = _read(container / "memory.max").strip(), _read(container / "memory.current")
    return min(free, int(limit) - int(used)) if limit.isdecimal() and used else free


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""
