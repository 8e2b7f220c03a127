"""States of the page: texts and controls in each."""

import asyncio
import re

import pytest
from playwright.async_api import expect

from rtc_server.errors import AdmissionRefused, UnsupportedPair
from tests.support.browser.chromium import visit
from tests.support.browser.page import FAILED_REQUEST, LIVE, expect_problem, start
from tests.support.browser.scripted_server import (
    received,
    say,
    scripted_server,
    segment,
)


async def test_a_session_from_start_to_stop() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await expect(page.locator("#engines")).to_have_text("Phrasebook · eSpeak NG")
        await expect(page.locator("#status")).to_have_text("Ready")
        await start(page)
        channel = await server.calls.channel.get()
        asked = server.calls.requests[0].settings
        assert (asked.source_language, asked.target_language) == ("ru", "en")
        assert asked.x_events == frozenset({"segment", "playout", "vad", "metrics"})

        say(channel, "x.vad", state="speech", audio_ms=0)
        await expect(page.locator("#status")).to_have_text("Hearing you")
        say(channel, "x.segment", **segment("a", 1, "partial", "Где находится", stable=4))
        row = page.locator(".segment")
        await expect(row.locator(".source .firm")).to_have_text("Где ")
        await expect(row.locator(".source .soft")).to_have_text("находится")
        say(channel, "x.vad", state="silence", audio_ms=900)
        await expect(page.locator("#status")).to_have_text("Translating…")
        final = segment("a", 2, "final", "Где находится вокзал?", "Where is the train station?")
        say(channel, "x.segment", **final)
        await expect(row.locator(".target .firm")).to_have_text("Where is the train station?")
        assert await row.locator(".source").get_attribute("lang") == "ru"
        assert await row.locator(".target").get_attribute("lang") == "en"
        say(channel, "x.playout", segment_id="a", state="started", queue_ms=800, tempo=1)
        await expect(page.locator("#status")).to_have_text("Speaking")
        await expect(row).to_have_attribute("data-playout", "started")
        say(channel, "x.playout", segment_id="a", state="finished", queue_ms=0, tempo=1)
        await expect(page.locator("#status")).to_have_text("Listening")

        await page.click("#toggle")
        await expect(page.locator("#status")).to_have_text("Stopped")
        assert [event["type"] for event in server.calls.received] == ["session.close"]
        await expect(row).to_have_count(1)


async def test_committed_text_is_never_rewritten() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await start(page)
        channel = await server.calls.channel.get()
        say(channel, "x.segment", **segment("a", 3, "final", "Спасибо.", "Thank you."))
        say(channel, "x.segment", **segment("a", 2, "partial", "Спаси", "Save"))
        say(channel, "x.segment", **segment("a", 4, "final", "Пожалуйста.", "Please."))
        say(channel, "x.segment", **segment("b", 1, "final", "Да.", "Yes."))
        rows = page.locator(".segment")
        await expect(rows).to_have_count(2)
        await expect(rows.nth(0).locator(".target")).to_have_text("Thank you.")


async def test_what_was_not_understood_comes_with_near_phrases() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await start(page)
        channel = await server.calls.channel.get()
        hints = [("Сколько это стоит?", "How much does it cost?"), ("Сколько?", "How many?")]
        say(channel, "x.segment", **segment("a", 1, "partial", "Сколько"))
        await expect(page.locator(".pending")).to_be_visible()
        say(channel, "x.segment", **segment("a", 2, "not_understood", "", hints=hints))
        await expect(page.locator(".pending")).to_have_count(0)
        failed = segment("b", 1, "failed", "")
        say(channel, "x.segment", **failed, message="CanaryX is full.", code="engine_overloaded")
        say(channel, "error", error={"code": "engine_overloaded", "message": "CanaryX is full."})
        rows = page.locator(".segment")
        await expect(rows.nth(0)).to_contain_text("Not understood. Did you mean:")
        await expect(rows.nth(0).locator(".hint-source")).to_have_text(hints[0][0])
        await expect(rows.nth(0).locator(".hint-target")).to_have_text(hints[0][1])
        await expect(rows.nth(1)).to_contain_text("Skipped: too busy.")
        await expect(page.locator("#problem")).to_be_hidden()
        say(channel, "x.warning", code="late", message="Some speech was not spoken.")
        await expect_problem(page, "A message from the server", "Some speech was not spoken.")


