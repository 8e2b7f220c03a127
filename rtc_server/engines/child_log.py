"""Selection of the lines of an engine process's stderr that may go into the log.

Until the engine is ready nobody has spoken to it, so its lines are shown as they are. After that a
library may print what it heard, so only lines whose form cannot carry any text pass: the places
in a crash report of `faulthandler`. Both at a bounded rate.
"""

import re
from collections import deque

_CRASH_REPORT = re.compile(
    r"Fatal Python error: [A-Z][A-Za-z ]+"
    r"|(Current thread|Thread) 0x[0-9a-f]+( \[[\w. -]+\])? \(most recent call first\):"
    r'|  File "[^"]+", line \d+ in \w+'
)
_LINE_CHARS = 300
_BURST_LINES = 40
_PERIOD_S = 10.0


class ChildLog:
    """Bytes in, lines fit for the log out. Time is an argument."""

    def __init__(self) -> None:
        self.serving = False
        """Set once the engine may have received speech."""
        self.last_line = ""
        """The last line that passed, for the sentence that says why a start failed."""
        self._rest = b""
        self._passed_at: deque[float] = deque(maxlen=_BURST_LINES)

    def feed(self, data: bytes, now: float) -> list[str]:
        """Return the lines completed by `data` that may be logged at `now`, in seconds."""
        *lines, rest = (self._rest + data).split(b"\n")
        self._rest = rest[:_LINE_CHARS]
        return [line for raw in lines if (line := self._fit(raw, now))]

    def _fit(self, raw: bytes, now: float) -> str:
        line = raw[:_LINE_CHARS].decode("utf-8", "replace").rstrip()
        if not line or (self.serving and not _CRASH_REPORT.fullmatch(line)):
            return ""
        burst = self._passed_at
        if len(burst) == _BURST_LINES and now - burst[0] < _PERIOD_S:
            return ""
        burst.append(now)
        self.last_line = line
        return line
