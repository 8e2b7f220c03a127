"""Minutes that keys have used today, kept in an SQLite file over a restart of the server."""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from typing import Final

from rtc_server.background import beside
from rtc_server.clock import Clock
from rtc_server.errors import ConfigError
from rtc_server.session.quota import DAY_S, Quotas

SAVE_S: Final = 30.0
"""Interval of saving: a server that is killed loses at most that much use."""
_BUSY_S: Final = 5.0
"""Longest wait for another process that has the file open."""
_TABLE: Final = (
    "CREATE TABLE IF NOT EXISTS used "
    "(day INTEGER, key TEXT, seconds REAL NOT NULL, PRIMARY KEY (day, key))"
)
# The greater value: a server that still drains does not overwrite its successor's count.
_SAVE: Final = (
    "INSERT INTO used VALUES (?, ?, ?) "
    "ON CONFLICT DO UPDATE SET seconds = max(seconds, excluded.seconds)"
)

logger = logging.getLogger(__name__)


class QuotaFile:
    """Table of days since 1970 (UTC), ids of keys, and seconds used."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self, day: int) -> dict[str, float]:
        """Return the seconds of each key on that day. Raises `ConfigError` for any other file."""
        try:
            self._path.touch(mode=0o600)
            with self._open() as base:
                base.execute(_TABLE)
                rows = base.execute("SELECT key, seconds FROM used WHERE day = ?", (day,))
                return {str(key): float(seconds) for key, seconds in rows}
        except (sqlite3.Error, OSError, ValueError) as error:
            raise ConfigError(
                f"Cannot use the quota file {self._path}: {error}. Its folder must exist, and "
                "the server must be able to write to it; move a damaged file away."
            ) from None

    def save(self, day: int, used_s: Mapping[str, float]) -> None:
        """Save the seconds of that day, and delete earlier days. Raises `sqlite3.Error`."""
        with self._open() as base:
            base.executemany(_SAVE, [(day, key, seconds) for key, seconds in used_s.items()])
            base.execute("DELETE FROM used WHERE day < ?", (day,))

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """Open the file for one transaction."""
        with closing(sqlite3.connect(self._path, timeout=_BUSY_S)) as base, base:
            yield base


@asynccontextmanager
async def kept_quotas(
    quotas: Quotas, file: QuotaFile | None, clock: Clock, wall: Clock
) -> AsyncIterator[None]:
    """Load the quotas' use from the file; save it while the block runs and at its end.

    Raises:
        ConfigError: the file cannot be used.
    """
    if file is None:
        yield
        return
    today = int(wall() // DAY_S)
    quotas.restore(await asyncio.to_thread(file.load, today), clock(), wall())

    async def save() -> None:
        day, used_s = int(wall() // DAY_S), quotas.used_s(clock(), wall())
        try:
            await asyncio.to_thread(file.save, day, used_s)
        except sqlite3.Error as error:
            logger.warning("The quotas were not saved: %s", error)

    async def save_again_and_again() -> None:
        while True:
            await asyncio.sleep(SAVE_S)
            await save()

    async with beside(save_again_and_again(), name="quotas"):
        yield
    await save()