async def test_the_russian_page_shows_no_english_of_the_server() -> None:
    async with (
        scripted_server() as server,
        visit(server.url, locale="ru-RU", expected_errors=[FAILED_REQUEST]) as seen,
    ):
        page = seen.page
        server.calls.refuse = AdmissionRefused("All 50 places are taken.", 5)
        await page.click("#toggle:enabled")
        await expect_problem(page, "Сервер сейчас не может вас принять", "Попробуйте через минуту.")
        server.calls.refuse = None
        await page.click("#problem-action")
        channel = await server.calls.channel.get()
        await page.wait_for_selector(LIVE)
        failed = segment("a", 1, "failed", "")
        say(channel, "x.segment", **failed, message="CanaryX is full.", code="engine_overloaded")
        await expect(page.locator(".segment")).to_have_text(re.compile("Пропущено: "))
        say(channel, "x.warning", code="late", message="Some speech was not spoken.")
        await expect(page.locator("#problem")).to_be_visible()
        assert not re.findall("CanaryX|speech|places", await page.inner_text("body"))


async def test_the_status_is_written_when_it_changes() -> None:
    watch = """() => {
      window.writes = [];
      const note = () => writes.push(document.querySelector("#status").textContent);
      new MutationObserver((changes) => changes.forEach(note))
        .observe(document.querySelector("#status"), { childList: true, subtree: true });
    }"""
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await start(page)
        channel = await server.calls.channel.get()
        await page.evaluate(watch)
        say(channel, "x.vad", state="speech", audio_ms=0)
        for rev in range(1, 9):
            say(channel, "x.segment", **segment("a", rev, "partial", "Где " * rev))
        say(channel, "x.vad", state="silence", audio_ms=900)
        say(channel, "x.segment", **segment("a", 9, "final", "Где?", "Where?"))
        await expect(page.locator(".target .firm")).to_have_text("Where?")
        await expect(page.locator("#status")).to_have_text("Listening")
        assert len(await page.evaluate("writes")) == 3  # hearing, translating, listening


async def test_a_phrase_that_is_tapped_is_spoken() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await page.click("#examples .phrase")  # which begins a session
        await received(server.calls, 1)
        await page.wait_for_selector(LIVE)
        await page.locator(".topics .phrase").first.click()
        said = await received(server.calls, 2)
        assert said == [{"type": "x.say", "text": "Где находится вокзал?"}] * 2


async def test_the_phrases_make_room_after_the_first_success() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await expect(page.locator("#phrases input")).to_be_visible()
        await start(page)
        channel = await server.calls.channel.get()
        say(channel, "x.segment", **segment("a", 1, "not_understood", ""))
        await expect(page.locator(".segment")).to_have_count(1)
        await expect(page.locator("#phrases input")).to_be_visible()
        say(channel, "x.segment", **segment("b", 1, "final", "Да.", "Yes."))
        await expect(page.locator("#phrases input")).to_be_hidden()
        await page.click("#open-phrases")
        await expect(page.locator("#phrases input")).to_be_visible()


async def test_where_no_pause_is_heard_push_to_talk_is_offered() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await start(page)
        channel = await server.calls.channel.get()
        say(channel, "x.warning", code="no_pause", message="No pause is heard.")
        await expect_problem(page, "No pause is heard", "voices nearby")
        await expect(page.locator("#talk")).to_be_hidden()
        await page.click("#problem-action")
        await expect(page.locator("#talk")).to_be_visible()
        assert (await received(server.calls, 1))[0]["vad"]["mode"] == "off"
        await expect(page.locator("#problem")).to_be_hidden()


