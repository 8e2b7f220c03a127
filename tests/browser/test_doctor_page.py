"""The doctor's page: its findings in a browser that works, and in browsers that do not."""

from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, Route, expect

from rtc_server.app.server import running
from rtc_server.config import AccessSettings, HttpSettings, Settings
from rtc_server.errors import AdmissionRefused
from tests.support.browser.chromium import visit
from tests.support.browser.scripted_server import scripted_server
from tests.support.patient import QUICK

PATIENCE_MS = 60_000
NO_UDP = """
  const Peer = RTCPeerConnection;
  window.RTCPeerConnection = class extends Peer {
    setRemoteDescription({ type, sdp }) {
      const candidates = /^a=candidate:.*\\r\\n/gm;
      return super.setRemoteDescription({ type, sdp: sdp.replace(candidates, "") });
    }
    get localDescription() {
      const { type, sdp } = super.localDescription;
      return { type, sdp: sdp.replace(/^a=candidate:.*\\r\\n/gm, "") };
    }
  };
"""

NO_HOST_PATH = """
  const Peer = RTCPeerConnection;
  window.RTCPeerConnection = class extends Peer {
    constructor(configuration) {
      super(configuration);
      this.isAlone = !configuration?.iceServers?.length;
    }
    setRemoteDescription({ type, sdp }) {
      const candidates = this.isAlone ? /^a=candidate:.*\\r\\n/gm : /^$/;
      return super.setRemoteDescription({ type, sdp: sdp.replace(candidates, "") });
    }
    get localDescription() {
      const { type, sdp } = super.localDescription;
      return { type, sdp: this.isAlone ? sdp.replace(/^a=candidate:.*\\r\\n/gm, "") : sdp };
    }
  };
"""
"""Script of a browser that connects only if it knows an ICE server."""


async def checks(page: Page) -> dict[str, str]:
    """Return the level of each check, once all have ended."""
    await expect(page.locator("#verdict")).not_to_be_empty(timeout=PATIENCE_MS)
    return {
        await item.get_attribute("data-check") or "": await item.get_attribute("data-level") or ""
        for item in await page.locator("#checks li").all()
    }


@pytest.mark.parametrize("key", ["", "k" * 32])
async def test_a_browser_that_works_is_told_so(key: str) -> None:
    settings = Settings(
        http=HttpSettings(port=0, api_key=key),
        access=AccessSettings(page_access="open" if key else "off"),
        engines=QUICK,
    )
    refused = ["Failed to load resource: the server responded with a status of 401"]
    async with (
        running(settings) as running_server,
        visit(f"{running_server.url}/doctor", expected_errors=refused if key else []) as seen,
    ):
        found = await checks(seen.page)
        found.pop("browserOdd", "")  # newer versions of Chromium lack nothing
        assert found.pop("browser", "ok") == "ok"
        assert found == {
            "secure": "ok",
            "server": "ok",
            "microphone": "ok",
            "call": "ok",
            "noRelay": "note",
            "socket": "ok",
        }
        await expect(seen.page.locator("#verdict")).to_have_text("All is well.")
        text = await seen.page.locator("[data-check=call] .what").inner_text()
        assert "127.0.0.1" in text
        results = await Axe().run(seen.page)
        assert not results.response["violations"], results.generate_report()
        assert not seen.foreign_requests


async def test_what_does_not_work_is_said_with_its_remedy() -> None:
    settings = Settings(http=HttpSettings(port=0), engines=QUICK)
    async with (
        running(settings) as running_server,
        visit(
            f"{running_server.url}/doctor",
            refuse_microphone=True,
            before_load=NO_UDP,
            locale="ru-RU",
        ) as seen,
    ):
        found = await checks(seen.page)
        assert found["microphoneAsk"] == "fault"
        assert found["callStuck"] == "fault"
        assert found["socket"] == "ok"
        for fault in await seen.page.locator("[data-level=fault]").all():
            await expect(fault.locator(".fix")).not_to_be_empty()
        await expect(seen.page.locator("h1")).to_have_text("Услышат ли вас отсюда?")


async def test_it_speaks_the_language_that_was_chosen_on_the_page() -> None:
    chosen = "localStorage.setItem('interface', '\"de\"')"
    failed = ["WebSocket connection"]  # which the scripted server has not
    async with (
        scripted_server() as server,
        visit(server.url, before_load=chosen, expected_errors=failed) as seen,
    ):
        await seen.page.goto(server.url.rstrip("/") + "/doctor")
        await expect(seen.page.locator("h1")).to_have_text("Hört man Sie von hier?")
        await expect(seen.page.locator("html")).to_have_attribute("lang", "de")
        found = await checks(seen.page)
        assert "server" in found
        assert "undefined" not in await seen.page.inner_text("body")


async def test_a_call_is_tried_again_with_the_servers_that_its_answer_names() -> None:
    settings = Settings(http=HttpSettings(port=0), engines=QUICK)
    async with (
        running(settings) as running_server,
        visit("about:blank", before_load=NO_HOST_PATH) as seen,
    ):

        async def with_link(route: Route) -> None:
            answer = await route.fetch()
            link = '<turn:127.0.0.1:9>; rel="ice-server"; username="u"; credential="c"'
            await route.fulfill(response=answer, headers={**answer.headers, "link": link})

        await seen.page.route("**/translations/calls", with_link)
        await seen.page.goto(f"{running_server.url}/doctor")
        found = await checks(seen.page)
        assert found["call"] == "ok"
        assert found["relayDead"] == "fault"  # nobody is there


async def test_a_server_that_is_gone_is_said(tmp_path: Path) -> None:
    async with (
        scripted_server() as server,
        visit(server.url, expected_errors=["Failed to load resource"]) as seen,
    ):
        await seen.page.route("**/readyz", lambda route: route.abort())
        await seen.page.goto(
            f"{server.url}doctor" if server.url.endswith("/") else f"{server.url}/doctor"
        )
        found = await checks(seen.page)
        assert found["serverGone"] == "fault"
        assert "call" not in found


async def test_a_refusal_is_said_in_the_persons_language() -> None:
    """The server's own sentence is English."""
    errors = ["Failed to load resource", "WebSocket connection"]
    for locale, words in (
        ("en-US", "The call is refused: All 50 places are taken."),
        ("ru-RU", "Соединение отклонено: Сервер сейчас не может вас принять"),
    ):
        async with (
            scripted_server() as server,
            visit("about:blank", locale=locale, expected_errors=errors) as seen,
        ):
            server.calls.refuse = AdmissionRefused("All 50 places are taken.", 5)
            await seen.page.goto(f"{server.url}doctor")
            assert (await checks(seen.page))["callRefused"] == "fault"
            await expect(seen.page.locator("[data-check=callRefused] .what")).to_have_text(words)
