"""Microphones of a room's speaker that come and go: the room goes on in the same call."""

import contextlib
from collections.abc import AsyncIterator

from playwright.async_api import Page, Request, expect

from tests.support.browser.chromium import visit
from tests.support.browser.microphones import (
    LIVE_TRACKS,
    MICROPHONES,
    REFUSE_USUAL,
    REFUSED,
    UNPLUG,
)
from tests.support.browser.room_pages import SILENT_YET
from tests.support.rooms import server

KEEP_SENT = """window.sent = [];
window.settled = [];
const replace = RTCRtpSender.prototype.replaceTrack;
RTCRtpSender.prototype.replaceTrack = function (track) {
  sent.push(track);
  return replace.call(this, track).then(() => settled.push(track));
};"""
NO_MICROPHONE = """() => {
  navigator.mediaDevices.getUserMedia = async () => {
    throw new DOMException("", "NotFoundError");
  };
}"""
BUSY = NO_MICROPHONE.replace("NotFoundError", "NotReadableError")
SENDS_SECOND = f"() => sent.at(-1) === tracks[1] && {LIVE_TRACKS} === 1"
HEARD = "You are heard."


def is_call(request: Request) -> bool:
    """Return whether a request opens a call."""
    return request.method == "POST" and "/whip/" in request.url


@contextlib.asynccontextmanager
async def speaking() -> AsyncIterator[Page]:
    """Speak in a room; in the end the page has opened no second call."""
    script = f"{MICROPHONES}\n{KEEP_SENT}"
    async with (
        server() as running_server,
        visit(
            f"{running_server.url}/rooms/hall", before_load=script, expected_errors=SILENT_YET
        ) as seen,
    ):
        page, calls = seen.page, list[Request]()
        page.on("request", lambda r: calls.append(r) if is_call(r) else None)
        await page.click("#toggle:enabled")
        await expect(page.locator("#status")).to_have_text(HEARD)
        yield page
        assert len(calls) == 1


async def test_a_microphone_that_vanishes_is_replaced_in_the_same_call() -> None:
    async with speaking() as page:
        await page.evaluate(UNPLUG)
        await expect(page.locator("#status")).to_have_text(
            "The microphone went away. You are heard through the default one."
        )
        await page.wait_for_function(SENDS_SECOND)
        await expect(page.locator("#toggle")).to_have_text("Stop")
        await page.select_option("#microphone", "other")
        await expect(page.locator("#status")).to_have_text(HEARD)  # no more through the default one


async def test_a_chosen_microphone_that_ends_and_is_back_is_not_called_the_default_one() -> None:
    async with speaking() as page:
        await page.select_option("#microphone", "other")
        await page.wait_for_function(SENDS_SECOND)
        await page.evaluate(UNPLUG.replace("0", "1"))
        await page.wait_for_function("() => settled.at(-1) === tracks[2]")
        assert await page.inner_text("#status") == HEARD


async def test_a_microphone_that_is_gone_from_the_list_leaves_no_empty_choice() -> None:
    async with speaking() as page:
        await page.select_option("#microphone", "other")
        await page.wait_for_function(SENDS_SECOND)
        await page.evaluate(
            """() => {
              const third = { kind: "audioinput", deviceId: "third", label: "Third" };
              navigator.mediaDevices.enumerateDevices = async () => [third];
            }"""
        )
        await page.select_option("#interface", "ru")  # which makes the list anew
        await page.evaluate(BUSY)
        await page.select_option("#microphone", "third")
        await expect(page.locator("#status")).to_contain_text("Работает прежний")
        await expect(page.locator("#microphone option:checked")).to_have_text(
            "Микрофон по умолчанию"
        )


async def test_another_microphone_is_chosen_in_the_same_call_unless_it_cannot_be_used() -> None:
    async with speaking() as page:
        await page.select_option("#microphone", "other")
        await page.wait_for_function(SENDS_SECOND)
        await expect(page.locator("#status")).to_have_text(HEARD)
        await page.evaluate(BUSY)
        await page.select_option("#microphone", "")
        await expect(page.locator("#status")).to_have_text(
            "That microphone cannot be used. The earlier one goes on."
        )
        await expect(page.locator("#microphone")).to_have_value("other")
        await page.wait_for_function(SENDS_SECOND)
        await page.click("#toggle")
        await page.wait_for_function(f"() => {LIVE_TRACKS} === 0")


async def test_an_earlier_choice_that_cannot_be_opened_ends_nothing() -> None:
    async with speaking() as page:
        await page.select_option("#microphone", "other")
        await page.wait_for_function(SENDS_SECOND)
        await page.evaluate(f"() => {{ {REFUSE_USUAL} }}")
        await page.select_option("#microphone", "")
        await page.wait_for_function("() => tracks.length === 3")
        await page.select_option("#microphone", "other")
        await page.wait_for_function("() => sent.at(-1) === tracks[3]")
        await page.evaluate(REFUSED)
        await expect(page.locator("#status")).to_have_text(HEARD)
        await expect(page.locator("#toggle")).to_have_text("Stop")


async def test_the_last_microphone_that_vanishes_ends_the_speech() -> None:
    async with speaking() as page:
        await page.evaluate(NO_MICROPHONE)
        await page.evaluate(UNPLUG)
        await expect(page.locator("#status")).to_have_text(
            "The microphone is gone. Press Speak again."
        )
        await expect(page.locator("#toggle")).to_have_text("Speak")
