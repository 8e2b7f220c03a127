"""Sources of the page: the sound of a tab, a local file, a button that is held."""

import base64
import re
from pathlib import Path

from playwright.async_api import Page, expect

from rtc_server.app.server import running
from rtc_server.pcm import SPEECH_RATE
from tests.support.browser.chromium import visit
from tests.support.browser.held_route import HeldRoute
from tests.support.browser.page import (
    LIVE,
    PATIENCE_MS,
    PICK,
    WATCH_LEVELS,
    played_until,
    start,
)
from tests.support.browser.scripted_server import received, scripted_server
from tests.support.patient import SETTINGS
from tests.support.signals import english, join, russian, silence, tone
from tests.support.wav import wav, write_wav

REFUSE_ONCE = """let asked = 0;
if (navigator.mediaDevices) navigator.mediaDevices.getDisplayMedia = async () => {
  if (++asked === 1) throw new DOMException("", "NotAllowedError");
  return new MediaStreamAudioDestinationNode(new AudioContext()).stream;
};"""
SAID, MEANT = "Где находится вокзал?", "Where is the train station?"
PLAY_PHRASE = """async (wav) => {
  document.title = "A talk";
  const bytes = Uint8Array.from(atob(wav), (letter) => letter.charCodeAt(0));
  const speech = new Audio(URL.createObjectURL(new Blob([bytes], { type: "audio/wav" })));
  speech.loop = true;
  await speech.play();
}"""


async def test_a_file_is_translated_to_its_last_phrase(tmp_path: Path) -> None:
    # It ends with the phrase: without a commit its end would never be noticed.
    phrase = write_wav(tmp_path / "phrase.wav", join(silence(500), russian(SAID)), SPEECH_RATE)
    async with (
        running(SETTINGS) as server,
        visit(f"{server.url}/?source=ru&target=en") as seen,
    ):
        page = seen.page
        await page.set_input_files(PICK, phrase)
        await expect(page.locator("#input")).to_have_value("file")
        await expect(page.locator(".file-name")).to_have_text("phrase.wav")
        await expect(page.locator("#file-play")).to_be_disabled()
        await page.click("#toggle:enabled")
        row = page.locator(".segment[data-status=final]").filter(
            has=page.locator(".source", has_text=SAID)
        )
        await played_until(page, row)
        await expect(row.first.locator(".target")).to_have_text(MEANT)
        await page.click("#toggle")
        await page.wait_for_selector("[data-phase=closed]", timeout=PATIENCE_MS)
        await expect(page.locator("#file-play")).to_be_disabled()


async def test_a_file_is_paused_and_wound(tmp_path: Path) -> None:
    file = write_wav(tmp_path / "minute.wav", tone(440, 60_000), SPEECH_RATE)
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        time, position = page.locator("#player time"), page.locator("#player [type=range]")
        await page.set_input_files(PICK, file)
        await expect(time).to_have_text("0:00 / 1:00")
        await start(page)
        await expect(time).to_have_text(re.compile("0:0[1-9] / 1:00"))
        await page.get_by_role("button", name="Pause").click()
        await expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
        await position.fill("59")
        await expect(time).to_have_text("0:59 / 1:00")
        assert server.calls.received == []
        await page.get_by_role("button", name="Play", exact=True).click()
        assert (await received(server.calls, 1))[0]["type"] == "x.input.commit"
        await expect(time).to_have_text("1:00 / 1:00")


async def test_a_file_chosen_before_the_page_was_ready_is_taken(tmp_path: Path) -> None:
    file = write_wav(tmp_path / "minute.wav", tone(440, 60_000), SPEECH_RATE)
    words = HeldRoute()
    async with scripted_server() as server, visit("about:blank") as seen:
        page = seen.page
        await page.route("**/strings/en/page.js", words)
        await page.goto(server.url)
        await page.set_input_files(PICK, file)
        await expect(page.locator("#toggle")).to_be_disabled()
        words.release.set()
        await expect(page.locator(".file-name")).to_have_text("minute.wav")
        await expect(page.locator("#input")).to_have_value("file")
        await expect(page.locator("#player time")).to_have_text("0:00 / 1:00")


async def test_a_file_that_cannot_be_played_is_explained(tmp_path: Path) -> None:
    (tmp_path / "notes.mp3").write_text("This is not sound.")
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        title = page.locator(".problem-title")
        await page.set_input_files(PICK, tmp_path / "notes.mp3")
        await expect(title).to_have_text("The browser cannot play this file")
        await page.click("#problem-dismiss")
        await expect(page.locator("#problem")).to_be_hidden()
        await page.click("#toggle")
        await expect(
            page.locator("#problem")
        ).to_be_visible()  # and nothing is in progress any more
        await expect(title).to_have_text("The browser cannot play this file")
        assert server.calls.requests == []
        good = write_wav(tmp_path / "good.wav", tone(440, 5000), SPEECH_RATE)
        await page.set_input_files(PICK, good)
        await expect(page.locator("#problem")).to_be_hidden()
        await start(page)


