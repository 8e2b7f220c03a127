"""Lock for making Unix sockets: one process at a time in each folder."""

import asyncio
import contextlib
import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from rtc_server.errors import ConfigError

TURN_S = 10.0
"""Longest wait for another process that holds the lock of the folder."""
_LOOK_S = 0.05


@asynccontextmanager
async def alone_at(path: Path) -> AsyncIterator[None]:
    """Hold the lock of the socket's folder while the block runs.

    Without it two servers that start at once both find the socket of one that was killed. The
    first replaces it and listens; the second, which has just found no listener, removes the first's
    socket, and then clients cannot reach the first.

    Raises:
        ConfigError: the folder does not exist, or another process holds the lock for too long.
    """
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise ConfigError(f"Cannot listen on {path} ({error.strerror or error}).") from None
    try:
        try:
            async with asyncio.timeout(TURN_S):
                while not _locked(folder):  # noqa: ASYNC110 - the kernel reports no event
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
