"""`<speech-translate>`: a microphone that is too loud, and what was said as subtitles."""

from pathlib import Path

import pysubs2
from playwright.async_api import Page, expect

from tests.support.browser.element_page import element
from tests.support.browser.loud import AS_IT_IS, too_loud
from tests.support.browser.page import PATIENCE_MS
from tests.support.browser.scripted_server import ScriptedServer, say, segment
from tests.support.browser.scrolling import FRAMES

NOTE_CLIPPING = """() => {
  window.clipped = [];
  addEventListener("clipping", ({ detail }) => clipped.push(detail.clipping));
}"""
TRACK = """async () => {
  const element = document.querySelector("speech-translate");
  const text = await element.toSubtitles("vtt", "target");
  const track = document.createElement("track");
  track.src = URL.createObjectURL(new Blob([text], { type: "text/vtt" }));
  const video = document.createElement("video");
  video.append(track);
  document.body.append(video);
  track.track.mode = "showing";
  await new Promise((loaded, failed) => Object.assign(track, { onload: loaded, onerror: failed }));
  return [...track.track.cues].map((cue) => cue.text);
}"""
LOSE_WORKLETS = """
if (window.AudioWorklet) AudioWorklet.prototype.addModule = async () => {
  throw new DOMException("lost", "AbortError");
};
window.contexts = [];
window.AudioContext = class extends AudioContext {
  constructor(options) {
    super(options);
    contexts.push(this);
  }
};"""
SET = "([name, value]) => document.querySelector('speech-translate').setAttribute(name, value)"
UNSET = "(name) => document.querySelector('speech-translate').removeAttribute(name)"


async def say_two(page: Page, server: ScriptedServer) -> None:
    """Begin a session, and have two things said in it."""
    await page.get_by_role("button").first.click()
    await expect(page.get_by_role("status")).to_have_text("Listening")
    channel = await server.calls.channel.get()
    for number, (source, target) in enumerate((("Да.", "Yes."), ("Нет.", "No."))):
        say(channel, "x.segment", **segment(str(number), 1, "final", source, target))
    say(channel, "x.segment", **segment("x", 1, "not_understood", ""))
    final = page.locator("[role=log] [data-status=final]")
    await expect(final).to_have_count(2)


async def test_the_element_says_that_the_microphone_is_too_loud(tmp_path: Path) -> None:
    async with element(microphone=too_loud(tmp_path), before_load=AS_IT_IS) as (page, _server):
        await page.evaluate(NOTE_CLIPPING)
        status = page.get_by_role("status")
        hint = page.locator("[part=hint]")
        # A live region that is not rendered is none: what appears with it is not announced.
        await expect(hint).not_to_have_css("display", "none")
        await page.get_by_role("button").click()
        await expect(hint).to_have_text("Too loud. Move back a little.", timeout=PATIENCE_MS)
        await expect(status).to_have_text("Listening")
        await page.evaluate(SET, ["lang", "de"])
        await expect(hint).to_have_text("Zu laut. Etwas Abstand, bitte.")
        await page.get_by_role("button").click()
        await expect(status).to_have_text("Beendet")
        await expect(hint).to_be_hidden()
        assert await page.evaluate("clipped") == [True, False]


async def test_subtitles_are_offered_where_the_page_wants_them(tmp_path: Path) -> None:
    async with element() as (page, server):
        save = page.get_by_role("button", name="Save subtitles")
        await page.evaluate(SET, ["subtitles", "srt"])
        await expect(save).to_be_hidden()  # nothing was said
        await say_two(page, server)
        await expect(save).to_be_visible()
        async with page.expect_download() as waiting:
            await save.click()
        download = await waiting.value
        assert download.suggested_filename == "captions.srt"
        await download.save_as(tmp_path / "captions.srt")
        file = pysubs2.load(str(tmp_path / "captions.srt"))
        assert [event.plaintext for event in file] == ["Да.\nYes.", "Нет.\nNo."]
        await page.evaluate(UNSET, "subtitles")
        await expect(save).to_be_hidden()


async def test_subtitles_whose_module_does_not_come_are_asked_for_again() -> None:
    async with element(expected_errors=["Failed to load resource"]) as (page, server):
        await page.evaluate(SET, ["subtitles", "vtt"])
        await say_two(page, server)
        await page.route("**/element-subtitles.js", lambda route: route.abort("connectionrefused"))
        save, hint = page.get_by_role("button", name="Save subtitles"), page.locator("[part=hint]")
        await save.click()
        await expect(hint).to_have_text("The interpreter cannot be reached. Try again in a moment.")
        await page.unroute("**/element-subtitles.js")
        async with page.expect_download():
            await save.click()
        await expect(hint).to_be_empty()


async def test_subtitles_of_all_sessions_can_be_a_track() -> None:
    async with element() as (page, server):
        await say_two(page, server)
        await page.get_by_role("button").first.click()
        await expect(page.get_by_role("status")).to_have_text("Stopped")
        assert sorted(await page.evaluate(TRACK)) == ["No.", "Yes."]  # said at the same time


async def test_an_element_that_cannot_measure_opens_no_audio_to_stop() -> None:
    async with element(before_load=LOSE_WORKLETS) as (page, server):
        await page.get_by_role("button").click()
        await expect(page.get_by_role("status")).to_have_text("Listening")
        await server.calls.channel.get()
        await page.wait_for_function(  # one for early speech, one to measure
            "contexts.length === 2 && contexts.every(({ state }) => state === 'closed')"
        )
        await page.get_by_role("button").click()
        await expect(page.get_by_role("status")).to_have_text("Stopped")
        await page.evaluate(FRAMES)
        assert await page.evaluate("contexts.length") == 2
