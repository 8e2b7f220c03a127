"""Processor time and state of a process, read from the system."""

import os
from pathlib import Path
from typing import Protocol

from rtc_server.engines.hang import Activity
from rtc_server.host_system import is_linux

_BUSY_STATES = frozenset("RD")
"""proc(5): running or runnable; in an uninterruptible wait, as for a disk."""
_STATE, _UTIME, _STIME = 0, 11, 12
"""Fields of ``/proc/PID/stat`` after the name, which alone may hold spaces and brackets."""


class ProcessTable(Protocol):
    """Activity of processes, as far as the system reports it."""

    def look(self, pid: int) -> Activity | None:
        """Return the state of the process now; None when nothing is known of it."""


class LinuxProcessTable:
    """``/proc``. A look costs two reads of memory, some 50 µs."""

    def __init__(self, root: Path = Path("/proc")) -> None:
        self._root = root
        self._ticks_per_s = os.sysconf("SC_CLK_TCK")

    def look(self, pid: int) -> Activity | None:
        """Return the state of the process now; None when it is gone."""
        folder = self._root / str(pid)
        try:
            fields = _fields(folder)
            states = {_fields(thread)[_STATE] for thread in (folder / "task").iterdir()}
        except OSError:  # it, or one of its threads, has just ended
            return None
        cpu_s = (int(fields[_UTIME]) + int(fields[_STIME])) / self._ticks_per_s
        return Activity(cpu_s, bool(states & _BUSY_STATES))


class NoProcessTable:
    """Table of a system without ``/proc``."""

    def look(self, _pid: int) -> Activity | None:
        """Return None: nothing is known."""
        return None


def process_table() -> ProcessTable:
    """Return the table of this system."""
    return LinuxProcessTable() if is_linux() else NoProcessTable()


def _fields(folder: Path) -> list[str]:
    return (
        (folder / "stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    )
