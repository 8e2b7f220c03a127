"""Choices made while the connection is being made again, or for the first time."""

from playwright.async_api import Page, Request, Route, expect

from tests.support.browser.chromium import visit
from tests.support.browser.held_route import HeldRoute
from tests.support.browser.page import FAILED_REQUEST, KEEP_CHANNELS, LIVE, start
from tests.support.browser.scripted_server import received, scripted_server
from tests.support.browser.voice import hears

WEBRTC = "?transport=webrtc"
USUAL_HZ, OTHER_HZ = 700, 1500
MICROPHONES = """(() => {
  const devices = navigator.mediaDevices;
  if (!devices) return; // a blank page has none
  window.tracks = [];
  window.allowed = Promise.resolve();
  const other = { kind: "audioinput", deviceId: "other", label: "Other" };
  devices.enumerateDevices = async () => [other];
  devices.getUserMedia = async ({ audio }) => {
    const context = new AudioContext();
    const speech = context.createMediaStreamDestination();
    const frequency = audio.deviceId ? OTHER_HZ : USUAL_HZ;
    const tone = new OscillatorNode(context, { frequency });
    tone.connect(speech);
    tone.start();
    tracks.push(speech.stream.getAudioTracks()[0]);
    if (!audio.deviceId) await allowed;
    return speech.stream;
  };
})();""".replace("OTHER_HZ", str(OTHER_HZ)).replace("USUAL_HZ", str(USUAL_HZ))
"""Two microphones, each with a tone of its own; the usual one opens when `allowed` resolves."""
HOLD_USUAL = "allowed = new Promise((allow) => (window.allow = allow));"
LIVE_TRACKS = "tracks.filter(({ readyState }) => readyState === 'live').length"


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


async def chosen(page: Page) -> None:
    """Choose the other microphone; return once it is used."""
    await page.select_option("#input", "other")
    await expect(page.locator("#input")).to_have_value("other")
    await page.wait_for_function("() => tracks.length === 2")


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


async def test_a_microphone_chosen_while_the_browser_asks_for_another_counts() -> None:
    async with (
        scripted_server() as server,
        visit(server.url + WEBRTC, before_load=MICROPHONES + HOLD_USUAL) as seen,
    ):
        page = seen.page
        await page.click("#toggle:enabled")
        await page.wait_for_function("() => tracks.length === 1")
        await chosen(page)
        await page.evaluate("allow()")
        await page.wait_for_selector(LIVE)
        await hears(await server.calls.track.get(), OTHER_HZ, never_hz=USUAL_HZ)
        assert await page.evaluate(LIVE_TRACKS) == 1


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