async def test_a_file_is_asked_for_and_not_remembered(tmp_path: Path) -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await page.select_option("#input", "file")
        await expect(page.locator(".file-name")).to_have_text("No file chosen")
        await page.click("#toggle:enabled")
        await expect(page.locator(".problem-title")).to_have_text("No file chosen")
        async with page.expect_file_chooser() as chooser:
            await page.click("#file-choose")
        file = write_wav(tmp_path / "tone.wav", tone(440, 2000), SPEECH_RATE)
        await (await chooser.value).set_files(file)
        await expect(page.locator(".file-name")).to_have_text("tone.wav")
        await page.reload()
        await expect(page.locator("#input")).to_have_value("")
        await expect(page.locator("#player")).to_be_hidden()


async def test_push_to_talk_is_for_microphones(tmp_path: Path) -> None:
    file = write_wav(tmp_path / "tone.wav", tone(440, 30_000), SPEECH_RATE)
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await page.evaluate("localStorage.setItem('settings', '{\"talk\":\"hold\"}')")
        await page.reload()
        await start(page)
        await expect(page.locator("#talk")).to_be_visible()
        await page.set_input_files(PICK, file)
        await expect(page.locator("#talk")).to_be_hidden()
        (event,) = await received(server.calls, 1)
        assert event["vad"]["mode"] == "auto"


async def test_what_a_tab_says_is_translated() -> None:
    speech = join(silence(1500), english("Where is the train station?"), silence(1500))
    # Chromium asks the policy about a camera, too, then captures the tab all the same.
    grumble = ["Permissions policy violation: camera"]
    async with (
        running(SETTINGS) as server,
        visit(
            f"{server.url}/?source=en&target=ru",
            expected_errors=grumble,
            whole=True,
        ) as seen,
    ):
        page = seen.page
        talk = await page.context.new_page()
        await talk.goto(f"{server.url}/healthz")
        await talk.evaluate(PLAY_PHRASE, base64.b64encode(wav(speech, SPEECH_RATE)).decode())
        await page.bring_to_front()
        await page.select_option("#input", "tab")
        await page.click("#toggle:enabled")
        row = page.locator(".segment[data-status=final]", has_text="Где находится вокзал?")
        await expect(row.first).to_be_visible(timeout=PATIENCE_MS)
        await page.evaluate(WATCH_LEVELS)  # the tab is silent; the page plays what it says
        await page.wait_for_function("() => levelDb() > -40", timeout=PATIENCE_MS)


async def start_without_the_tab(page: Page) -> None:
    """Start, and choose a tab that the browser then refuses."""
    await start(page)
    await page.select_option("#input", "tab")
    await expect(page.locator(".problem-title")).to_have_text("No tab was chosen")


async def test_a_source_that_was_refused_can_be_chosen_again_with_one_click() -> None:
    async with scripted_server() as server, visit(server.url, before_load=REFUSE_ONCE) as seen:
        page = seen.page
        await start_without_the_tab(page)
        await page.click("#problem-action")
        await expect(page.locator("#original-note")).not_to_have_attribute("hidden", "")
        await expect(page.locator("#problem")).to_be_hidden()
        await expect(page.locator("#status")).to_have_text("Listening")


async def test_a_source_that_was_refused_before_the_end_begins_anew_with_one_click() -> None:
    async with scripted_server() as server, visit(server.url, before_load=REFUSE_ONCE) as seen:
        page = seen.page
        await start_without_the_tab(page)
        await page.click("#toggle")
        await page.wait_for_selector("[data-phase=closed]")
        await page.click("#problem-action")
        await page.wait_for_selector(LIVE)
        await expect(page.locator("#original-note")).not_to_have_attribute("hidden", "")


async def test_a_source_that_breaks_the_page_is_no_refusal_of_the_server() -> None:
    broken = """RTCRtpSender.prototype.replaceTrack = async () => {
      throw new DOMException("closed", "InvalidStateError");
    };"""
    async with (
        scripted_server() as server,
        visit(
            f"{server.url}?transport=webrtc", before_load=broken, expected_errors=["uncaught: "]
        ) as seen,
    ):
        page = seen.page
        await page.evaluate("localStorage.setItem('settings', '{\"talk\":\"hold\"}')")
        await page.reload()  # with push-to-talk nothing is sent before the call is up
        await start(page)
        await page.select_option("#input", label="Fake Audio Input 1")
        await expect(page.locator("#absent")).to_contain_text("Something went wrong on this page")
        await expect(page.locator("#problem")).to_be_hidden()


async def test_push_to_talk_by_touch() -> None:
    async with scripted_server() as server, visit(server.url, has_touch=True) as seen:
        page = seen.page
        await page.evaluate("localStorage.setItem('settings', '{\"talk\":\"hold\"}')")
        await page.reload()
        await start(page)
        box = await page.locator("#talk").bounding_box()
        assert box
        finger = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        touch = await page.context.new_cdp_session(page)
        for kind, points in (("touchStart", [finger]), ("touchEnd", [])):
            await touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        kinds = [event["type"] for event in await received(server.calls, 2)]
        assert kinds == ["x.input.start", "x.input.commit"]
