"""Choices made while the connection is being made again, or for the first time."""

from playwright.async_api import Page, Request, Route, expect

from tests.support.browser.chromium import visit
from tests.support.browser.held_route import HeldRoute
from tests.support.browser.microphones import (
    HOLD_USUAL,
    LIVE_TRACKS,
    MICROPHONES,
    OTHER_HZ,
    REFUSE_USUAL,
    REFUSED,
    UNPLUG,
    USUAL_HZ,
)
from tests.support.browser.page import FAILED_REQUEST, KEEP_CHANNELS, LIVE, start
from tests.support.browser.scripted_server import received, scripted_server
from tests.support.browser.voice import hears

WEBRTC = "?transport=webrtc"


async def lose(route: Route) -> None:
    """Let a request come to nothing."""
    await route.abort("connectionrefused")


def is_resume(request: Request) -> bool:
    """Return whether a request is an attempt to resume the session."""
    return "/resume" in request.url


async def test_languages_chosen_while_it_reconnects_count_and_keep_the_focus() -> None:
    async with (
        scripted_server() as server,
        visit(
            server.url + WEBRTC, before_load=KEEP_CHANNELS, expected_errors=[FAILED_REQUEST]
        ) as seen,
    ):
        page, server.calls.remembers = seen.page, True
        await start(page)
        await server.calls.channel.get()
        await page.focus("#source")
        await page.route("**/resume?*", lose)
        await page.evaluate("channels.at(-1).close()")
        await page.wait_for_selector("[data-phase=interrupted]")
        await expect(page.locator("#source")).to_be_focused()
        await page.select_option("#source", "en")
        await expect(page.locator("#target")).to_have_value("ru")
        await page.unroute("**/resume?*")
        await page.wait_for_selector(LIVE)
        await expect(page.locator("#source")).to_be_focused()
        (event,) = await received(server.calls, 1)
    assert (event["source_language"], event["target_language"]) == ("en", "ru")


async def test_languages_chosen_between_two_attempts_count() -> None:
    script, errors = KEEP_CHANNELS, [FAILED_REQUEST]
    async with (
        scripted_server() as server,
        visit(server.url + WEBRTC, before_load=script, expected_errors=errors) as seen,
    ):
        page, server.calls.remembers = seen.page, True
        await start(page)
        await server.calls.channel.get()
        await page.route("**/resume?*", lose)
        async with page.expect_event("requestfailed", is_resume):
            await page.evaluate("channels.at(-1).close()")
        await page.select_option("#source", "en")
        async with page.expect_event(
            "requestfailed", is_resume
        ):  # of an attempt that began with the choice
            pass
        await page.unroute("**/resume?*")
        await page.wait_for_selector(LIVE)
        (event,) = await received(server.calls, 1)
    assert (event["source_language"], event["target_language"]) == ("en", "ru")


async def test_what_is_chosen_while_it_connects_counts() -> None:
    async with scripted_server() as server, visit(server.url + WEBRTC) as seen:
        page, call = seen.page, HeldRoute()
        await page.route("**/translations/calls*", call)
        await page.click("#toggle:enabled")
        await call.asked.wait()
        await page.click("#swap")
        await page.click("[popovertarget=settings]")
        await page.fill("#hangover", "700")
        call.release.set()
        await page.wait_for_selector(LIVE)
        pair, pause = await received(server.calls, 2)
    assert (pair["source_language"], pair["target_language"]) == ("en", "ru")
    assert pause["vad"]["hangover_ms"] == 700


async def chosen(page: Page, tracks: int = 2) -> None:
    """Choose the other microphone; return once so many tracks were opened."""
    await page.select_option("#input", "other")
    await expect(page.locator("#input")).to_have_value("other")
    await page.wait_for_function(f"() => tracks.length === {tracks}")


async def test_a_microphone_chosen_while_it_connects_counts() -> None:
    async with (
        scripted_server() as server,
        visit(server.url + WEBRTC, before_load=MICROPHONES) as seen,
    ):
        page, call = seen.page, HeldRoute()
        await page.route("**/translations/calls*", call)
        await page.click("#toggle:enabled")
        await call.asked.wait()
        await chosen(page)
        await page.wait_for_function(f"() => {LIVE_TRACKS} === 1")
        call.release.set()
        await page.wait_for_selector(LIVE)
        await hears(await server.calls.track.get(), OTHER_HZ, never_hz=USUAL_HZ)
        await page.click("#toggle")
        await page.wait_for_function(f"() => {LIVE_TRACKS} === 0")


async def start_with_another(page: Page, answer: str) -> None:
    """Start, and choose another microphone before the browser answers about the usual one."""
    await page.click("#toggle:enabled")
    await page.wait_for_function("() => tracks.length === 1")
    await chosen(page)
    await page.evaluate(answer)
    await page.wait_for_selector(LIVE)


