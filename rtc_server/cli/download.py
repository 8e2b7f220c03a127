"""Download of one file: from its publisher, a mirror, or a folder.

A file is written as ``NAME.part`` and renamed once its hash is right, so that a partial file is
never used. An interrupted transfer is resumed if the server supports that, and begins again if it
does not, as with Silero's server.
"""

import http.client
import os
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rtc_server import __version__
from rtc_server.catalog import ModelFile
from rtc_server.errors import ModelError
from rtc_server.model_files import partial_path, record_path, sha256_of

Progress = Callable[[int, int | None], None]
"""Callback with the bytes so far and the total, None if not known."""

_CHUNK_BYTES = 1 << 16
_ATTEMPTS = 5
"""Times that a transfer is resumed after it has made progress and broken."""
_PAUSE_S = 0.5
_SILENCE_S = 60.0
"""Seconds without data after which a server counts as gone."""
_HEADERS = {"User-Agent": f"rtc-server/{__version__}", "Accept-Encoding": "identity"}
_PARTIAL_CONTENT, _RANGE_REFUSED = 206, 416
_TRUST = "Its publisher may have changed it. If you trust it all the same, add --trust-download."


class _BrokenOff(Exception):
    """Transfer that ended before the file was complete."""


@dataclass(frozen=True, slots=True)
class Fetch:
    """Download of one file."""

    file: ModelFile
    """Entry in the catalogue."""
    path: Path
    """Path of the finished file; its folder is created."""
    source: str | Path
    """URL (http or https), or path of a copy."""
    progress: Progress
    """Callback after each piece."""
    trust: bool = False
    """True to accept a file of another or an unknown hash, and record its hash beside it."""

    def run(self) -> None:
        """Download and check the file.

        Raises:
            ModelError: it cannot be fetched or written, or its hash is wrong.
        """
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            begun = self._there()
            self._bring()
            if begun and not self._fits():  # perhaps the pieces were of two versions
                self._part.unlink()
                self._bring()
            if self._fits():
                self._keep()
                return
            self._part.unlink()
        except OSError as exc:
            raise ModelError(
                f"Cannot write {exc.filename or self.path}: {exc.strerror or exc}."
            ) from exc
        raise ModelError(
            f"The file from {self.source} is not the catalogue's {self.file.name} (its SHA-256 "
            f"differs), and was deleted. {_TRUST}"
        )

    @property
    def _part(self) -> Path:
        return partial_path(self.path)

    def _there(self) -> int:
        """Return the number of bytes that were fetched already."""
        return self._part.stat().st_size if self._part.exists() else 0

    def _fits(self) -> bool:
        return self.trust or sha256_of(self._part) == self.file.sha256

    def _keep(self) -> None:
        with self._part.open("rb") as handle:
            os.fsync(handle.fileno())
        record_path(self.path).unlink(missing_ok=True)
        self._part.replace(self.path)
        if self.trust and sha256_of(self.path) != self.file.sha256:
            record(self.path)

    def _bring(self) -> None:
        if isinstance(self.source, Path):
            self._copy(self.source)
        else:
            self._download(self.source)

    def _copy(self, source: Path) -> None:
        total = source.stat().st_size
        check_room(self.path.parent, total)
        with source.open("rb") as copy, self._part.open("wb") as out:
            while data := copy.read(_CHUNK_BYTES):
                out.write(data)
                self.progress(out.tell(), total)

    def _download(self, url: str) -> None:
        """Transfer until `_part` is complete, resuming after breaks while there is progress."""
        check_room(self.path.parent, (self.file.size_bytes or 0) - self._there())
        for attempt in range(1, _ATTEMPTS + 1):
            before = self._there()
            if before and before == self.file.size_bytes:
                return
            try:
                self._transfer(url)
            except (_BrokenOff, urllib.error.URLError, http.client.HTTPException, OSError) as exc:
                if isinstance(exc, OSError) and exc.filename is not None:
                    raise  # ours, not the network's: it names a path
                if self._there() <= before or attempt == _ATTEMPTS:
                    raise ModelError(self._sentence(exc, url)) from exc
                time.sleep(_PAUSE_S)
            else:
                return

    def _transfer(self, url: str) -> None:
        """Make one request, from where `_part` ends. Raises: when it does not end with the file."""
        there = self._there()
        span = {"Range": f"bytes={there}-"} if there else {}
        request = urllib.request.Request(url, headers=_HEADERS | span)
        try:
            response = urllib.request.urlopen(request, timeout=_SILENCE_S)
        except urllib.error.HTTPError as exc:
            exc.close()
            if exc.code == _RANGE_REFUSED:  # more than there is: not a beginning of this file
                self._part.unlink()
                return self._transfer(url)
            raise ModelError(
                f"{url} answered {exc.code} {exc.reason}. If the file has moved, give another "
                "place with --from."
            ) from exc
        with response:
            start = there if response.status == _PARTIAL_CONTENT else 0
            length = response.headers.get("Content-Length")
            total = start + int(length) if length else None
            self._check_size(url, total)
            with self._part.open("ab" if start else "wb") as out:
                while data := response.read(_CHUNK_BYTES):
                    out.write(data)
                    self.progress(out.tell(), total or self.file.size_bytes)
                if total is not None and out.tell() != total:
                    raise _BrokenOff(f"{out.tell()} of {total} bytes were received")
        return None

    def _check_size(self, url: str, total: int | None) -> None:
        wanted = self.file.size_bytes
        if total is not None and wanted is not None and total != wanted and not self.trust:
            raise ModelError(
                f"{url} has {total} bytes, and the catalogue's {self.file.name} has {wanted}. "
                f"{_TRUST}"
            )

    def _sentence(self, exc: Exception, url: str) -> str:
        reason = getattr(exc, "reason", None) or exc
        if there := self._there():
            return (
                f"The download of {self.file.name} stopped at {there / 1e6:.1f} MB ({reason}). "
                "Run the same command again to continue."
            )
        return (
            f"Cannot reach {url} ({reason}). Check the network (HTTPS_PROXY is respected), or "
            "take the file from elsewhere with --from FOLDER or --from URL."
        )


def check_room(folder: Path, wanted_bytes: int) -> None:
    """Raise `ModelError` if the disk of `folder`, which may not exist yet, has too little room."""
    there = next((each for each in (folder, *folder.parents) if each.exists()), folder)
    free = shutil.disk_usage(there).free
    if free < wanted_bytes:
        raise ModelError(
            f"{folder} has room for {free / 1e6:.0f} MB, and {wanted_bytes / 1e6:.0f} MB are to "
            "come. Make room, or choose another folder with --models-dir."
        )


def record(path: Path) -> str:
    """Record the hash of a file that the operator trusts; return the hash.

    Raises:
        ModelError: the file cannot be read, or its folder cannot be written.
    """
    sha256 = sha256_of(path)
    try:
        record_path(path).write_text(f"{sha256}  {path.name}\n", "ascii")
    except OSError as exc:
        raise ModelError(f"Cannot write {exc.filename}: {exc.strerror}.") from exc
    return sha256
