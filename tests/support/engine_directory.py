"""Directory of engine servers over HTTP, like that of a cluster."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from rtc_server.app.tls import tls_context
from rtc_server.engines.remote.server_lists import MOST_LIST_BYTES


class DirectorySite:
    """Directory of engine servers, and wrong answers that a client may get instead."""

    def __init__(self, servers: Sequence[str]) -> None:
        self.servers = servers
        self.held = asyncio.Event()
        self.tokens: list[str] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.tokens.append(request.headers.get("Authorization", ""))
        match request.path:
            case "/engines":
                servers = [{"address": each} for each in self.servers]
                return web.json_response({"deployment": "d", "servers": servers})
            case "/silent":
                await self.held.wait()
            case "/endless":
                response = web.StreamResponse()
                await response.prepare(request)
                for _ in range(2 * MOST_LIST_BYTES // 1024):
                    await response.write(b" " * 1024)
                return response
            case "/elsewhere":
                raise web.HTTPFound("/engines")
            case "/token":
                raise web.HTTPUnauthorized
            case "/starting":
                raise web.HTTPServiceUnavailable
        return web.Response(text="<html>")


@asynccontextmanager
async def directory_site(
    *servers: str, certificate: tuple[Path, Path] | None = None
) -> AsyncIterator[DirectorySite]:
    """Serve a directory of these addresses."""
    made = DirectorySite(servers)
    app = web.Application()
    app.router.add_get("/{path:.*}", made.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        tls = tls_context(*certificate) if certificate else None
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        made.url = f"http{'s' if tls else ''}://127.0.0.1:{runner.addresses[0][1]}"
        yield made
    finally:
        made.held.set()
        await runner.cleanup()