async def test_a_microphone_chosen_while_the_browser_asks_for_another_counts() -> None:
    async with (
        scripted_server() as server,
        visit(server.url + WEBRTC, before_load=MICROPHONES + HOLD_USUAL) as seen,
    ):
        page = seen.page
        await start_with_another(page, "allow()")
        await hears(await server.calls.track.get(), OTHER_HZ, never_hz=USUAL_HZ)
        assert await page.evaluate(LIVE_TRACKS) == 1


async def test_a_refused_microphone_does_not_end_what_was_chosen_meanwhile() -> None:
    async with (
        scripted_server() as server,
        visit(server.url + WEBRTC, before_load=MICROPHONES + REFUSE_USUAL) as seen,
    ):
        page = seen.page
        await start_with_another(page, REFUSED)
        await hears(await server.calls.track.get(), OTHER_HZ)
        await expect(page.locator("#problem")).to_be_hidden()


async def test_of_two_quick_choices_the_later_counts_whichever_opens_first() -> None:
    async with (
        scripted_server() as server,
        visit(server.url + WEBRTC, before_load=MICROPHONES) as seen,
    ):
        page = seen.page
        await start(page)
        track = await server.calls.track.get()
        await hears(track, USUAL_HZ)
        await chosen(page)
        await hears(track, OTHER_HZ)
        await page.evaluate(f"() => {{ {HOLD_USUAL} }}")  # without waiting for it
        await page.select_option("#input", "")
        await page.wait_for_function("() => tracks.length === 3")
        await page.select_option("#input", "other")
        await page.wait_for_function("() => tracks.length === 4")
        await page.evaluate("allow()")
        await page.wait_for_function(f"() => {LIVE_TRACKS} === 1")
        await hears(track, OTHER_HZ, never_hz=USUAL_HZ)
        assert await page.evaluate("tracks[3].readyState") == "live"


async def test_an_earlier_choice_that_cannot_be_opened_says_nothing() -> None:
    async with (
        scripted_server() as server,
        visit(server.url + WEBRTC, before_load=MICROPHONES) as seen,
    ):
        page = seen.page
        await start(page)
        await page.evaluate(f"() => {{ {REFUSE_USUAL} }}")
        await page.select_option("#input", "other")
        await page.wait_for_function("() => tracks.length === 2")
        await page.select_option("#input", "")
        await page.wait_for_function("() => tracks.length === 3")
        await chosen(page, 4)
        await page.evaluate(REFUSED)
        await hears(await server.calls.track.get(), OTHER_HZ)
        await expect(page.locator("#problem")).to_be_hidden()


async def test_a_microphone_that_vanishes_while_it_connects_is_replaced() -> None:
    async with (
        scripted_server() as server,
        visit(server.url + WEBRTC, before_load=MICROPHONES) as seen,
    ):
        page, call = seen.page, HeldRoute()
        await page.select_option("#input", "other")
        await page.route("**/translations/calls*", call)
        await page.click("#toggle:enabled")
        await call.asked.wait()
        await page.evaluate(UNPLUG)
        await expect(page.locator(".problem-title")).to_have_text("The microphone went away")
        await page.wait_for_function(f"() => tracks.length === 2 && {LIVE_TRACKS} === 1")
        call.release.set()
        await page.wait_for_selector(LIVE)
        await hears(await server.calls.track.get(), OTHER_HZ)


async def test_a_microphone_that_vanishes_at_the_end_loses_no_translation() -> None:
    async with (
        scripted_server() as server,
        visit(server.url + WEBRTC, before_load=MICROPHONES) as seen,
    ):
        page, server.calls.close_on_request = seen.page, False
        await start(page)
        await page.click("#toggle")
        await received(server.calls, 1)
        await page.evaluate(UNPLUG)
        await expect(page.locator("#problem")).to_be_hidden()
        await expect(page.locator("#status")).to_have_text("Finishing the last phrase…")
        server.calls.say("session.closed")
        await page.wait_for_selector("[data-phase=closed]")


async def test_a_microphone_chosen_while_it_reconnects_counts() -> None:
    script, errors = KEEP_CHANNELS + MICROPHONES, [FAILED_REQUEST]
    async with (
        scripted_server() as server,
        visit(server.url + WEBRTC, before_load=script, expected_errors=errors) as seen,
    ):
        page, server.calls.remembers = seen.page, True
        await start(page)
        await hears(await server.calls.track.get(), USUAL_HZ)
        await page.route("**/resume?*", lose)
        await page.evaluate("channels.at(-1).close()")
        await page.wait_for_selector("[data-phase=interrupted]")
        await chosen(page)
        await page.wait_for_function(f"() => {LIVE_TRACKS} === 1")
        await page.unroute("**/resume?*")
        await page.wait_for_selector(LIVE)
        await hears(await server.calls.track.get(), OTHER_HZ, never_hz=USUAL_HZ)
