"""The page before a full server: its place in the line, and in by itself when it is its turn."""

from playwright.async_api import expect

from rtc_server.config import AccessSettings, HttpSettings, Settings
from rtc_server.errors import AdmissionRefused, LineTicket, RateLimited
from tests.support.browser.chromium import visit
from tests.support.browser.page import FAILED_REQUEST, LIVE, expect_problem
from tests.support.browser.scripted_server import scripted_server
from tests.support.until import until

CALLS_FAIL = """RTCPeerConnection.prototype.setRemoteDescription = async function () {
  Object.defineProperty(this, "connectionState", { value: "failed" });
  this.dispatchEvent(new Event("connectionstatechange"));
};"""


def full(position: int, ticket: str = "a-ticket") -> AdmissionRefused:
    return AdmissionRefused("All places are taken.", 1, LineTicket(ticket, position))


async def test_the_page_shows_its_place_and_comes_in_by_itself() -> None:
    async with (
        scripted_server() as server,
        visit(server.url, expected_errors=[FAILED_REQUEST]) as seen,
    ):
        page, calls = seen.page, server.calls
        calls.refuse = full(3)
        await page.click("#toggle:enabled")
        await expect(page.locator("#status")).to_have_text(
            "The server is full. Your place in line: 3"
        )
        await expect(page.locator("#problem")).to_be_hidden()
        calls.refuse = full(1)
        await expect(page.locator("#status")).to_have_text(
            "The server is full. Your place in line: 1"
        )
        calls.refuse = None
        await page.wait_for_selector(LIVE)
        await calls.channel.get()
        await expect(page.locator("#status")).to_have_text("Listening")
        assert calls.tickets[0] == "new"
        assert set(calls.tickets[1:]) == {"a-ticket"}
        # One session, though another may have ended that did not connect in time.
        await until(lambda: len(calls.peers) == 1)


async def test_who_stops_waiting_gets_another_place_the_next_time() -> None:
    async with (
        scripted_server() as server,
        visit(server.url, locale="de-DE", expected_errors=[FAILED_REQUEST]) as seen,
    ):
        page, calls = seen.page, server.calls
        calls.refuse = full(2)
        await page.click("#toggle:enabled")
        await expect(page.locator("#status")).to_have_text(
            "Der Server ist voll. Platz in der Warteschlange: 2"
        )
        await until(lambda: len(calls.tickets) >= 2)
        await page.click("#toggle")
        await expect(page.locator("body")).not_to_have_attribute("data-running", "")
        calls.refuse = None
        await page.click("#toggle:enabled")
        await page.wait_for_selector(LIVE)
        assert calls.tickets[-1] == "new", "another session, another place"


async def test_a_short_refusal_keeps_the_place_and_a_lasting_one_is_shown() -> None:
    async with (
        scripted_server() as server,
        visit(server.url, expected_errors=[FAILED_REQUEST]) as seen,
    ):
        page, calls = seen.page, server.calls
        calls.refuse = full(3)
        await page.click("#toggle:enabled")
        await until(lambda: "a-ticket" in calls.tickets)
        calls.refuse = RateLimited("Others connect.", 1, LineTicket("another", 2))
        await expect(page.locator("#status")).to_have_text(
            "The server is full. Your place in line: 2"
        )
        await until(lambda: "another" in calls.tickets)
        calls.refuse = RateLimited("The minutes of this key are used up.", 40_000)
        await expect_problem(
            page, "A limit of this server is reached", "The minutes of this key are used up."
        )
        await expect(page.locator("body")).not_to_have_attribute("data-running", "")


async def test_who_waits_keeps_the_secret() -> None:
    settings = Settings(HttpSettings(api_key="k"), AccessSettings(page_access="open"))
    asked: list[str] = []
    async with (
        scripted_server(settings) as server,
        visit("about:blank", expected_errors=[FAILED_REQUEST]) as seen,
    ):
        page, calls = seen.page, server.calls
        page.on("request", lambda request: asked.append(request.url))
        await page.goto(server.url)
        calls.refuse = full(3)
        await page.click("#toggle:enabled")
        await until(lambda: len(calls.tickets) >= 4)
        calls.refuse = None
        await page.wait_for_selector(LIVE)
        secrets = [url for url in asked if url.endswith("page/secret")]
        assert len(secrets) == 2, "one to read lists, one for the session"


async def test_a_turn_is_not_lost_to_webrtc_again_where_it_does_not_connect() -> None:
    errors = [FAILED_REQUEST, "WebSocket connection to"]
    async with (
        scripted_server() as server,
        visit(server.url, expected_errors=errors, before_load=CALLS_FAIL) as seen,
    ):
        calls = server.calls
        calls.refuse_stream = full(1)
        await seen.page.click("#toggle:enabled")
        await until(lambda: calls.stream_tickets.count("a-ticket") >= 2)
        assert calls.closed_before_stream == ["sess_1"], "it may have held the last place"
        assert calls.tickets == ["new"], "no other call"
