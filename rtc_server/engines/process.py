"""One engine process, seen from the server. Nothing here blocks the event loop."""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from rtc_server.engines import child, wire
from rtc_server.engines.base import (
    AstCapabilities,
    AstRequest,
    AstResult,
    EngineOptions,
    TtsCapabilities,
    TtsRequest,
)
from rtc_server.engines.child_log import ChildLog
from rtc_server.engines.hang import CallLimits, CallWatch, Verdict
from rtc_server.engines.process_table import process_table
from rtc_server.engines.watching import CallHung, watching
from rtc_server.errors import EngineCrashed, EngineError, EngineTimeout, EngineUnavailable
from rtc_server.pcm import Samples

_log = logging.getLogger(__name__)

_STOP_S = 2.0
"""Time that a process that is idle, or that fell, may take to be gone before it is killed."""
_UNWANTED_BYTES = 65_536
"""Read at once of an answer that nobody waits for."""
_MOST_FAULTS = 3
"""Failed calls in a row after which an engine is replaced."""
_GIVING_UP_S = 0.02
"""Time for which a call that is being given up is left to itself."""


class EngineProcess:
    """Child process that runs one engine. One call at a time; any failure of the
    exchange kills it.
    """

    capabilities: AstCapabilities | TtsCapabilities
    """Known after `start`."""

    def __init__(self, name: str, child: asyncio.subprocess.Process) -> None:
        assert child.stdin is not None
        assert child.stdout is not None
        assert child.stderr is not None
        self.cause_of_death = "crash"
        """For the metric: "crash", or "timeout" or "faults" when we killed it."""
        self._name = name
        self._child = child
        self._inbox = child.stdout
        self._outbox = child.stdin
        self._retired = False
        self._faults = 0
        """Calls in a row that failed of a bug in the engine."""
        self._child_log = ChildLog()
        self._table = process_table()
        self._exit = asyncio.create_task(child.wait(), name=f"{name} exit")
        self._stderr = asyncio.create_task(self._read_stderr(child.stderr), name=f"{name} stderr")

    @classmethod
    async def start(
        cls,
        name: str,
        factory: str,
        options: EngineOptions,
        deadline_s: float,
        memory_mb: int = 0,
    ) -> "EngineProcess":
        """Spawn, load and warm up.

        Raises:
            EngineUnavailable: the engine refused, crashed while loading or took too long.
        """
        try:
            process = cls(name, await child.spawn(memory_mb))
        except OSError as exc:  # no memory, no descriptors: may pass
            raise EngineUnavailable(
                f"Engine {name} cannot have a process: {exc.strerror}."
            ) from None
        try:
            async with asyncio.timeout(deadline_s):
                process.capabilities = await process._handshake(wire.Load(factory, options))
        except BaseException as exc:
            process.retire("timeout")
            await process.close()
            if isinstance(exc, TimeoutError):
                raise EngineUnavailable(
                    f"Engine {name} was not ready after {deadline_s:g} s."
                ) from None
            if isinstance(exc, Exception) and not isinstance(exc, EngineUnavailable):
                raise EngineUnavailable(
                    f"Engine {name} sent an unreadable message: {type(exc).__name__}: {exc}."
                ) from exc
            raise
        return process

    @property
    def pid(self) -> int:
        """Process id of the child, which also leads its process group."""
        return self._child.pid

    @property
    def alive(self) -> bool:
        """True while calls can be made."""
        return not self._retired and not self._exit.done()

    def on_exit(self, wake: asyncio.Event) -> None:
        """Set `wake` when the process ends, whatever the reason."""
        self._exit.add_done_callback(lambda _: wake.set())

    async def translate(
        self, batch: Sequence[AstRequest], limits: CallLimits
    ) -> tuple[AstResult, ...]:
        """Return one result per request, in order.

        Raises:
            EngineError: the engine raised, or answered with something else; it lives on.
            EngineCrashed, EngineTimeout: the process is gone.
        """
        async with self._talk(limits) as watch:
            await wire.send(self._outbox, wire.Translate(tuple(batch)))
            reply = await self._reply(watch)
        match reply:
            case wire.Translated(results) if len(results) == len(batch):
                self._faults = 0
                return results
            case wire.Translated(results):
                raise self._fault(
                    f"Engine {self._name} gave {len(results)} results for {len(batch)} segments.",
                    "wrong number of results",
                )
            case wire.Raised(reason, detail):
                raise self._fault(reason, detail)
            case _:
                raise self._out_of_step(reply)

    async def synthesize(
        self, request: TtsRequest, limits: CallLimits
    ) -> AsyncGenerator[Samples, None]:
        """Yield chunks as they are made, each within `limits` of asking. Closing early aborts.

        Raises: as `translate`.
        """
        async with self._talk(limits):
            await wire.send(self._outbox, wire.Synthesize(request))
        while True:
            async with self._talk(limits) as watch:
                reply = await self._reply(watch)
            match reply:
                case wire.Chunk(samples):
                    try:
                        yield samples
                    except GeneratorExit:
                        await self._abort(limits)
                        raise
                case wire.Done():
                    self._faults = 0
                    return
                case wire.Raised(reason, detail):
                    raise self._fault(reason, detail)
                case _:
                    raise self._out_of_step(reply)

    def retire(self, cause: str) -> None:
        """Kill the process and whatever it started. Idempotent. `close` still has to be awaited."""
        if self._retired:
            return
        self._retired = True
        if self._child.returncode is None:
            self.cause_of_death = cause
        with suppress(ProcessLookupError):  # it ended by itself and left nothing running
            os.killpg(self.pid, signal.SIGKILL)

    async def close(self) -> None:
        """End the process: politely when it is idle, else at once. Returns when all is freed."""
        self._outbox.close()
        unwanted = asyncio.create_task(self._read_unwanted(), name=f"{self._name} unwanted")
        await asyncio.wait([self._exit], timeout=_STOP_S)
        self.retire("stop")
        await unwanted
        await self._exit
        await self._stderr

    async def _handshake(self, load: wire.Load) -> AstCapabilities | TtsCapabilities:
        try:
            await wire.send(self._outbox, load)
            reply = await wire.receive(self._inbox)
        except (EOFError, ConnectionError):
            ending = await self._ending()
            await self._stderr  # its last words may still be on their way
            last = self._child_log.last_line
            raise EngineUnavailable(
                f"Engine {self._name} {ending} while it was starting"
                + (f"; its last log line was: {last}" if last else ".")
            ) from None
        match reply:
            case wire.AstReady(capabilities) | wire.TtsReady(capabilities):
                self._child_log.serving = True
                return capabilities
            case wire.StartRefused(reason):
                raise EngineUnavailable(f"Engine {self._name} cannot be used. {reason}")
            case _:
                raise self._out_of_step(reply)

    @asynccontextmanager
    async def _talk(self, limits: CallLimits) -> AsyncIterator[CallWatch]:
        """Exchange messages inside; an interruption leaves the two sides out of step and ends the
        process.
        """
        try:
            async with watching(limits, lambda: self._table.look(self.pid)) as watch:
                yield watch
        except CallHung as hung:
            self.retire("timeout")
            what = (
                f"showed no sign of work for {limits.quiet_s:.1f} s"
                if hung.verdict is Verdict.QUIET
                else f"did not answer within {limits.work_s + limits.patience_s:.1f} s"
            )
            raise EngineTimeout(f"Engine {self._name} {what}. It is being restarted.") from None
        except (EOFError, OSError):
            ending = await self._ending()
            self.retire("crash")
            raise EngineCrashed(
                f"Engine {self._name} {ending} during the call. It is being restarted."
            ) from None
        except asyncio.CancelledError:
            self.retire("stop")
            raise
        except Exception as exc:
            _log.exception("The connection to engine %s broke", self._name)
            self.retire("crash")
            raise EngineCrashed(
                f"The connection to engine {self._name} broke ({type(exc).__name__}). "
                "It is being restarted."
            ) from None

    async def _reply(self, watch: CallWatch) -> wire.Message:
        """Return the next message that is more than a sign of life.

        Each piece of it is such a sign: the engine rests while its pipe is full, and a busy server
        may take seconds to empty it.
        """
        while isinstance(reply := await wire.receive(self._inbox, watch.beat), wire.Working):
            pass
        return reply

    async def _abort(self, limits: CallLimits) -> None:
        async with self._talk(limits) as watch:
            await wire.send(self._outbox, wire.Abort())
            while isinstance(await self._reply(watch), wire.Chunk):
                watch.beat()

    async def _ending(self) -> str:
        """Return how it ended, in words. A process that closed its pipes but stays is killed."""
        await asyncio.wait([self._exit], timeout=_STOP_S)
        if not self._exit.done():
            return "closed its pipe"
        if (code := self._exit.result()) < 0:
            return f"was killed by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"

    def _fault(self, reason: str, detail: str) -> EngineError:
        """Count a call that failed of a bug (a refusal has no `detail`): some of them, as an error
        of CUDA, leave an engine that fails at every call from then on."""
        self._faults += bool(detail)
        if self._faults >= _MOST_FAULTS:
            self.retire("faults")
        return EngineError(reason, detail)

    def _out_of_step(self, reply: wire.Message) -> EngineCrashed:
        self.retire("crash")
        return EngineCrashed(f"Engine {self._name} answered with {type(reply).__name__}.")

    async def _read_unwanted(self) -> None:
        """Read the rest of an answer that nobody waits for. asyncio tells of an exit only once all
        pipes were read to their end."""
        while not self._inbox.at_eof():
            try:
                await self._inbox.read(_UNWANTED_BYTES)
            except RuntimeError:  # a call that is being given up still waits for it
                await asyncio.sleep(_GIVING_UP_S)

    async def _read_stderr(self, stderr: asyncio.StreamReader) -> None:
        loop = asyncio.get_running_loop()
        while data := await stderr.read(4096):
            for line in self._child_log.feed(data, loop.time()):
                _log.info("%s: %s", self._name, line)
