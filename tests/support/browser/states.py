"""Every state of every page, one after another, for who judges how it looks.

A walk opens a page, leads it from state to state and calls `look` in each. The server is the
scripted one; the walks of rooms have their captions from the test, too. A connection that breaks
on a busy machine is made again, and costs no state.
"""

import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from playwright.async_api import Page, Route, expect

from rtc_server.errors import AdmissionRefused
from tests.support.browser.chromium import visit
from tests.support.browser.element_page import element
from tests.support.browser.page import FAILED_REQUEST, LIVE, PHONE
from tests.support.browser.scripted_server import ScriptedServer, scripted_server, segment
from tests.support.rooms import server as room_server
from tests.support.rooms import speaker

Look = Callable[[str, Page], Awaitable[None]]
"""Function that is called with the name of each state, and the page in it."""
POPUP = "delete window.documentPictureInPicture"
FULL = AdmissionRefused("All 50 places are taken.", 5)
LONG = (
    "Поезд на Москву отправляется с третьего пути в четырнадцать часов сорок минут.",
    "The train to Moscow departs from track three at two forty in the afternoon.",
)
MANY = 30
TOO_OLD = "delete HTMLScriptElement.prototype.noModule;"
"""As in a browser that has no modules; the rest of the page stands."""
WEBRTC = "?transport=webrtc"
"""On a busy machine it takes longer to connect than a page waits before it tries a WebSocket."""


@contextlib.asynccontextmanager
async def remembering_server() -> AsyncIterator[ScriptedServer]:
    """Serve scripted sessions that can be resumed."""
    async with scripted_server() as server:
        server.calls.remembers = True
        yield server


async def open_captions(page: Page) -> None:
    """Open the captions panel: on a phone it is behind the settings."""
    if await page.locator("#open-export").is_visible():
        await page.click("#open-export")
        return
    await page.click("[popovertarget=settings]")
    await page.click("#captions-too")


async def close_panels(page: Page) -> None:
    """Close the panel that lies over the page, and the one from which it was opened."""
    for _ in range(2):
        await page.keyboard.press("Escape")


async def walk_interpreter(look: Look, **options: Any) -> None:
    """Lead the page of one speaker through its states."""
    options = {"viewport": PHONE, "reduced_motion": "reduce", **options}
    async with (
        remembering_server() as server,
        visit(server.url + WEBRTC, expected_errors=[FAILED_REQUEST], **options) as seen,
    ):
        page, say = seen.page, server.calls.say
        await page.wait_for_selector("[data-phase=idle]")
        await look("idle", page)
        for panel in ("settings", "sound", "export"):
            await (
                open_captions(page) if panel == "export" else page.click(f"[popovertarget={panel}]")
            )
            if panel == "settings":
                await page.click("#details summary")
            await look(panel, page)
            await close_panels(page)
        await page.click("#open-phrases")
        await look("phrases", page)
        await page.fill("#phrases input", "no such words")
        await look("no phrase found", page)
        await page.fill("#phrases input", "")
        await page.keyboard.press("Escape")
        await page.select_option("#input", "file")
        await look("a file to choose", page)

        server.calls.refuse = FULL
        await page.select_option("#input", "")
        await page.click("#toggle")
        await page.wait_for_selector("#problem:not([hidden])")
        await look("refused", page)

        server.calls.refuse = None
        await page.click("#problem-action")
        await page.wait_for_selector(LIVE)
        await look("live, nothing said", page)
        hints = [("Сколько это стоит?", "How much does it cost?")]
        say("x.segment", **segment("a", 1, "final", "Да.", "Yes."))
        say("x.playout", segment_id="a", state="started", queue_ms=900, tempo=1)
        say("x.segment", **segment("b", 1, "not_understood", "", hints=hints))
        say("x.segment", **segment("c", 1, "failed", ""), message="It failed.")
        say("x.segment", **segment("d", 1, "partial", "Поезд идёт", stable=6))
        say("session.updated", session={"id": "sess_1", "x": {"mode": "balanced"}})
        say("x.metrics", ear_voice_ms=12_340)
        await page.wait_for_selector(".segment[data-status=partial]")
        await page.wait_for_selector("#lag:not([hidden])")
        await look("live", page)
        await open_captions(page)
        for choice in ("value=stacked", "name=times", "name=large", "name=contrast"):
            await page.click(f"#look label:has([{choice}])")
        await look("captions panel, all chosen", page)
        await close_panels(page)
        await look("large, stacked, in high contrast", page)
        for number in range(MANY):
            say("x.segment", **segment(str(number), 1, "final", *LONG))
        say("x.warning", code="late", message="Some speech was not spoken.")
        await expect(page.locator("[data-status=final]")).to_have_count(MANY + 1)
        await page.wait_for_selector("#problem:not([hidden])")
        await look("much was said, in large type", page)


