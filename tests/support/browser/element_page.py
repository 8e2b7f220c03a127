"""A page that holds nothing but a heading and `<speech-translate>`."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from playwright.async_api import Page

from tests.support.browser.chromium import visit
from tests.support.browser.scripted_server import ScriptedServer, scripted_server

PAGE = """<!doctype html>
<html lang="en"><meta name="color-scheme" content="light dark"><title>A page with an element</title>
<meta name="viewport" content="width=device-width">
<link rel="icon" href="data:,">
<script type="module" src="/static/speech-translate.js"></script>
<main><h1>A talk</h1>
<speech-translate source="ru" target="en" input="{input}"></speech-translate></main>
</html>"""


@contextlib.asynccontextmanager
async def element(
    source: str = "microphone", **options: Any
) -> AsyncIterator[tuple[Page, ScriptedServer]]:
    """The page, and the server of its element. `options` go to `visit`."""
    async with scripted_server() as server, visit("about:blank", **options) as seen:
        page = seen.page
        await page.route(
            "**/element.html",
            lambda route: route.fulfill(body=PAGE.format(input=source), content_type="text/html"),
        )
        await page.goto(f"{server.url}element.html")
        yield page, server
