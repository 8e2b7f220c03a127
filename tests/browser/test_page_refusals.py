"""A session that cannot begin: by the server, the browser or the microphone."""

import pytest
from playwright.async_api import expect

from rtc_server.errors import AdmissionRefused, UnsupportedPair
from tests.support.browser.chromium import visit
from tests.support.browser.page import FAILED_REQUEST, LIVE, expect_problem
from tests.support.browser.scripted_server import (
    scripted_server,
)

refusals = pytest.mark.parametrize(
    ("refusal", "title", "text"),
    [
        (
            AdmissionRefused("All 50 places are taken.", 5),
            "The server cannot take you now",
            "All 50 places are taken.",
        ),
        (
            UnsupportedPair("There is no Russian here."),
            "This server cannot translate between these languages",
            "There is no Russian here.",
        ),
    ],
)


@refusals
async def test_a_refused_call_says_why_and_can_be_tried_again(
    refusal: Exception, title: str, text: str
) -> None:
    async with (
        scripted_server() as server,
        visit(server.url, expected_errors=[FAILED_REQUEST]) as seen,
    ):
        page = seen.page
        server.calls.refuse = refusal
        await page.click("#toggle:enabled")
        await expect_problem(page, title, text)
        await expect(page.locator("#toggle")).to_have_text("Start")
        server.calls.refuse = None
        await page.click("#problem-action")
        await page.wait_for_selector(LIVE)
        await expect(page.locator("#problem")).to_be_hidden()


async def test_an_answer_that_the_browser_cannot_read_is_told_in_words_for_people() -> None:
    async with scripted_server() as server, visit(f"{server.url}?transport=webrtc") as seen:
        page = seen.page
        await page.route(
            "**/translations/calls*",
            lambda route: route.fulfill(
                status=201, body="no SDP", headers={"Location": "/v1/calls/none"}
            ),
        )
        await page.route("**/calls/none*", lambda route: route.fulfill(status=204))
        await page.click("#toggle:enabled")
        await expect_problem(page, "The server refused the call", "Reload the page.")
        await expect(page.locator(".problem-detail")).to_be_empty()  # not the browser's exception


@refusals
async def test_a_refused_websocket_says_why(refusal: Exception, title: str, text: str) -> None:
    async with (
        scripted_server() as server,
        visit(
            f"{server.url}?transport=websocket",
            expected_errors=[FAILED_REQUEST, "WebSocket connection to"],
        ) as seen,
    ):
        server.calls.refuse = refusal
        await seen.page.click("#toggle:enabled")
        await expect_problem(seen.page, title, text)
        await expect(seen.page.locator("#problem-action")).to_have_text("Try again")


async def test_a_refused_microphone() -> None:
    async with scripted_server() as server, visit(server.url, refuse_microphone=True) as seen:
        await seen.page.click("#toggle:enabled")
        await expect_problem(seen.page, "The microphone is not allowed", "address bar")
        await expect(seen.page.locator("#toggle")).to_have_text("Start")
        assert not server.calls.requests


async def test_no_microphone() -> None:
    nothing = """navigator.mediaDevices.getUserMedia = () =>
      Promise.reject(new DOMException("", "NotFoundError"));"""
    async with scripted_server() as server, visit(server.url, before_load=nothing) as seen:
        await seen.page.click("#toggle:enabled")
        await expect_problem(seen.page, "No microphone found", "Plug one in")


@pytest.mark.parametrize(
    ("missing", "title"),
    [
        ("delete window.AudioWorkletNode", "This browser cannot process sound"),
        (
            "delete window.AudioWorkletNode; delete window.RTCPeerConnection",
            "This browser cannot process sound",
        ),
        (
            "Object.defineProperty(window, 'isSecureContext', { value: false })",
            "The browser keeps the microphone from this page",
        ),
    ],
)
async def test_a_browser_that_lacks_something_cannot_start(missing: str, title: str) -> None:
    async with scripted_server() as server, visit(server.url, before_load=missing) as seen:
        await expect(seen.page.locator(".problem-title")).to_have_text(title)
        await expect(seen.page.locator("#toggle")).to_be_disabled()


async def test_blocked_sound_is_a_button_away() -> None:
    block = """const play = HTMLMediaElement.prototype.play;
    HTMLMediaElement.prototype.play = function () {
      HTMLMediaElement.prototype.play = play;
      return Promise.reject(new DOMException("", "NotAllowedError"));
    };"""
    async with scripted_server() as server, visit(server.url, before_load=block) as seen:
        await seen.page.click("#toggle:enabled")
        await expect_problem(seen.page, "The browser blocked the sound", "Press the button")
        await seen.page.click("#problem-action")
        await expect(seen.page.locator("#problem")).to_be_hidden()
        assert not await seen.page.evaluate("document.querySelector('#output').paused")


async def test_a_server_that_is_warming_up_is_waited_for() -> None:
    async with scripted_server() as server:
        ast, server.catalogue.ast = server.catalogue.ast, None
        async with visit(server.url, expected_errors=[FAILED_REQUEST]) as seen:
            await expect(seen.page.locator("#status")).to_have_text("The server is warming up…")
            await expect(seen.page.locator("#toggle")).to_be_disabled()
            server.catalogue.ast = ast
            await expect(seen.page.locator("#status")).to_have_text("Ready")


async def test_a_server_that_is_down_when_the_call_is_made() -> None:
    async with (
        scripted_server() as server,
        visit(server.url, expected_errors=[FAILED_REQUEST]) as seen,
    ):
        await seen.page.wait_for_selector("#toggle:enabled")
        await server.runner.cleanup()
        await seen.page.click("#toggle")
        await expect_problem(seen.page, "The server does not answer", "Check that it is running")
        await expect(seen.page.locator("#toggle")).to_have_text("Start")
