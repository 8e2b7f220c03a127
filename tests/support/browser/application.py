"""An application that embeds the interpreter: a page at its own origin, and the server that keeps
its key.
"""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
from aiohttp import web

from rtc_server.app.server import RunningServer, running
from rtc_server.config import AccessSettings, EngineSettings, HttpSettings, Settings
from tests.support.patient import PATIENT

KEY = "the-key-of-the-application"
SESSION = {
    "model": "gpt-realtime-translate",
    "audio": {
        "input": {
            "transcription": {"model": "gpt-realtime-whisper"},
            "noise_reduction": {"type": "near_field"},
        },
    },
}


@contextlib.asynccontextmanager
async def application(
    html: str, *, engines: EngineSettings = PATIENT, libraries: Path | None = None
) -> AsyncIterator[tuple[str, RunningServer]]:
    """The application's origin, and the interpreter that it uses.

    ``BASE`` in the page is the interpreter's URL. ``/session`` makes a client secret for a language
    of its JSON. `libraries` lie below ``/libraries/``.
    """

    async def page(_request: web.Request) -> web.Response:
        return web.Response(text=html.replace("BASE", server.url), content_type="text/html")

    async def session(request: web.Request) -> web.Response:
        language = (await request.json())["language"]
        audio = {**SESSION["audio"], "output": {"language": language}}  # type: ignore[dict-item]
        async with (
            aiohttp.ClientSession() as http,
            http.post(
                f"{server.url}/v1/realtime/translations/client_secrets",
                headers={"Authorization": f"Bearer {KEY}"},
                json={"session": {**SESSION, "audio": audio}},
            ) as made,
        ):
            made.raise_for_status()
            return web.json_response({"secret": (await made.json())["value"]})

    async def no_icon(_request: web.Request) -> web.Response:
        return web.Response(status=204)

    app = web.Application()
    app.router.add_get("/", page)
    app.router.add_post("/session", session)
    app.router.add_get("/favicon.ico", no_icon)
    if libraries is not None:
        app.router.add_static("/libraries/", libraries)
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
        settings = Settings(
            http=HttpSettings(port=0, api_key=KEY),
            engines=engines,
            access=AccessSettings(cors_origins=(origin,)),
        )
        async with running(settings) as server:
            yield origin, server
    finally:
        await runner.cleanup()
