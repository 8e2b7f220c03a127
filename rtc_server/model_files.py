"""Files of the catalogue's models on disk.

A fetched file is ``MODELS_DIR/ID/NAME``. Its SHA-256 is the catalogue's, or the one recorded beside
it (``NAME.sha256``) when the operator chose to trust what was downloaded. Nothing here uses the
network: the command line does.
"""

import hashlib
import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from rtc_server.catalog import Model, ModelFile
from rtc_server.errors import ModelError


class FileState(StrEnum):
    """State of a file on disk."""

    ABSENT = "absent"
    """Nothing."""
    PARTIAL = "partial"
    """The beginning; fetching goes on where it stopped."""
    WRONG = "wrong"
    """A file of another size or hash."""
    UNPINNED = "unpinned"
    """A file whose right hash nobody told."""
    VERIFIED = "verified"
    """The right file."""


def models_folder(setting: str, environ: Mapping[str, str] | None = None) -> Path:
    """Return the folder of models: the setting, else ``rtc-server/models`` in the user's cache
    folder.
    """
    if setting:
        return Path(setting).expanduser()
    cache_home = (os.environ if environ is None else environ).get("XDG_CACHE_HOME", "")
    base = Path(cache_home) if Path(cache_home).is_absolute() else Path.home() / ".cache"
    return base / "rtc-server" / "models"


def path_of(folder: Path, model: Model, file: ModelFile) -> Path:
    """Return the path of a model's file, fetched or not."""
    return folder / model.id / file.name


def partial_path(path: Path) -> Path:
    """Return the path of the beginning of a file while it is being fetched."""
    return path.with_name(path.name + ".part")


def record_path(path: Path) -> Path:
    """Return the path of the hash of a file that the operator chose to trust."""
    return path.with_name(path.name + ".sha256")


def expected_sha256(path: Path, file: ModelFile) -> str | None:
    """Return the hash that a file should have: the one recorded beside it, else the catalogue's."""
    try:
        recorded = record_path(path).read_text("ascii").split()
    except (OSError, UnicodeDecodeError):
        recorded = []
    return recorded[0] if recorded else file.sha256


def state_of(folder: Path, model: Model, file: ModelFile, *, hashed: bool = False) -> FileState:
    """Return the state of a file on disk. Without `hashed`, its size is all that is looked at."""
    path = path_of(folder, model, file)
    if not path.is_file():
        return FileState.PARTIAL if partial_path(path).is_file() else FileState.ABSENT
    expected = expected_sha256(path, file)
    if expected is None:
        return FileState.UNPINNED
    trusted = record_path(path).is_file()
    if not trusted and file.size_bytes is not None and path.stat().st_size != file.size_bytes:
        return FileState.WRONG
    if hashed and sha256_of(path) != expected:
        return FileState.WRONG
    return FileState.VERIFIED


def is_present(folder: Path, model: Model) -> bool:
    """Return whether anything of a model is there, right or wrong, whole or in part."""
    return any(state_of(folder, model, file) is not FileState.ABSENT for file in model.files)


def open_verified(folder: Path, model: Model, file: ModelFile) -> BinaryIO:
    """Open a model's file for reading, its hash checked through this very handle.

    What is read from it is what was checked, whatever happens to the name meanwhile.

    Raises:
        ModelError: it is missing, cut short, has another hash, or nobody told its right hash.
    """
    path = path_of(folder, model, file)
    state = state_of(folder, model, file)
    if state is FileState.ABSENT:
        raise ModelError(f"{file.name} of model {model.id} is not here. {_fetch(model)}")
    if state is FileState.PARTIAL:
        raise ModelError(f"The download of {model.id} was cut short. {_fetch(model)}")
    expected = expected_sha256(path, file)
    if expected is None:
        raise ModelError(
            f"The right hash of {path} is not known, so it is not loaded. If you trust the file, "
            f"record its hash: rtc-server models verify {model.id} --trust-download"
        )
    try:
        handle = path.open("rb")
    except OSError as exc:
        raise ModelError(f"Cannot read {path}: {exc.strerror}.") from exc
    if hashlib.file_digest(handle, "sha256").hexdigest() != expected:
        handle.close()
        raise ModelError(
            f"{path} is not the file that the catalogue names (its SHA-256 differs), so it is not "
            f"loaded. Fetch it again: rtc-server models fetch {model.id}"
        )
    handle.seek(0)
    return handle


def sha256_of(path: Path) -> str:
    """Return the hash of a file.

    Raises:
        ModelError: it cannot be read.
    """
    try:
        with path.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError as exc:
        raise ModelError(f"Cannot read {path}: {exc.strerror}.") from exc


def _fetch(model: Model) -> str:
    return f"Run: rtc-server models fetch {model.id}"
