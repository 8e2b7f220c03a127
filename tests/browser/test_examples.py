"""Each example in a browser, from an origin of its own, and the sound that it plays.

The engines understand any audio and answer with a tone of the language: these tests are about the
connections only.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from aiohttp import web
from playwright.async_api import Route, expect

from rtc_server.app.server import RunningServer, running
from rtc_server.config import AccessSettings, HttpSettings, Settings
from tests.support.browser.chromium import visit
from tests.support.browser.page import PATIENCE_MS
from tests.support.browser.played import expect_voice
from tests.support.browser.voice import RUSSIAN, as_microphone
from tests.support.patient import TONES
from tests.support.signals import russian

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
STRICT = "default-src 'none'; script-src {0}; connect-src {0}; style-src 'self'"
ELEMENT = """<!doctype html>
<html lang="en"><title>Element</title>
<script type="module" src="{server}static/speech-translate.js"></script>
<speech-translate source="ru" target="en"></speech-translate>
</html>"""


@contextlib.asynccontextmanager
async def elsewhere() -> AsyncIterator[tuple[str, RunningServer]]:
    """The examples' own origin, and an interpreter that allows it."""
    app = web.Application()
    runner = web.AppRunner(app, shutdown_timeout=0.5)

    async def element(_request: web.Request) -> web.Response:
        """A page that allows nothing but the interpreter's scripts and connections."""
        return web.Response(
            text=ELEMENT.format(server=f"{server.url}/"),
            content_type="text/html",
            headers={"Content-Security-Policy": STRICT.format(server.url)},
        )

    async def no_icon(_request: web.Request) -> web.Response:
        """Answer the request for an icon that browsers make by themselves."""
        return web.Response(status=204)

    app.router.add_get("/element.html", element)
    app.router.add_get("/favicon.ico", no_icon)
    app.router.add_static("/", EXAMPLES)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
        access = AccessSettings(cors_origins=(origin,))
        settings = Settings(http=HttpSettings(port=0), engines=TONES, access=access)
        async with running(settings) as server:
            yield origin, server
    finally:
        await runner.cleanup()


async def late(route: Route) -> None:
    """Delay a request, like a server that is far away."""
    await asyncio.sleep(1)
    await route.continue_()


async def test_ten_lines_in_a_plain_page(tmp_path: Path) -> None:
    microphone = as_microphone(tmp_path / "microphone.wav", russian(RUSSIAN))
    async with (
        elsewhere() as (origin, server),
        visit(
            f"{origin}/plain.html?server={server.url}/",
            microphone=microphone,
            interpreter=server.url,
        ) as seen,
    ):
        await seen.page.route("**/static/client.js", late)  # and the click is not delayed by that
        await seen.page.reload()
        await seen.page.click("#start")
        await expect_voice(seen.page, "#voice", "en")
        await expect(seen.page.locator("#captions")).to_contain_text(" s → one two three")


async def test_two_pages_that_call_each_other(tmp_path: Path) -> None:
    microphone = as_microphone(tmp_path / "microphone.wav", russian(RUSSIAN))
    async with (
        elsewhere() as (origin, server),
        visit(
            f"{origin}/p2p/index.html?mine=en&theirs=ru&server={server.url}/",
            microphone=microphone,
            interpreter=server.url,
        ) as seen,
    ):
        anglophone, russophone = seen.page, await seen.page.context.new_page()
        await russophone.goto(f"{origin}/p2p/index.html?mine=ru&theirs=en&server={server.url}/")
        for page in (anglophone, russophone):
            await page.click("#join")
        for page, language in ((anglophone, "en"), (russophone, "ru")):
            await expect(page.locator("#state")).to_have_text("In the call", timeout=PATIENCE_MS)
            await expect_voice(page, "#translated", language)
            caption = page.locator(f"#captions [lang={language}]", has_text="one two three")
            await expect(caption.first).to_be_visible()


async def test_a_participant_of_a_room_is_interpreted_while_there(tmp_path: Path) -> None:
    microphone = as_microphone(tmp_path / "microphone.wav", russian(RUSSIAN))
    async with (
        elsewhere() as (origin, server),
        visit(
            f"{origin}/any-track/index.html?server={server.url}/",
            microphone=microphone,
            interpreter=server.url,
        ) as seen,
    ):
        page = seen.page
        await page.click("#join")
        await expect_voice(page, "section audio", "en")
        await expect(page.locator("section h2")).to_have_text("Anna")
        await expect(page.locator("section li", has_text="one two three").first).to_be_visible()
        await page.click("#leave")
        await expect(page.locator("section")).to_have_count(0)


async def test_the_element_under_a_strict_policy(tmp_path: Path) -> None:
    microphone = as_microphone(tmp_path / "microphone.wav", russian(RUSSIAN))
    states = """window.states = [];
    addEventListener("statechange", ({ detail }) => states.push(detail.state));"""
    async with (
        elsewhere() as (origin, server),
        visit(
            f"{origin}/element.html",
            microphone=microphone,
            interpreter=server.url,
            before_load=states,
        ) as seen,
    ):
        page = seen.page
        button = page.get_by_role("button")
        await expect(button).to_have_text("Start interpreting")
        await button.click()
        await expect(page.get_by_role("status")).to_have_text("Listening", timeout=PATIENCE_MS)
        rows = page.get_by_role("log", name="Captions").locator("[data-status=final]")
        await expect(rows.first).to_be_visible(timeout=PATIENCE_MS)
        await expect(rows.first.locator("[lang=en]")).to_have_text("one two three")
        assert await page.evaluate("document.querySelector('speech-translate').stream.active")
        await page.evaluate("document.querySelector('speech-translate').target = 'en'")
        await expect(page.locator("speech-translate")).to_have_attribute("target", "en")
        await button.click()
        await expect(page.get_by_role("status")).to_have_text("Stopped", timeout=PATIENCE_MS)
        await expect(button).to_have_text("Start interpreting")
        states = await page.evaluate("states")
        assert states[:3] == ["opening", "connecting", "live"]
        assert states[-2:] == ["finishing", "closed"]
