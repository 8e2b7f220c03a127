"""Limits of what aiortc, aioice and the transport write to the log: no floods, no quotes."""

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
    """Filter that lets one line a second of a logger pass, so that malformed datagrams cannot fill
    a disk.
    """

    def __init__(self) -> None:
        super().__init__()
        self._limit = LogLimit(burst=1, per_second=1)

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the line passes; the one that does says how many did not."""
        held_back = self._limit.admit(record.created)
        if held_back:
            record.msg = f"{record.msg} [{held_back} similar lines left out]"
        return held_back is not None


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