async def walk_two_people(look: Look, **options: Any) -> None:
    """Lead the page of two people, and the caption window, through their states."""
    options = {"viewport": PHONE, "reduced_motion": "reduce", "before_load": POPUP, **options}
    options["expected_errors"] = [FAILED_REQUEST]
    async with remembering_server() as server, visit(server.url + WEBRTC, **options) as seen:
        page, say = seen.page, server.calls.say
        server.calls.refuse = FULL
        await page.click("#people")
        await page.wait_for_selector(".turn")
        await page.wait_for_selector("#problem:not([hidden])")
        await look("two people, refused", page)
        server.calls.refuse = None
        await page.click("#problem-action")
        await page.wait_for_selector(LIVE)
        await look("two people, idle", page)
        await page.click(".half:not(.far) .turn")
        await page.wait_for_selector(LIVE)
        say("x.segment", **segment("a", 1, "final", "Да.", "Yes."))
        say("x.playout", segment_id="a", state="started", queue_ms=900, tempo=1)
        say("x.segment", **segment("b", 1, "partial", "Поезд идёт", stable=6))
        await page.wait_for_selector(".half [data-status=partial]")
        await look("two people, one talks", page)
        await open_captions(page)
        async with page.expect_popup() as waiting:
            await page.click("#overlay")
        window = await waiting.value
        say("x.segment", **segment("c", 1, "final", "Да.", "Yes."))
        await window.wait_for_selector("li")
        await look("caption window", window)
        for number in range(MANY):
            say("x.segment", **segment(str(number), 1, "final", *LONG))
        for choice in ("name=large", "name=contrast"):
            await page.click(f"#look label:has([{choice}])")
        await window.wait_for_selector(f"li:last-child:has-text('{LONG[1]}')")
        await look("caption window, full, in large type and high contrast", window)
        await close_panels(page)
        await look("two people, much was said, in large type and high contrast", page)


async def walk_rooms(look: Look, **options: Any) -> None:
    """Lead the pages of a room through their states, in Russian, whose words are longer."""
    options = {"viewport": PHONE, "reduced_motion": "reduce", **options}
    options["expected_errors"] = [FAILED_REQUEST]  # a room that is not there yet
    lines = [
        {"type": "x.segment", **segment(str(number), 1, "final", *LONG)} for number in range(MANY)
    ]
    body = "".join(f"id: {i}\ndata: {json.dumps(line)}\n\n" for i, line in enumerate(lines))

    async def captions(route: Route) -> None:
        await route.fulfill(body=body, content_type="text/event-stream")

    async def taken(route: Route) -> None:
        problem = {"detail": "Somebody has this room.", "error": {"code": "room_taken"}}
        await route.fulfill(status=409, json=problem)

    async with (
        room_server(api_key="a-key-of-this-house") as running_server,
        visit(f"{running_server.url}/rooms/hall", **options) as seen,
    ):
        await expect(seen.page.locator("#key")).to_be_visible()
        await look("speaker, key asked for", seen.page)
    async with room_server() as running_server:
        async with visit(f"{running_server.url}/rooms/hall", **options) as seen:
            page = seen.page
            await page.select_option("#interface", "ru")
            await expect(page.locator("#toggle")).to_be_enabled()
            await look("speaker", page)
            await page.click("#show-qr")
            await look("speaker, code for the hall", page)
            await page.keyboard.press("Escape")
            await page.route("**/whip/hall?*", taken)
            await page.click("#toggle")
            await expect(page.locator("#status")).to_contain_text("Эта комната занята.")
            await look("speaker, refused", page)
            await page.unroute("**/whip/hall?*")
            await page.route("**/captions?*", captions)
            await page.click("#toggle")
            await expect(page.locator("#captions .final")).to_have_count(MANY)
            await look("speaker, much was said", page)
        async with visit(f"{running_server.url}/listen/stage", **options) as seen:
            page = seen.page
            await page.select_option("#interface", "ru")
            await look("listener, waiting", page)
            async with speaker(running_server, "stage"):  # the hall is kept for who spoke in it
                await expect(page.locator("#toggle")).to_be_enabled()
                await look("listener, ready", page)
                await page.route("**/captions?*", captions)
                await page.check("#silent")
                await page.click("#toggle")
                await expect(page.locator("#captions .final")).to_have_count(MANY)
                await look("listener, much was said", page)
                await page.click("#fold")
                await look("listener, controls open", page)


