"""Speakers and listeners of a room who are refused, delayed or disconnected."""

import pytest
from playwright.async_api import Page, Route, expect

from tests.support.browser.chromium import visit
from tests.support.browser.room_pages import SILENT_YET
from tests.support.rooms import server, speaker

KEEP_SAID = """() => {
  const status = document.querySelector("#status");
  window.said = [];
  new MutationObserver(() => said.push(status.textContent)).observe(status, { childList: true });
}"""

SUBMIT_TWICE = """() => {
  const form = document.querySelector("#key-form");
  form.requestSubmit();
  form.requestSubmit();
}"""


async def test_a_speaker_who_is_refused_reads_why() -> None:
    problem = {"detail": "This room is full of speakers."}
    async with (
        server() as running_server,
        visit(f"{running_server.url}/rooms/hall", expected_errors=SILENT_YET) as seen,
    ):
        await seen.page.route(
            "**/whip/hall?*", lambda route: route.fulfill(status=409, json=problem)
        )
        await seen.page.click("#toggle")
        await expect(seen.page.locator("#status")).to_have_text(problem["detail"])
        await expect(seen.page.locator("#toggle")).to_have_text("Speak")


async def refuse(page: Page, path: str, status: int, code: str, wait_s: int = 0) -> None:
    """Have requests answered with a problem, until `page.unroute`."""
    problem = {"detail": f"A sentence on {code}.", "error": {"code": code}}
    headers = {"Retry-After": str(wait_s)} if wait_s else {}
    await page.route(
        path, lambda route: route.fulfill(status=status, json=problem, headers=headers)
    )


SPEAKERS = [
    (409, "room_taken", 0, "Эта комната занята."),
    (403, "forbidden", 0, "Вам нельзя говорить в этой комнате."),
    (422, "unsupported_language", 0, "С этого языка здесь не переводят."),
    (429, "rate_limit_exceeded", 3600, "Достигнут предел этого сервера."),
    (422, "of_a_newer_server", 0, "Сервер сейчас не даёт говорить."),
]


@pytest.mark.parametrize(("status", "code", "wait_s", "words"), SPEAKERS)
async def test_a_speaker_reads_each_refusal_in_words_of_their_own(
    status: int, code: str, wait_s: int, words: str
) -> None:
    async with (
        server() as running_server,
        visit(
            f"{running_server.url}/rooms/hall", expected_errors=SILENT_YET, locale="ru-RU"
        ) as seen,
    ):
        await refuse(seen.page, "**/whip/hall?*", status, code, wait_s)
        await seen.page.click("#toggle:enabled")
        await expect(seen.page.locator("#status")).to_contain_text(words)
        assert "sentence" not in await seen.page.inner_text("body")


async def test_a_speaker_who_is_let_in_reads_no_more_of_the_refusal() -> None:
    async with (
        server() as running_server,
        visit(f"{running_server.url}/rooms/hall", expected_errors=SILENT_YET) as seen,
    ):
        page = seen.page
        status = page.locator("#status")
        await refuse(page, "**/whip/hall?*", 409, "room_taken")
        await page.click("#toggle:enabled")
        await expect(status).to_have_text("A sentence on room_taken.")
        await page.select_option("#interface", "ru")
        await expect(status).to_contain_text("Эта комната занята.")
        await page.select_option("#interface", "en")  # the sentence was of that attempt
        await expect(status).to_contain_text("Somebody else has this room.")
        await page.unroute("**/whip/hall?*")
        await page.click("#toggle")
        await expect(status).to_have_text("You are heard.")
        await page.click("#toggle")
        await expect(status).to_contain_text("Press Speak")


async def test_a_listener_who_is_let_in_reads_no_more_that_the_room_was_full() -> None:
    async with (
        server() as running_server,
        speaker(running_server),
        visit(f"{running_server.url}/listen/hall", expected_errors=SILENT_YET) as seen,
    ):
        page = seen.page
        await refuse(page, "**/whep/hall?*", 503, "session_limit_reached", 1)
        await page.click("#toggle:enabled")
        await expect(page.locator("#status")).to_contain_text("no place left in this room")
        await page.unroute("**/whep/hall?*")
        await expect(page.locator("body")).to_have_attribute("data-state", "listening")
        await expect(page.locator("#status")).to_have_text("You are listening.")


@pytest.mark.parametrize("path", ["**/whep/hall?*", "**/captions?*"])
async def test_a_listener_who_gives_up_before_a_full_room_may_ask_at_once(path: str) -> None:
    reads = "captions" in path
    async with (
        server() as running_server,
        speaker(running_server),
        visit(f"{running_server.url}/listen/hall", expected_errors=SILENT_YET) as seen,
    ):
        page = seen.page
        await page.set_checked("#silent", reads)
        await refuse(page, path, 503, "session_limit_reached", 3600)
        await page.click("#toggle:enabled")
        await expect(page.locator("body")).to_have_attribute("data-state", "full")
        await page.click("#toggle")
        await expect(page.locator("#status")).to_have_text("Choose a language and press Listen.")
        await page.unroute(path)
        await page.click("#toggle")  # whoever presses it again does not wait for the hour
        state = "reading" if reads else "listening"
        await expect(page.locator("body")).to_have_attribute("data-state", state)