async def test_a_late_translation_is_told_of_until_it_comes() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await start(page)
        channel = await server.calls.channel.get()
        late = "The translation is late"
        say(channel, "x.warning", code="engine_slow", message="The translation is late.")
        await expect_problem(page, late, "Go on speaking")
        say(channel, "x.segment", **segment("a", 1, "partial", "Сколько"))
        await expect(page.locator(".pending")).to_be_visible()
        await expect_problem(page, late, "Go on speaking")
        say(channel, "x.segment", **segment("a", 2, "final", "Сколько?", "How much?"))
        await expect(page.locator("#problem")).to_be_hidden()
        say(channel, "x.warning", code="own_voice", message="The microphone hears it.")
        say(channel, "x.segment", **segment("b", 1, "final", "Да.", "Yes."))
        await expect(page.locator(".target", has_text="Yes.")).to_be_visible()
        await expect_problem(page, "The microphone hears the translation", "Use headphones")


async def test_captions_follow_the_newest_line_until_the_reader_scrolls_back() -> None:
    phone = {"width": 390, "height": 844}
    async with scripted_server() as server, visit(server.url, viewport=phone) as seen:
        page = seen.page
        await start(page)
        channel = await server.calls.channel.get()
        for count in range(30):
            say(channel, "x.segment", **segment(str(count), 1, "final", "Да.", f"Yes {count}."))
        await expect(page.locator(".target", has_text="Yes 29.")).to_be_in_viewport()
        await page.locator(".segments").evaluate("list => list.scrollTo(0, 0)")
        newest = page.locator(".newest")
        await expect(newest).to_be_visible()
        say(channel, "x.segment", **segment("30", 1, "final", "Да.", "Yes 30."))
        last = page.locator(".segment").last
        await expect(last).to_contain_text("Yes 30.")
        await expect(last).not_to_be_in_viewport()
        await newest.click()
        await expect(last).to_be_in_viewport()
        await expect(newest).to_be_hidden()


async def test_languages_swap_and_bring_their_phrases() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await expect(page.locator(".topics")).to_contain_text("Где находится вокзал?")
        await page.click("#swap")
        await expect(page.locator("#source")).to_have_value("en")
        await expect(page.locator("#target")).to_have_value("ru")
        await expect(page.locator(".topics .say")).to_have_text(["Where is the train station?"])
        await page.reload()
        await expect(page.locator("#source")).to_have_value("en")


async def test_the_interface_speaks_russian() -> None:
    async with scripted_server() as server, visit(server.url, locale="ru-RU") as seen:
        page = seen.page
        await expect(page.locator("#toggle")).to_have_text("Начать")
        await expect(page.locator("#status")).to_have_text("Готов")
        assert await page.locator("html").get_attribute("lang") == "ru"
        await page.select_option("#interface", "en")
        await expect(page.locator("#toggle")).to_have_text("Start")
        await expect(page.locator("#source option:checked")).to_have_text("Russian")


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


async def test_a_server_that_ends_the_session() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        await start(seen.page)
        channel = await server.calls.channel.get()
        say(channel, "x.segment", **segment("a", 1, "final", "Да.", "Yes."))
        say(channel, "session.closed")
        await expect_problem(seen.page, "The server ended the session", "captions are kept")
        await expect(seen.page.locator(".segment")).to_have_count(1)


async def test_leaving_the_page_hangs_up() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        await start(seen.page)
        await seen.page.goto("about:blank")
        async with asyncio.timeout(30):
            await server.calls.hung_up.wait()
        await seen.page.goto(server.url)


async def test_stop_twice_does_not_wait_for_the_last_phrase() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        server.calls.close_on_request = False
        await start(seen.page)
        await seen.page.click("#toggle")
        await expect(seen.page.locator("#status")).to_have_text("Finishing the last phrase…")
        await seen.page.click("#toggle")
        await expect(seen.page.locator("#status")).to_have_text("Stopped")
        assert server.calls.closed == ["sess_1"]
