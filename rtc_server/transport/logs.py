"""Limit on the log lines of aiortc, aioice and the transport that a peer can provoke."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rtc_server.limits import LogLimit

_NOISY: Final = (
    "aiortc.rtcdtlstransport",
    "aiortc.rtcsctptransport",
    "aioice.ice",
    "aioice.turn",
    "rtc_server.transport.channel",
    "rtc_server.transport.gathering",
    "rtc_server.transport.ice_agent",
)
"""Loggers with a line that a peer can provoke again and again."""


class LogLimiter(logging.Filter):
    """Filter that passes one line per second of a logger, so that malformed datagrams cannot fill
    a disk.
    """

    def __init__(self) -> None:
        super().__init__()
        self._limit = LogLimit(burst=1, per_second=1)

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the line passes. One that does says how many were left out before it."""
        held_back = self._limit.admit(record.created)
        if held_back:
            record.msg = f"{record.msg} [{held_back} similar lines left out]"
        return held_back is not None


@contextmanager
def limited_logs() -> Iterator[None]:
    """Limit the lines of the `_NOISY` loggers while the block runs.

    Levels stay as they are, and the filters are removed afterwards: an application in which the
    server is embedded may use the loggers of aiortc and aioice itself.
    """
    limiters = [(logging.getLogger(name), LogLimiter()) for name in _NOISY]
    for noisy, limiter in limiters:
        noisy.addFilter(limiter)
    try:
        yield
    finally:
        for noisy, limiter in limiters:
            noisy.removeFilter(limiter)
