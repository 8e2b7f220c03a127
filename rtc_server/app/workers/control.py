"""Control channel between the supervisor and one worker: JSON lines over a socket pair.

A line is ``[kind, number, fields]``. `number` is 0 for a message without an answer. The answer to
another is a line of the kind ``answer`` with the same number, or ``failed_answer`` if the handler
raised.
"""

import asyncio
import itertools
import json
import logging
import socket
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, TypeAlias

LINE_BYTES: Final = 32 * 1024 * 1024
"""Longest line: a session's record with the longest transcript has some megabytes."""
UNSENT_BYTES: Final = 8 * 1024 * 1024
"""Unsent bytes beyond which `post` drops messages: the other side does not read."""

Fields: TypeAlias = dict[str, Any]
Handler: TypeAlias = Callable[[Fields], Fields | Awaitable[Fields | None] | None]
"""Handler of a message; its result is the answer, if one is needed."""

_log = logging.getLogger(__name__)


class ChannelClosed(Exception):
    """Failure of a request: the other side is gone."""


class RequestFailed(Exception):
    """Failure of a request: the handler raised; the log of the other side has the reason."""


class ControlChannel:
    """One end of the channel. `run` reads until the other end is gone."""

    def __init__(self, handlers: Mapping[str, Handler]) -> None:
        self._handlers = handlers
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[Fields]] = {}
        self._answering: set[asyncio.Task[None]] = set()
        self._is_closed = False

    async def open(self, end: socket.socket) -> None:
        """Use this end of a socket pair, which is closed with the channel."""
        end.setblocking(False)
        self._reader, self._writer = await asyncio.open_connection(sock=end, limit=LINE_BYTES)

    def send(self, kind: str, /, **fields: object) -> None:
        """Send a message without an answer; do nothing if the other side is gone."""
        self._write(kind, 0, fields)

    def post(self, kind: str, /, **fields: object) -> bool:
        """Send without an answer unless `UNSENT_BYTES` wait; return True if it was sent."""
        if self._writer is None or self._writer.transport.get_write_buffer_size() > UNSENT_BYTES:
            return False
        self._write(kind, 0, fields)
        return True

    async def request(self, kind: str, /, **fields: object) -> Fields:
        """Send a request and return the answer. Raises `ChannelClosed` or `RequestFailed`."""
        return await self.begin(kind, **fields)[1]

    def begin(self, kind: str, /, **fields: object) -> tuple[int, asyncio.Future[Fields]]:
        """Send now; return the number of the request, and its answer to be awaited."""
        number, answer = next(self._numbers), asyncio.get_running_loop().create_future()
        if self._is_closed:
            answer.set_exception(ChannelClosed())
            return number, answer
        self._asked[number] = answer
        answer.add_done_callback(lambda _: self._asked.pop(number, None))
        self._write(kind, number, fields)
        return number, answer

    async def run(self) -> None:
        """Read and handle until the other side is gone."""
        assert self._reader is not None
        try:
            while line := await self._reader.readline():
                self._take(*json.loads(line))
        except (OSError, ValueError):  # reset, or a partial line of a killed process
            pass
        finally:
            await self.close()

    async def close(self) -> None:
        """Close the channel; open requests fail with `ChannelClosed`."""
        self._is_closed = True
        for answer in list(self._asked.values()):
            if not answer.done():
                answer.set_exception(ChannelClosed())
                answer.exception()  # retrieved: perhaps nothing awaits it
        if self._writer is not None:
            self._writer.close()
        for task in self._answering:
            task.cancel()
        if self._answering:
            await asyncio.wait(self._answering)

    def _take(self, kind: str, number: int, fields: Fields) -> None:
        if kind in ("answer", "failed_answer"):
            answer = self._asked.get(number)
            if answer is not None and not answer.done():
                if kind == "answer":
                    answer.set_result(fields)
                else:
                    answer.set_exception(RequestFailed())
            return
        handler = self._handlers.get(kind)
        if handler is None:
            _log.warning("A control message of an unknown kind was ignored: %a", kind)
            return
        try:
            result = handler({**fields, "number": number})
        except Exception:
            self._failed(number, kind)
            return
        if isinstance(result, Awaitable):
            task = asyncio.ensure_future(self._answer(number, kind, result))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)
        elif number:
            self._write("answer", number, result or {})

    async def _answer(self, number: int, kind: str, result: Awaitable[Fields | None]) -> None:
        try:
            fields = await result
        except Exception:
            self._failed(number, kind)
            return
        if number:
            self._write("answer", number, fields or {})

    def _failed(self, number: int, kind: str) -> None:
        _log.exception("A control message failed: %s", kind)
        if number:
            self._write("failed_answer", number, {})

    def _write(self, kind: str, number: int, fields: Mapping[str, object]) -> None:
        if self._writer is None or self._is_closed:
            return
        line = json.dumps([kind, number, fields], ensure_ascii=False, separators=(",", ":"))
        self._writer.write(line.encode("utf-8", "surrogatepass") + b"\n")
