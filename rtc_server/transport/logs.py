"""Limits of what aiortc, aioice and the transport write to the log: no floods, no quotes."""

import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from typing import Final

_NOISY: Final = (
    "aiortc.rtcdtlstransport",
    "aiortc.rtcsctptransport",
    "aioice.ice",
    "aioice.turn",
    "rtc_server.transport.channel",
    "rtc_server.transport.gathering",
    "rtc_server.transport.ice",
)
"""Loggers with a line that a peer can provoke again and again."""


class LogLimiter(logging.Filter):
    """Filter that lets one line a second of a logger pass, so that malformed datagrams cannot fill
    a disk.
    """

    def __init__(self) -> None:
        super().__init__()
        self._next_s = 0.0
        self._held_back = 0

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the line passes; the one that does says how many did not."""
        if record.created < self._next_s:
            self._held_back += 1
            return False
        self._next_s = record.created + 1.0
        if self._held_back:
            record.msg = f"{record.msg} [{self._held_back} similar lines left out]"
            self._held_back = 0
        return True


def place_of(error: Exception) -> str:
    """Return type and place of an error, not its message, which may quote what was said."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" at {PurePath(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return type(error).__name__ + where


@contextmanager
def limited_logs() -> Iterator[None]:
    """Limit the lines of `_NOISY` loggers while the block runs; no logger's level changes.

    In another application the loggers of aiortc and aioice are the host's too, so afterwards they
    are as they were.
    """
    limiters = [(logging.getLogger(name), LogLimiter()) for name in _NOISY]
    for noisy, limiter in limiters:
        noisy.addFilter(limiter)
    try:
        yield
    finally:
        for noisy, limiter in limiters:
            noisy.removeFilter(limiter)
