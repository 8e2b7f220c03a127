"""The engine's own process: ``python -m rtc_server.engines.worker SERVER_PID MEMORY_MB``.

It loads the engine that the first message names, warms it up, then answers one call at a time.
Messages go over the pipes that were its stdin and stdout; what libraries print goes to stderr. The
process ends when the server closes its end of the pipe, and even in the middle of a call when the
server dies: on Linux the kernel kills it, elsewhere it checks regularly that its parent lives.
"""

import contextlib
import gc
import importlib
import os
import select
import sys
import time
from collections.abc import Iterator
from io import FileIO
from typing import cast

import numpy as np

from rtc_server.engines import wire
from rtc_server.engines.base import Ast, AstCapabilities, Tts, TtsCapabilities
from rtc_server.engines.child_life import confine, die_with, keep_quiet_about_crashes
from rtc_server.engines.heap import return_memory
from rtc_server.engines.heartbeat import send_beats_to
from rtc_server.error_location import location_of
from rtc_server.errors import EngineUnavailable, RtcServerError

_BEAT_S = 0.2
"""Least interval between two heartbeats."""


def main() -> None:
    """Serve until the server's end of the pipe closes."""
    inbox, outbox = _take_pipes()
    die_with(server_pid=int(sys.argv[1]))
    confine(memory_mb=int(sys.argv[2]))
    keep_quiet_about_crashes()
    # BrokenPipeError, EOFError: the server is gone, and nobody is left to tell
    with contextlib.suppress(EOFError, BrokenPipeError):
        load = cast(wire.Load, wire.receive_blocking(inbox))
        try:
            with _kept_from_collection():
                engine = _load(load)
            ready = wire.encode(_ready(engine))
        except Exception as exc:  # whatever a library raises is the reason to show
            wire.send_blocking(outbox, wire.StartRefused(_reason_to_refuse(exc)))
            return
        wire.write_blocking(outbox, ready)
        send_beats_to(_Heart(outbox).beat)
        try:
            _serve(engine, inbox, outbox)
        finally:
            engine.close()


@contextlib.contextmanager
def _kept_from_collection() -> Iterator[None]:
    """Exclude the objects made in the block from garbage collection, now and later.

    torch and NeMo make a million objects. Collections while they are made take a fifth of the
    start, and each full collection afterwards would delay a batch.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
    return_memory()
    gc.freeze()


def _load(load: wire.Load) -> Ast | Tts:
    module_name, _, function = load.factory.partition(":")
    factory = getattr(importlib.import_module(module_name), function, None)
    if factory is None:
        raise EngineUnavailable(f"Module {module_name} has no factory named {function}.")
    engine = cast(Ast | Tts, factory(load.options))
    engine.warm_up()
    return engine


def _ready(engine: Ast | Tts) -> wire.Message:
    match engine.capabilities:
        case AstCapabilities() as capabilities:
            return wire.AstReady(capabilities)
        case TtsCapabilities() as capabilities:
            return wire.TtsReady(capabilities)
        case other:
            raise EngineUnavailable(
                f"It describes itself with {type(other).__name__}, not by AstCapabilities or "
                "TtsCapabilities."
            )


def _serve(engine: Ast | Tts, inbox: FileIO, outbox: FileIO) -> None:
    while True:
        match wire.receive_blocking(inbox):
            case wire.Translate(batch):
                try:
                    results = cast(Ast, engine).translate(batch)
                    reply = wire.encode(wire.Translated(tuple(results)))
                except Exception as exc:  # a failed batch must not end the process
                    reply = wire.encode(_raised(exc))
                wire.write_blocking(outbox, reply)
            case wire.Synthesize() as call:
                _speak(cast(Tts, engine), call, inbox, outbox)
            case wire.Abort():
                pass  # late: the synthesis was over already


class _Heart:
    """Sender of heartbeats, on the thread that sends the answers: the two are never interleaved."""

    def __init__(self, outbox: FileIO) -> None:
        self._outbox = outbox
        self._sent_s = 0.0

    def beat(self) -> None:
        now_s = time.monotonic()
        if now_s - self._sent_s >= _BEAT_S:
            self._sent_s = now_s
            wire.send_blocking(self._outbox, wire.Working())


def _speak(engine: Tts, call: wire.Synthesize, inbox: FileIO, outbox: FileIO) -> None:
    """Send chunks as they are made, waiting while the pipe to the server is full."""
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
    """Return an error as a message.

    The texts of our own errors may be shown; those of others may quote what was said.
    """
    if isinstance(exc, RtcServerError):
        return wire.Raised(str(exc))
    return wire.Raised("The engine failed on this sentence. Please say it again.", location_of(exc))


def _take_pipes() -> tuple[FileIO, FileIO]:
    """Move the pipes away from fds 0 and 1, so that nothing printed gets among the messages."""
    inbox = FileIO(os.dup(0), "r")
    outbox = FileIO(os.dup(1), "w")
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 (only its descriptor is wanted)
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    return inbox, outbox


if __name__ == "__main__":
    main()
