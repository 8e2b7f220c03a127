"""A connection that dies is made again by itself, and nothing is lost from the page."""

import re
import signal
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, Request, expect

from rtc_server.app.server import running
from tests.support.browser.chromium import visit
from tests.support.browser.diversion import divert
from tests.support.browser.page import FAILED_REQUEST, KEEP_CHANNELS, PATIENCE_MS, start
from tests.support.browser.scripted_server import say, scripted_server, segment
from tests.support.browser.server_process import server_process
from tests.support.browser.voice import as_microphone
from tests.support.netem import BLACK_HOLE, UdpProxy
from tests.support.patient import SETTINGS
from tests.support.signals import russian

SAID, MEANT = "Где находится вокзал?", "Where is the train station?"
LIVE = re.compile("listening|hearing|translating|speaking")


def calls_of(page: Page) -> list[str]:
    """Return a list to which the path of each POST request is added from now on."""
    paths: list[str] = []

    def note(request: Request) -> None:
        if request.method == "POST":
            paths.append(urlsplit(request.url).path)

    page.on("request", note)
    return paths


@pytest.mark.slow
async def test_a_network_that_dies_costs_no_session_and_no_caption(tmp_path: Path) -> None:
    microphone = as_microphone(tmp_path / "microphone.wav", russian(SAID))
    async with (
        running(SETTINGS) as server,
        visit(
            f"{server.url}/?source=ru&target=en&transport=webrtc",
            microphone=microphone,
            expected_errors=[FAILED_REQUEST],  # a hang-up may come second
        ) as seen,
        UdpProxy(seed=7) as proxy,
    ):
        page = seen.page
        paths = calls_of(page)
        await divert(page, proxy, times=1)
        await page.click("#toggle:enabled")
        rows = page.locator(".segment[data-status=final]", has_text=MEANT)
        await expect(rows.first).to_be_visible(timeout=PATIENCE_MS)
        proxy.up = proxy.down = BLACK_HOLE
        body = page.locator("body")
        await expect(body).to_have_attribute("data-phase", "interrupted", timeout=PATIENCE_MS)
        before = await rows.count()
        await expect(body).to_have_attribute("data-phase", LIVE, timeout=PATIENCE_MS)
        await expect(rows.nth(before + 1)).to_be_visible(timeout=PATIENCE_MS)
        await page.click("#toggle")
        await page.wait_for_selector("[data-phase=closed]")
    first, *others = (path.rsplit("/", 1)[-1] for path in paths)
    assert (first, set(others)) == ("calls", {"resume"})  # never a second session


@pytest.mark.slow
async def test_a_server_that_was_restarted_is_found_again(tmp_path: Path) -> None:
    microphone = as_microphone(tmp_path / "microphone.wav", russian(SAID))
    async with (
        server_process() as (url, process),
        visit(
            f"{url}/?source=ru&target=en",
            microphone=microphone,
            expected_errors=[FAILED_REQUEST],
        ) as seen,
    ):
        page = seen.page
        await page.click("#toggle:enabled")
        rows = page.locator(".segment[data-status=final]", has_text=MEANT)
        await expect(rows.first).to_be_visible(timeout=PATIENCE_MS)
        process.send_signal(signal.SIGKILL)
        await process.wait()
        body = page.locator("body")
        await expect(body).to_have_attribute("data-phase", "interrupted", timeout=PATIENCE_MS)
        before = await rows.count()
        async with server_process(urlsplit(url).port or 0):
            await expect(body).to_have_attribute("data-phase", LIVE, timeout=PATIENCE_MS)
            await expect(rows.nth(before)).to_be_visible(timeout=PATIENCE_MS)
            await page.click("#toggle")
            await page.wait_for_selector("[data-phase=closed]")


async def test_what_is_said_again_is_shown_once() -> None:
    """The server has forgotten the session: there is a new one, numbered from the beginning."""
    async with (
        scripted_server() as server,
        visit(server.url, before_load=KEEP_CHANNELS, expected_errors=[FAILED_REQUEST]) as seen,
    ):
        page = seen.page
        await start(page)
        channel = await server.calls.channel.get()
        say(channel, "x.segment", seq=1, **segment("a", 1, "final", "Да.", "Yes."))
        say(channel, "x.warning", seq=2, code="late", message="Said once.")
        await expect(page.locator(".problem-detail")).to_have_text("Said once.")
        await page.click("#problem-dismiss")
        say(channel, "x.warning", seq=2, code="late", message="Said again.")
        say(channel, "x.segment", seq=3, **segment("b", 1, "partial", ""))
        await page.wait_for_selector("[data-phase=translating]")
        await expect(page.locator("#problem")).to_be_hidden()

        await page.evaluate("channels.at(-1).close()")
        again = await server.calls.channel.get()
        await page.wait_for_selector("[data-phase=listening]")
        say(again, "x.segment", seq=1, **segment("a", 1, "final", "Нет.", "No."))
        rows = page.locator(".segment[data-status=final]")
        await expect(rows).to_have_count(2)
        await expect(rows.nth(0)).to_contain_text("Yes.")
        await expect(rows.nth(1)).to_contain_text("No.")
        await expect(page.locator(".segment")).to_have_count(2)


async def test_it_gives_up_with_a_reason() -> None:
    attach = """async (url) => {
      const { attachTranslation } = await import(new URL("static/client.js", url));
      const [track] = (await navigator.mediaDevices.getUserMedia({ audio: true })).getAudioTracks();
      const options = { url, source: "ru", target: "en", patienceMs: 1500 };
      const translation = await attachTranslation(track, options);
      window.states = [];
      window.over = new Promise((resolve) => {
        translation.addEventListener("state", ({ detail: { state, error } }) => {
          states.push(state);
          if (state === "closed") resolve([states, error.code]);
        });
      });
    }"""
    async with (
        scripted_server() as server,
        visit(server.url, before_load=KEEP_CHANNELS, expected_errors=[FAILED_REQUEST]) as seen,
    ):
        await seen.page.evaluate(attach, server.url)
        await server.runner.cleanup()
        await seen.page.evaluate("channels.at(-1).close()")
        states, code = await seen.page.evaluate("over")
        assert (states, code) == (["reconnecting", "closed"], "server_gone")
