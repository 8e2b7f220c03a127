"""Usage records appended to a file, one JSON object a line."""

import asyncio
import fcntl
import os
from pathlib import Path

from rtc_server.app.usage.usage_outbox import DeliveryError, Outgoing
from rtc_server.errors import ConfigError


class UsageFile:
    """Destination that appends records to a file, which only the server's user can read.

    It is opened for each record, so that log rotation can simply move the file away.
    """

    name = "the usage file"

    def __init__(self, path: Path) -> None:
        self._path = path

    def check(self) -> None:
        """Raise `ConfigError` if the file cannot be written."""
        try:
            self._append(b"")
        except OSError as error:
            raise ConfigError(
                f"Cannot write the usage file {self._path}: {error.strerror}. Its folder must "
                "exist, and the server must be able to write to it."
            ) from None

    async def deliver(self, record: Outgoing) -> None:
        """See `Destination.deliver`."""
        try:
            await asyncio.to_thread(self._append, f"{record.body}\n".encode())
        except OSError as error:
            raise DeliveryError(error.strerror or type(error).__name__) from None

    def _append(self, line: bytes) -> None:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            # Workers write to one file: between a short write and the cut no other may append, or
            # the cut takes its line. Closing unlocks.
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            begin = os.fstat(descriptor).st_size
            if os.write(descriptor, line) < len(line):
                os.ftruncate(descriptor, begin)  # remove the partial line, after a full disk
                raise OSError(0, "the disk is full")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
