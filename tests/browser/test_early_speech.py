"""Speech of the time in which a call is set up: the element's, and that of a room's speaker."""

import asyncio

from playwright.async_api import expect

from rtc_server.errors import AdmissionRefused, LineTicket
from tests.support.browser.chromium import visit
from tests.support.browser.element_page import element
from tests.support.browser.held_route import HeldRoute
from tests.support.browser.page import FAILED_REQUEST
from tests.support.browser.voice import MICROPHONE, hears, say, sound
from tests.support.rooms import server
from tests.support.signals import english

SAID_HZ, NOW_HZ = 700, 1500
# On a busy machine it takes longer to connect than a page waits before it tries a WebSocket.
WEBRTC_ONLY = """() => (document.querySelector("speech-translate").transport = "webrtc")"""


async def test_the_element_sends_first_what_was_said_while_it_connected() -> None:
    async with element(before_load=MICROPHONE) as (page, running_server):
        call = HeldRoute()
        await page.route("**/translations/calls?*", call)
        await page.evaluate(WEBRTC_ONLY)
        await page.get_by_role("button").click()
        await call.asked.wait()
        await say(page, sound(SAID_HZ))
        call.release.set()
        track = await running_server.calls.track.get()
        await expect(page.get_by_role("status")).to_have_text("Listening")
        await hears(track, SAID_HZ)
        speaking = asyncio.ensure_future(say(page, sound(NOW_HZ)))
        await hears(track, NOW_HZ)
        await speaking


async def test_the_element_forgets_what_was_said_before_it_waits_in_line() -> None:
    async with element(before_load=MICROPHONE, expected_errors=[FAILED_REQUEST]) as (
        page,
        running_server,
    ):
        call = HeldRoute()
        await page.route("**/translations/calls?*", call)
        await page.evaluate(WEBRTC_ONLY)
        await page.get_by_role("button").click()
        status = page.get_by_role("status")
        await call.asked.wait()
        await say(page, sound(SAID_HZ))
        running_server.calls.refuse = AdmissionRefused(
            "All are taken.", 1, LineTicket("a-ticket", 1)
        )
        call.release.set()
        await expect(status).to_have_text("The interpreter is full. Your place in line: 1")
        running_server.calls.refuse = None
        track = await running_server.calls.track.get()
        await expect(status).to_have_text("Listening")
        speaking = asyncio.ensure_future(say(page, sound(NOW_HZ)))
        await hears(track, NOW_HZ, never_hz=SAID_HZ)
        await speaking


async def test_a_room_hears_first_what_its_speaker_said_while_it_connected() -> None:
    async with (
        server() as running_server,
        visit(
            f"{running_server.url}/rooms/hall",
            before_load=MICROPHONE,
            expected_errors=[FAILED_REQUEST],
        ) as seen,
    ):
        page, call = seen.page, HeldRoute()
        await page.route("**/whip/hall?*", call)
        await page.click("#toggle:enabled")
        await call.asked.wait()
        await say(page, english("Where is the train station?"))
        call.release.set()
        await expect(page.locator("#status")).to_have_text("You are heard.")
        await expect(page.locator("#captions .final")).to_have_count(
            1
        )  # nothing was said since then