async def walk_notices(look: Look, **options: Any) -> None:
    """Look at what a page says where a file of it did not come, or its browser is too old."""
    options = {"viewport": PHONE, "reduced_motion": "reduce", **options}
    options["expected_errors"] = [FAILED_REQUEST]
    async with scripted_server() as server:
        async with visit(server.url, **options) as seen:
            page = seen.page
            await page.wait_for_selector("#toggle:enabled")
            await page.route("**/two-way.js", lambda route: route.abort("connectionrefused"))
            await page.click("#people")
            await page.wait_for_selector("#absent")
            await look("a file did not come", page)
        options |= {"locale": "de-DE", "before_load": TOO_OLD}
        async with visit(server.url, **options) as seen:
            await seen.page.wait_for_selector("#absent")
            await look("browser too old", seen.page)


async def walk_doctor(look: Look, **options: Any) -> None:
    """Show the doctor's page with a fault."""
    options = {"viewport": PHONE, "reduced_motion": "reduce", **options}
    options["expected_errors"] = [FAILED_REQUEST, "WebSocket connection to"]
    async with scripted_server() as server, visit(f"{server.url}doctor", **options) as seen:
        await expect(seen.page.locator("#verdict")).not_to_be_empty()
        await look("doctor", seen.page)


async def walk_element(look: Look, **options: Any) -> None:
    """Lead ``<speech-translate>`` through its states."""
    options = {"viewport": PHONE, "reduced_motion": "reduce", **options}
    options["expected_errors"] = [FAILED_REQUEST]
    async with element(**options) as (page, server):
        button, status = page.get_by_role("button").first, page.get_by_role("status")
        say, server.calls.remembers = server.calls.say, True
        await page.evaluate("document.querySelector('speech-translate').transport = 'webrtc'")
        await expect(button).to_have_text("Start interpreting")
        await look("element, idle", page)
        server.calls.refuse = FULL
        await button.click()
        await expect(status).to_have_text("The interpreter is full. Try again in a moment.")
        await look("element, refused", page)
        server.calls.refuse = None
        await button.click()
        await expect(status).to_have_text("Listening")
        await look("element, nothing said", page)
        say("x.segment", **segment("a", 1, "final", "Да.", "Yes."))
        say("x.segment", **segment("b", 1, "not_understood", ""))
        say("x.segment", **segment("c", 1, "partial", "Поезд идёт", stable=6))
        log = page.get_by_role("log", name="Captions")
        await expect(log.locator("[data-status=partial]")).to_contain_text("Поезд идёт")
        await expect(log.locator("[data-status=not_understood]")).to_contain_text("Not understood")
        await look("element, live", page)
        for number in range(MANY):
            say("x.segment", **segment(str(number), 1, "final", *LONG))
        await expect(log.locator("[data-status=final]")).to_have_count(MANY + 1)
        await page.evaluate("document.querySelector('speech-translate').subtitles = 'vtt'")
        await expect(page.get_by_role("button", name="Save subtitles")).to_be_visible()
        await look("element, much was said", page)
        await button.click()
        await expect(status).to_have_text("Stopped")
        await look("element, stopped", page)


WALKS: dict[str, Callable[..., Awaitable[None]]] = {
    "interpreter": walk_interpreter,
    "two people": walk_two_people,
    "rooms": walk_rooms,
    "doctor": walk_doctor,
    "notices": walk_notices,
    "element": walk_element,
}
