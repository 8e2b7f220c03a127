"""The log of ``rtc-server serve``: lines wait in a bounded queue, and a thread writes them.

The destination may block: a full disk, a paused terminal, a pipe without a reader. A write from the
event loop would block with it, and with the loop all audio. So the loop only queues lines, and
those without room are dropped and counted.
"""

import logging
import os
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rtc_server.cli.log_format import TextFormat

LINES = 1000
"""Most lines that wait."""
LAST_LINES_S = 1.0
"""Longest wait for the last lines to be written when the process ends."""


class QueuedLog(logging.Handler):
    """Log handler that writes to a file descriptor without ever making the caller wait.

    `descriptor` is written directly: Python's own stream has a lock, which a write that stands
    still would hold when the process ends.
    """

    def __init__(
        self, descriptor: int, form: logging.Formatter | None = None, *, lines: int = LINES
    ) -> None:
        super().__init__()
        self.setFormatter(form or TextFormat())
        self.on_drop: Callable[[], None] = lambda: None
        """Callback for each dropped line, in the thread that logged it."""
        self._descriptor = descriptor
        self._lines: queue.Queue[str | None] = queue.Queue(lines)
        self._dropped = 0
        self._writer = threading.Thread(target=self._write, name="log", daemon=True)
        self._writer.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue the line, or drop it."""
        try:
            line = self.format(record)
        except Exception:  # a wrong argument of a log call ends no session
            self.handleError(record)
            return
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            self._dropped += 1
            self.on_drop()

    def close(self) -> None:
        """Wait until all lines are written, twice `LAST_LINES_S` at most."""
        super().close()
        try:
            self._lines.put(None, timeout=LAST_LINES_S)
        except queue.Full:
            return
        self._writer.join(LAST_LINES_S)

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            if self._dropped:
                dropped, self._dropped = self._dropped, 0
                line = f"{self.format(_lines_dropped(dropped))}\n{line}"
            rest = f"{line}\n".encode(errors="backslashreplace")
            try:
                while rest:
                    rest = rest[os.write(self._descriptor, rest) :]
            except OSError:
                continue  # closed, or its disk is full: the next line may fit


def _lines_dropped(lines: int) -> logging.LogRecord:
    text = "%d lines were dropped: the log was not being read"
    return logging.LogRecord(__name__, logging.WARNING, __file__, 0, text, (lines,), None)


@contextmanager
def logging_to(descriptor: int, level: str, form: logging.Formatter) -> Iterator[QueuedLog]:
    """Log everything of this process there while the block runs."""
    log, root = QueuedLog(descriptor, form), logging.getLogger()
    root.addHandler(log)
    root.setLevel(level.upper())
    try:
        yield log
    finally:
        root.removeHandler(log)
        log.close()
