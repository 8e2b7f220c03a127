"""How an engine's process is tied to its server: it dies with it, and leaves no core file."""

import contextlib
import ctypes
import faulthandler
import os
import signal
import threading
import time

from rtc_server.host_system import is_linux

_PR_SET_PDEATHSIG = 1
"""From ``linux/prctl.h``."""
_LOOK_S = 1.0
"""How often a worker that the kernel does not kill looks whether its server still lives."""


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


def keep_quiet_about_crashes() -> None:
    """On a crash in C: where it was, but no core file, which would hold people's speech."""
    faulthandler.enable()
    with contextlib.suppress(ImportError):  # POSIX only
        import resource  # noqa: PLC0415

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
