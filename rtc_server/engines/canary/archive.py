"""Contents of a ``.nemo`` archive, and unpacking what is needed where there is room."""

import os
import shutil
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from rtc_server.engines.canary.files import not_canary
from rtc_server.errors import EngineUnavailable

PARTS = frozenset({"model_config.yaml", "model_weights.ckpt"})
"""Files that every ``.nemo`` archive holds."""
_ALIGNER = "timestamps_asr_model"
"""Beginning of the names of an aligner for timestamps: 2.5 GB that nobody needs here."""
_PREFIX = ".unpacked-"
_STALE_S = 3600
"""Age of a folder that a killed process must have left: no start takes as long."""


@contextmanager
def unpacked(handle: BinaryIO, path: Path) -> Iterator[Path]:
    """Unpack an archive, without its aligner, for as long as the block lasts.

    NeMo by itself unpacks all of it into the temporary folder, which may be small, or in memory.

    Args:
        handle: the archive, read from its beginning.
        path: its name; it is unpacked beside that, or where temporary files go.

    Raises:
        EngineUnavailable: the archive is damaged or holds something else, or neither place has
            room; said before NeMo spends minutes on it.
    """
    try:
        handle.seek(0)
        with tarfile.open(fileobj=handle) as archive:
            members = archive.getmembers()
    except (tarfile.TarError, EOFError, OSError) as exc:
        raise _damaged(path) from exc
    if not {Path(member.name).name for member in members} >= PARTS:
        raise not_canary(path)
    members = [m for m in members if not Path(m.name).name.startswith(_ALIGNER)]
    place = _place(path, sum(member.size for member in members))
    with tempfile.TemporaryDirectory(prefix=_PREFIX, dir=place) as name:
        try:
            handle.seek(0)
            with tarfile.open(fileobj=handle) as archive:
                archive.extractall(name, members, filter="data")
        except (tarfile.TarError, EOFError) as exc:
            raise _damaged(path) from exc
        except OSError as exc:
            raise EngineUnavailable(
                f"{path.name} cannot be unpacked in {place}: {exc.strerror or exc}. Make room "
                "there, or name another folder with TMPDIR."
            ) from exc
        yield Path(name)


def _place(path: Path, needed_bytes: int) -> Path:
    """Return a folder with room for so much."""
    lacking = []
    for place in dict.fromkeys((path.resolve().parent, Path(tempfile.gettempdir()))):
        if not os.access(place, os.W_OK):
            lacking.append(f"{place} (not writable)")
            continue
        _sweep(place)
        free = shutil.disk_usage(place).free
        if free >= needed_bytes:
            return place
        lacking.append(f"{place} ({free / 1e9:.1f} GB free)")
    raise EngineUnavailable(
        f"Loading {path.name} needs {needed_bytes / 1e9:.1f} GB of temporary space, which is not "
        f"in {' nor in '.join(lacking)}. Make room, or name another folder with TMPDIR."
    )


def _sweep(place: Path) -> None:
    """Remove what killed processes left."""
    for folder in place.glob(_PREFIX + "*"):
        if time.time() - folder.stat().st_mtime > _STALE_S:
            shutil.rmtree(folder, ignore_errors=True)


def _damaged(path: Path) -> EngineUnavailable:
    return EngineUnavailable(
        f"{path} is not a complete .nemo file. If its download was cut short, `rtc-server models "
        "fetch` goes on where it stopped; else give another with --canary-model."
    )
