"""Temporary copies of large files on a disk, and never in memory."""

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

CHUNK_BYTES = 1 << 20
_SPARE_BYTES = 1 << 28
"""Room that is left to others where the copy lies."""
_MOUNTS = Path("/proc/self/mountinfo")
_OF_MEMORY = ("tmpfs", "ramfs")


def disk_copy(file: BinaryIO) -> BinaryIO | None:
    """Return a copy beside the file or where temporary files go; none without room on a disk."""
    size = file.seek(0, os.SEEK_END)
    folders = [tempfile.gettempdir()]
    if isinstance(getattr(file, "name", None), str):
        folders.insert(0, str(Path(file.name).resolve().parent))
    for folder in folders:
        try:
            if is_memory(folder) or shutil.disk_usage(folder).free < size + _SPARE_BYTES:
                continue
            copy = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 (who asked for it closes it)
        except OSError:  # it may not be written, or is gone
            continue
        try:
            file.seek(0)
            shutil.copyfileobj(file, copy, CHUNK_BYTES)
        except OSError:  # it has become full
            with suppress(OSError):  # closing writes what is buffered, too
                copy.close()
        else:
            return cast(BinaryIO, copy)
    return None


def is_memory(folder: str) -> bool:
    """Return whether a folder is known to lie in main memory, as ``/tmp`` does in containers.

    Raises:
        OSError: there is no such folder.
    """
    device = Path(folder).stat().st_dev
    number = f"{os.major(device)}:{os.minor(device)}"
    try:
        mounts = _MOUNTS.read_text("utf-8", "replace").splitlines()
    except OSError:  # no Linux
        return False
    # ID, parent, device, root, folder, options, any number of further fields, "-", kind, …
    return any(
        mount.split()[2] == number and mount.partition(" - ")[2].split()[0] in _OF_MEMORY
        for mount in mounts
    )
