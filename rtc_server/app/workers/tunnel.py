"""WebSockets through the supervisor: once a worker has agreed, bytes pass as they are, both ways.

Frames are neither read nor masked anew, which would cost several times as much. Before the worker
has agreed nothing of the client passes: behind a refusal the next request may be for another
worker.
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from aiohttp import hdrs, web
from multidict import CIMultiDict

from rtc_server.signaling.websocket import READ_BYTES, bound_buffers

REFUSAL_LIMIT_BYTES: Final = 64 * 1024
REFUSAL_S: Final = 5.0
"""Time in which a worker that refuses has written its refusal whole."""
WAITING_BYTES: Final = 64 * 1024
"""Bytes for the worker that wait here before the client has to."""


class WorkerGone(Exception):
    """The connection to a worker failed before there was an answer. Clients never see this."""


class Tunnelled(web.StreamResponse):
    """Answer that was written already, byte by byte."""

    async def prepare(self, request: web.BaseRequest) -> None:
        """Do nothing: all of it is written already."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Do nothing: all of it is written already."""


async def tunnel(
    request: web.Request, head: bytes, socket_path: str, arrived: Callable[[], None]
) -> web.StreamResponse:
    """Pass a WebSocket on to a worker, until either side ends it.

    Args:
        request: the client's, which requests an upgrade.
        head: the same as bytes for the worker.
        socket_path: the worker's.
        arrived: called once, when the worker has answered or failed.

    Raises:
        WorkerGone: there was no answer, or a refusal that broke off.
    """
    try:
        try:
            reader, writer = await asyncio.open_unix_connection(socket_path, limit=READ_BYTES)
        except OSError as error:
            raise WorkerGone from error
        try:
            answer = await _answer(reader, writer, head)
        except BaseException:
            writer.close()
            raise
    finally:
        arrived()
    try:
        status, headers = parse_head(answer)
        if status != HTTPStatus.SWITCHING_PROTOCOLS:
            return await _refused(status, headers, reader)
        return await _pass(request, answer, reader, writer)
    finally:
        writer.close()


def parse_head(head: bytes) -> tuple[int, CIMultiDict[str]]:
    """Return status and headers of a worker's answer."""
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    headers: CIMultiDict[str] = CIMultiDict()
    for line in lines:
        name, _, value = line.partition(":")
        headers.add(name, value.strip())
    return int(first.split(" ", 2)[1]), headers


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes) -> bytes:
    try:
        writer.write(head)
        return await reader.readuntil(b"\r\n\r\n")
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise WorkerGone from error


async def _refused(
    status: int, headers: CIMultiDict[str], reader: asyncio.StreamReader
) -> web.Response:
    """Return a refusal over HTTP, whose length is known."""
    size = min(int(headers.get(hdrs.CONTENT_LENGTH, "0")), REFUSAL_LIMIT_BYTES)
    try:
        async with asyncio.timeout(REFUSAL_S):
            body = await reader.readexactly(size)
    except (OSError, asyncio.IncompleteReadError) as error:  # TimeoutError is an OSError
        raise WorkerGone from error
    for name in (hdrs.CONTENT_LENGTH, hdrs.CONNECTION, hdrs.TRANSFER_ENCODING):
        headers.popall(name, None)
    return web.Response(status=status, headers=headers, body=body)


async def _pass(
    request: web.Request,
    answer: bytes,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> Tunnelled:
    response = Tunnelled(status=HTTPStatus.SWITCHING_PROTOCOLS)
    response.force_close()
    client = request.transport
    if client is None:
        return response
    bound_buffers(request)
    client.write(answer)
    up = _ToWorker(client, writer)
    request.protocol.set_parser(up)  # type: ignore[arg-type]  # all that aiohttp calls of it
    request.protocol.keep_alive(False)
    try:
        while data := await reader.read(READ_BYTES):
            client.write(data)
            # Waits while the client reads too slowly; so does the worker then, which drops.
            await request.protocol._drain_helper()
    except ConnectionError:
        client.abort()
    finally:
        up.close()
    return response


class _ToWorker:
    """Receiver of the client's bytes, in place of aiohttp's parser."""

    def __init__(self, client: asyncio.Transport, writer: asyncio.StreamWriter) -> None:
        self._client, self._writer = client, writer
        self._waiting: asyncio.Task[None] | None = None

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Pass bytes on. Called by aiohttp, as the next one."""
        self._writer.write(data)
        if self._waiting is None and self._unsent() > WAITING_BYTES:
            self._client.pause_reading()
            self._waiting = asyncio.create_task(self._drained(), name="tunnel")
        return False, b""

    def feed_eof(self) -> None:
        """Handle the end of the client's connection."""
        self.close()

    def close(self) -> None:
        """End it. Idempotent."""
        if self._waiting is not None:
            self._waiting.cancel()
        self._writer.close()

    def _unsent(self) -> int:
        return self._writer.transport.get_write_buffer_size()

    async def _drained(self) -> None:
        try:
            await self._writer.drain()
        except ConnectionError:
            return
        self._waiting = None
        if not self._client.is_closing():
            self._client.resume_reading()
