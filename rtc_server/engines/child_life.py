"""Confinement of an engine's process: it dies with its server, leaves no core file, gains no
rights, takes no more memory than it may, and is the first to go when the machine has none left.
"""

import contextlib
import ctypes
import faulthandler
import os
import signal
import threading
import time
from pathlib import Path

from rtc_server.host_system import is_linux

_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
"""From ``linux/prctl.h``."""
_OOM_SCORE_ADJ = 500
"""Score with which the kernel, out of memory, ends an engine (which is started anew) before the
server."""
_LOOK_S = 1.0
"""Interval at which a worker that the kernel does not kill checks that its server still lives."""


def die_with(server_pid: int) -> None:
    """End this process when the server does, even in the middle of a call."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's: it stops us in order
    if is_linux():
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    else:
        threading.Thread(target=_watch, args=(server_pid,), daemon=True).start()
    if os.getppid() != server_pid:  # it died before the line above
        os._exit(1)


def _watch(server_pid: int) -> None:
    """End this process once its parent is another than the server, which is then dead."""
    while os.getppid() == server_pid:
        time.sleep(_LOOK_S)
    os._exit(1)


def confine(memory_mb: int) -> None:
    """Give up what an engine does not need, for good; `memory_mb` 0 sets no limit."""
    if is_linux():
        ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        with contextlib.suppress(OSError):  # /proc may be read-only
            Path("/proc/self/oom_score_adj").write_text(str(_OOM_SCORE_ADJ), encoding="ascii")
    if memory_mb:
        import resource  # noqa: PLC0415 (POSIX only)

        limit = memory_mb * 1024 * 1024
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def keep_quiet_about_crashes() -> None:
    """Write, on a crash in C, its place but no core file, which would hold people's speech."""
    faulthandler.enable()
    with contextlib.suppress(ImportError):  # POSIX only
        import resource  # noqa: PLC0415

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
