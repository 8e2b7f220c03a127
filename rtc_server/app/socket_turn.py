"""Turn of a process that makes a Unix socket, among those that do so in one folder."""

import asyncio
import contextlib
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from rtc_server.errors import ConfigError

TURN_S = 10.0
"""Longest wait for another process that makes a socket in the same folder."""
_LOOK_S = 0.05


@asynccontextmanager
async def alone_at(path: Path) -> AsyncIterator[None]:
    """Hold the lock of the socket's folder while the block runs.

    Without it two servers that start at once both find the socket of one that was killed. The
    first replaces it and listens; the second, which has just seen that nobody does, removes the
    first's, and both believe that they can be reached.

    Raises:
        ConfigError: there is no such folder, or another process holds the lock for too long.
    """
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise ConfigError(f"Cannot listen on {path} ({error.strerror or error}).") from None
    try:
        try:
            async with asyncio.timeout(TURN_S):
                while not _locked(folder):  # noqa: ASYNC110 - the kernel tells nobody
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            raise ConfigError(
                f"Cannot listen on {path}: another server has been starting in that folder for "
                f"{TURN_S:g} s. Stop it, or name another folder."
            ) from None
        yield
    finally:
        os.close(folder)  # unlocks


def _locked(folder: int) -> bool:
    with contextlib.suppress(BlockingIOError):
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False
