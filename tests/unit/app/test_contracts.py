"""Private names of aiohttp that `rtc_server.app` uses."""

import asyncio
import inspect

import pytest
from aiohttp import web

from rtc_server.app.listening import is_idle
from tests.support.until import until

pytestmark = pytest.mark.real_time


def test_a_handler_lets_others_wait_for_its_client_to_read() -> None:
    assert inspect.iscoroutinefunction(web.RequestHandler._drain_helper)
    assert not inspect.signature(web.RequestHandler._drain_helper).parameters.keys() - {"self"}


async def test_a_connection_is_idle_while_it_waits_for_a_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[bool] = []
    ended: list[object] = []

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        (protocol,) = server.connections
        seen.append(is_idle(protocol))
        return web.Response()

    server = web.Server(answer)
    lost = server.connection_lost

    def connection_lost(handler: web.RequestHandler, error: BaseException | None = None) -> None:
        ended.append(handler)
        lost(handler, error)

    monkeypatch.setattr(server, "connection_lost", connection_lost)
    listener = await asyncio.get_running_loop().create_server(server, "127.0.0.1", 0)
    try:
        reader, writer = await asyncio.open_connection(*listener.sockets[0].getsockname()[:2])
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n")
        await until(lambda: len(server.connections) == 1)
        (protocol,) = server.connections
        await until(lambda: is_idle(protocol))
        writer.write(b"\r\n")
        await reader.readuntil(b"\r\n\r\n")
        await until(lambda: is_idle(protocol))
        protocol.force_close()
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
    finally:
        listener.close()
        await server.shutdown(1)
    assert seen == [False]
    assert ended == [protocol]
