"""Microphones of the page that come and go."""

import contextlib
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect

from tests.support.browser.chromium import visit
from tests.support.browser.page import pretend_devices, start
from tests.support.browser.scripted_server import scripted_server

UNPLUG = """() => {
  const [track] = captured.at(-1).getAudioTracks();
  track.stop();
  track.dispatchEvent(new Event("ended"));
}"""
KEEP_CAPTURED = """window.captured = [];
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => {
  const stream = await ask(wanted);
  captured.push(stream);
  return stream;
};"""
PICKER = """navigator.mediaDevices.getDisplayMedia = () =>
  new Promise((choose, cancel) => {
    window.chooseTab = () => choose(new MediaStreamAudioDestinationNode(new AudioContext()).stream);
    window.cancel = () => cancel(new DOMException("", "NotAllowedError"));
  });"""


async def test_a_microphone_that_vanishes_is_replaced_by_the_default() -> None:
    async with scripted_server() as server, visit(server.url, before_load=KEEP_CAPTURED) as seen:
        page = seen.page
        await start(page)
        await page.evaluate(UNPLUG)
        title = page.locator(".problem-title")
        await expect(title).to_have_text("The microphone went away")
        assert await page.evaluate("captured.at(-1).getAudioTracks()[0].readyState") == "live"
        assert await page.evaluate("captured.length") == 2
        await expect(page.locator("#status")).to_have_text("Listening")
        assert len(server.calls.requests) == 1


@contextlib.asynccontextmanager
async def unplugged_while_choosing() -> AsyncIterator[Page]:
    """Have the microphone taken away while the browser asks which tab to capture."""
    async with (
        scripted_server() as server,
        visit(server.url, before_load=f"{KEEP_CAPTURED}{PICKER}") as seen,
    ):
        await start(seen.page)
        await seen.page.select_option("#input", "tab")
        await seen.page.wait_for_function("() => 'chooseTab' in window")
        await seen.page.evaluate(UNPLUG)
        yield seen.page
        assert await seen.page.evaluate("captured.length") == 1


async def test_a_microphone_that_vanishes_while_a_tab_is_chosen_ends_nothing() -> None:
    async with unplugged_while_choosing() as page:
        await page.evaluate("chooseTab()")
        await expect(page.locator("#original-note")).not_to_have_attribute("hidden", "")
        await expect(page.locator("#status")).to_have_text("Listening")
        await expect(page.locator("#problem")).to_be_hidden()


async def test_a_microphone_that_vanished_is_told_of_when_no_tab_was_chosen() -> None:
    async with unplugged_while_choosing() as page:
        await page.evaluate("cancel()")
        await expect(page.locator(".problem-title")).to_have_text("The sound went away")
        await expect(page.locator("#status")).to_have_text("Stopped")


async def test_the_last_microphone_that_vanishes_ends_the_conversation() -> None:
    async with scripted_server() as server, visit(server.url, before_load=KEEP_CAPTURED) as seen:
        page = seen.page
        await start(page)
        await page.evaluate(
            """() => {
              navigator.mediaDevices.getUserMedia = async () => {
                throw new DOMException("", "NotFoundError");
              };
            }"""
        )
        await page.evaluate(UNPLUG)
        await expect(page.locator(".problem-title")).to_have_text("The sound went away")
        await expect(page.locator("#status")).to_have_text("Stopped")


@pytest.mark.parametrize("gone", ["Fake Audio Input 1", "Fake Audio Output 1"])
async def test_devices_that_come_and_go_are_noticed(gone: str) -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await start(page)
        kind = "#input" if "Input" in gone else "#speaker"
        option = page.locator(f"{kind} option", has_text=gone)
        await expect(option).to_have_count(1)
        await pretend_devices(page, gone)
        await expect(option).to_have_count(0)
        await pretend_devices(page, "")
        await expect(option).to_have_count(1)
