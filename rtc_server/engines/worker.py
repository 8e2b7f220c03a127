"""The engine's own process: ``python -m rtc_server.engines.worker SERVER_PID``.

Loads the engine that the first message names, warms it up, then answers one call at a time. Talks
over the pipes that were its stdin and stdout; whatever libraries print goes to stderr. Ends when
the server's end of the pipe closes, and even in the middle of a call when the server dies: on Linux
the kernel kills it, elsewhere it looks for its parent itself.
"""

import contextlib
import ctypes
import faulthandler
import importlib
import os
import select
import signal
import sys
import threading
import time
import traceback
from io import FileIO
from typing import cast

import numpy as np

from rtc_server.engines import wire
from rtc_server.engines.base import Ast, Tts
from rtc_server.errors import EngineUnavailable, RtcServerError
from rtc_server.host_system import is_linux

_PR_SET_PDEATHSIG = 1
"""From ``linux/prctl.h``."""
_LOOK_S = 1.0
"""How often a worker that the kernel does not kill looks whether its server still lives."""


def main() -> None:
    """Serve until the server's end of the pipe closes."""
    inbox, outbox = _take_pipes()
    _die_with(server_pid=int(sys.argv[1]))
    _keep_quiet_about_crashes()
    # BrokenPipeError, EOFError: the server is gone, and nobody is left to tell
    with contextlib.suppress(EOFError, BrokenPipeError):
        load = cast(wire.Load, wire.receive_blocking(inbox))
        try:
            engine = _load(load)
        except Exception as exc:  # whatever a library raises is the reason to show
            wire.send_blocking(outbox, wire.Refused(_reason_to_refuse(exc)))
            return
        wire.send_blocking(outbox, wire.Ready(engine.capabilities))
        try:
            _serve(engine, inbox, outbox)
        finally:
            engine.close()


def _load(load: wire.Load) -> Ast | Tts:
    module_name, _, function = load.factory.partition(":")
    factory = getattr(importlib.import_module(module_name), function, None)
    if factory is None:
        raise EngineUnavailable(f"Module {module_name} has no factory named {function}.")
    engine = cast(Ast | Tts, factory(load.options))
    engine.warm_up()
    return engine


def _serve(engine: Ast | Tts, inbox: FileIO, outbox: FileIO) -> None:
    while True:
        match wire.receive_blocking(inbox):
            case wire.Translate(batch):
                reply: wire.Message
                try:
                    reply = wire.Translated(tuple(cast(Ast, engine).translate(batch)))
                except Exception as exc:  # a failed batch must not end the process
                    reply = _raised(exc)
                wire.send_blocking(outbox, reply)
            case wire.Synthesize() as call:
                _speak(cast(Tts, engine), call, inbox, outbox)
            case wire.Abort():
                pass  # came too late: that text was already over


def _speak(engine: Tts, call: wire.Synthesize, inbox: FileIO, outbox: FileIO) -> None:
    """Send chunks as they are made. The pipe is the window: when the server is slow we wait."""
    try:
        speech = iter(engine.synthesize(call.request))
        try:
            for chunk in speech:
                samples = np.ascontiguousarray(chunk, dtype=np.float32)
                if samples.ndim != 1:
                    raise ValueError("a chunk must have one dimension")
                if _asked_to_stop(inbox):
                    break
                if samples.size:
                    wire.send_blocking(outbox, wire.Chunk(samples))
        finally:
            if (close := getattr(speech, "close", None)) is not None:
                close()
    except (EOFError, BrokenPipeError):
        raise
    except Exception as exc:  # a failed text must not end the process
        wire.send_blocking(outbox, _raised(exc))
    else:
        wire.send_blocking(outbox, wire.Done())


def _asked_to_stop(inbox: FileIO) -> bool:
    if not select.select([inbox], [], [], 0)[0]:
        return False
    return isinstance(wire.receive_blocking(inbox), wire.Abort)


def _reason_to_refuse(exc: Exception) -> str:
    if isinstance(exc, RtcServerError):
        return str(exc)
    return f"It failed to load: {type(exc).__name__}: {exc}"


def _raised(exc: Exception) -> wire.Raised:
    """Our own errors carry sentences fit to show; others may quote what was said."""
    if isinstance(exc, RtcServerError):
        return wire.Raised(str(exc))
    place = traceback.extract_tb(exc.__traceback__)[-1]
    where = f"{type(exc).__name__} at {place.filename}:{place.lineno}"
    return wire.Raised("The engine failed on this one. Please say it again.", where)


def _take_pipes() -> tuple[FileIO, FileIO]:
    """Move the pipes away from fds 0 and 1, so that no print can fall into the talk."""
    inbox = FileIO(os.dup(0), "r")
    outbox = FileIO(os.dup(1), "w")
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 (only its descriptor is wanted)
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    return inbox, outbox


def _die_with(server_pid: int) -> None:
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


def _keep_quiet_about_crashes() -> None:
    """On a crash in C: where it was, but no core file, which would hold people's speech."""
    faulthandler.enable()
    with contextlib.suppress(ImportError):  # POSIX only
        import resource  # noqa: PLC0415

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main()