LISTENERS = [
    (401, "invalid_api_key", "refused"),
    (403, "forbidden", "refused"),
    (404, "room_not_found", "waiting"),
    (429, "rate_limit_exceeded", "busy"),
    (503, "not_ready", "busy"),
    (502, "of_a_proxy", "lost"),
]


@pytest.mark.parametrize(("status", "code", "state"), LISTENERS)
async def test_a_listener_reads_why_the_room_cannot_be_seen(
    status: int, code: str, state: str
) -> None:
    async with (
        server() as running_server,
        speaker(running_server),
        visit("about:blank", expected_errors=SILENT_YET) as seen,
    ):
        page = seen.page
        await refuse(page, "**/v1/rooms/hall", status, code)
        await page.goto(f"{running_server.url}/listen/hall")
        await expect(page.locator("body")).to_have_attribute("data-state", state)
        await page.unroute("**/v1/rooms/hall")
        await expect(page.locator("body")).to_have_attribute("data-state", "ready")


async def test_a_listener_of_a_full_room_comes_back_when_the_server_asked_for_it() -> None:
    attempts: list[str] = []

    async def full(route: Route) -> None:
        attempts.append(route.request.url)
        problem = {"detail": "All places are taken.", "error": {"code": "session_limit_reached"}}
        await route.fulfill(status=503, json=problem, headers={"Retry-After": "60"})

    async with (
        server() as running_server,
        speaker(running_server),
        visit(f"{running_server.url}/listen/hall", expected_errors=SILENT_YET) as seen,
    ):
        await seen.page.route("**/whep/hall?*", full)
        await seen.page.clock.install()
        await seen.page.reload()  # so that every timer of the page is the clock's
        await seen.page.click("#toggle:enabled")
        await expect(seen.page.locator("body")).to_have_attribute("data-state", "full")
        for _ in range(10):
            await seen.page.clock.run_for(5_000)
        assert len(attempts) == 1
        async with seen.page.expect_response("**/whep/hall?*"):
            for _ in range(10):
                await seen.page.clock.run_for(5_000)


async def test_a_speaker_comes_back_and_takes_the_ice_servers_of_the_answer() -> None:
    configurations = """
      const Peer = RTCPeerConnection;
      window.seen = [];
      window.RTCPeerConnection = class extends Peer {
        constructor(configuration) {
          super(configuration);
          window.seen.push(configuration.iceServers.length);
        }
      };
    """
    attempts: list[str] = []

    async def unsteady(route: Route) -> None:
        attempts.append(route.request.url)
        if len(attempts) == 1:
            return await route.abort()
        answer = await route.fetch()
        link = '<turn:127.0.0.1:9>; rel="ice-server"; username="u"; credential="c"'
        return await route.fulfill(response=answer, headers={**answer.headers, "link": link})

    async with (
        server() as running_server,
        visit(
            f"{running_server.url}/rooms/hall",
            expected_errors=SILENT_YET,
            before_load=configurations,
        ) as seen,
    ):
        await seen.page.route("**/whip/hall?*", unsteady)
        await seen.page.click("#toggle")
        await expect(seen.page.locator("#status")).to_have_text("You are heard.")
        assert await seen.page.evaluate("window.seen") == [0, 0, 1]


async def test_each_wrong_key_is_called_wrong_and_a_right_one_sent_twice_enters_once() -> None:
    wrong = "The server does not accept this key."
    async with (
        server(api_key="a-key-of-this-house") as running_server,
        visit(f"{running_server.url}/rooms/hall", expected_errors=SILENT_YET) as seen,
    ):
        await seen.page.fill("#key", "wrong")
        await seen.page.keyboard.press("Enter")
        await expect(seen.page.locator("#status")).to_have_text(wrong)
        await seen.page.evaluate(KEEP_SAID)
        await seen.page.fill("#key", "as wrong")
        await seen.page.keyboard.press("Enter")
        await seen.page.wait_for_function("(wrong) => said.at(-1) === wrong", arg=wrong)
        asked: list[str] = []
        seen.page.on("request", lambda request: asked.append(request.url))
        await seen.page.fill("#key", "a-key-of-this-house")
        await seen.page.evaluate(SUBMIT_TWICE)
        await expect(seen.page.locator("#invitation")).to_be_visible()
        assert len([url for url in asked if url.endswith("/v1/languages")]) == 1


async def test_a_key_sent_again_is_tried_at_once() -> None:
    async with (
        server(api_key="a-key-of-this-house") as running_server,
        visit(f"{running_server.url}/rooms/hall", expected_errors=SILENT_YET) as seen,
    ):
        page = seen.page
        await page.wait_for_selector("#key")
        await refuse(page, "**/v1/rooms/hall/link", 503, "server_busy", 3600)
        await page.fill("#key", "a-key-of-this-house")
        await page.keyboard.press("Enter")
        await expect(page.locator("#status")).to_contain_text("Trying again")
        await page.unroute("**/v1/rooms/hall/link")
        await page.keyboard.press("Enter")
        await expect(page.locator("#invitation")).to_be_visible()
