"""Output of the page: the translation, the original under it, and the device that plays them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from playwright.async_api import Page, expect

from rtc_server.app.server import running
from rtc_server.pcm import SPEECH_RATE, Samples
from tests.support.browser.chromium import visit
from tests.support.browser.page import (
    PATIENCE_MS,
    PICK,
    WATCH_LEVELS,
    pretend_devices,
    start,
)
from tests.support.browser.played import check_voice
from tests.support.browser.recording import finish_recording, start_recording
from tests.support.browser.scripted_server import say, scripted_server
from tests.support.patient import SETTINGS, TONES
from tests.support.signals import join, russian, silence, tone
from tests.support.wav import write_wav

FOLLOW_METER = """() => {
  window.loudest = 0;
  const meter = document.querySelector("#output-meter");
  const note = () => (loudest = Math.max(loudest, meter.getAttribute("aria-valuenow")));
  new MutationObserver(note).observe(meter, { attributes: true });
}"""
TONE_DB = 20 * np.log10(0.5 / np.sqrt(2))
"""Level of the file that is played as the original."""
LOUDEST = """async () => {
  let loudest = -Infinity;
  for (const end = performance.now() + 2500; performance.now() < end; ) {
    loudest = Math.max(loudest, levelDb());
    await new Promise((wake) => setTimeout(wake, 20));
  }
  return loudest;
}"""
DUCK_OFFLINE = """async ([ducked, until]) => {
  const { Ducking, follow } = await import("/static/ducking.js");
  const rate = 48000;
  const context = new OfflineAudioContext(1, 2 * rate, rate);
  const one = context.createConstantSource();
  const gain = context.createGain();
  one.connect(gain).connect(context.destination);
  one.start();
  const ducking = new Ducking();
  for (const [turn, at] of [[true, ducked], [false, until]]) {
    context.suspend(at).then(() => {
      follow(gain.gain, ducking.turn(turn, context.currentTime));
      context.resume();
    });
  }
  const samples = (await context.startRendering()).getChannelData(0);
  return Array.from({ length: 200 }, (_, index) => 20 * Math.log10(samples[index * rate / 100]));
}"""


async def until_level(page: Page, db: float, within: float = 1.0) -> None:
    """Wait until what the page plays beside the translation is that loud."""
    await page.wait_for_function(
        "([db, within]) => Math.abs(levelDb() - db) < within", arg=[db, within], timeout=30_000
    )


async def start_with_tone(page: Page, folder: Path) -> None:
    """A conversation that listens to a steady tone from a file, and its level watched."""
    file = write_wav(folder / "tone.wav", tone(1000, 120_000), SPEECH_RATE)
    await page.set_input_files(PICK, file)
    await start(page)
    await page.wait_for_function("() => document.querySelector('#local').srcObject")
    await page.evaluate(WATCH_LEVELS)
    await until_level(page, TONE_DB)


async def test_the_original_is_ducked_fast_and_comes_back_slowly() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        levels = np.array(await seen.page.evaluate(DUCK_OFFLINE, [0.5, 1.0]))  # every 10 ms
        assert np.allclose(levels[:50], 0, atol=0.01)
        assert np.allclose(levels[58:100], -20, atol=0.01), "not 20 dB down after 80 ms"
        assert np.all(np.diff(levels[50:57]) < -1)
        assert levels[120] == pytest.approx(-10, abs=0.5), "the release is even in decibels"
        assert np.allclose(levels[141:], 0, atol=0.01), "not back after 400 ms"

        # A fade that ends early turns around at its current level, without a click.
        levels = np.array(await seen.page.evaluate(DUCK_OFFLINE, [0.5, 0.53]))
        assert levels.min() == pytest.approx(-10, abs=1)
        assert np.max(np.abs(np.diff(levels))) < 4
        assert np.allclose(levels[75:], 0, atol=0.01)


async def test_the_original_is_20_db_down_while_the_translation_speaks(tmp_path: Path) -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await start_with_tone(page, tmp_path)
        channel = await server.calls.channel.get()
        for _ in range(2):
            say(channel, "x.playout", segment_id="a", state="started", queue_ms=900, tempo=1)
            await until_level(page, TONE_DB - 20)
            say(channel, "x.playout", segment_id="a", state="finished", queue_ms=0, tempo=1)
            await until_level(page, TONE_DB)


async def test_either_voice_is_muted_and_mixed(tmp_path: Path) -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await start_with_tone(page, tmp_path)
        channel = await server.calls.channel.get()
        await page.click("[popovertarget=sound]")
        await page.locator("#mix").fill("0.75")
        await until_level(page, TONE_DB - 6)
        await page.locator("#mix").fill("0.25")
        await until_level(page, TONE_DB)
        assert await page.evaluate("document.querySelector('#output').volume") == 0.5
        await page.get_by_text("Original", exact=True).click()
        await page.wait_for_function("() => levelDb() < -90")
        await page.get_by_text("Original", exact=True).click()
        await until_level(page, TONE_DB)

        await page.get_by_text("Translation", exact=True).click()
        assert await page.evaluate("document.querySelector('#output').volume") == 0
        say(channel, "x.playout", segment_id="a", state="started", queue_ms=900, tempo=1)
        await expect(page.locator("#hush")).to_be_enabled()
        await until_level(page, TONE_DB)  # there is nothing to make room for
        await page.get_by_text("Translation", exact=True).click()
        await until_level(page, TONE_DB - 20)


async def test_a_microphone_is_not_played_unless_it_is_asked_for() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await start(page)
        await page.wait_for_function("() => document.querySelector('#local').srcObject")
        await page.evaluate(WATCH_LEVELS)
        await page.click("[popovertarget=sound]")
        await expect(page.locator("#mix")).to_be_disabled()
        assert await page.evaluate(LOUDEST) < -90  # the fake microphone beeps every second
        await page.check("[name=monitor]")
        await page.wait_for_function("() => levelDb() > -40")
        await expect(page.locator("#mix")).to_be_enabled()


async def test_the_last_translation_is_said_again(tmp_path: Path) -> None:
    phrases = ("Сколько это стоит?", "Где находится вокзал?")
    room = silence(1500)
    speech = join(room, *(part for phrase in phrases for part in (russian(phrase), room)))
    file = write_wav(tmp_path / "phrases.wav", speech, SPEECH_RATE)
    numbers = replace(TONES, ast="tests.support.server_engines:counting")
    async with (
        running(replace(SETTINGS, engines=numbers)) as server,
        visit(f"{server.url}/?source=ru&target=en") as seen,
    ):
        page = seen.page
        await expect(page.locator("#replay")).to_be_disabled()
        await page.evaluate(FOLLOW_METER)
        await page.set_input_files(PICK, file)
        await page.click("#toggle:enabled")
        await expect(page.locator(".segment[data-playout=finished]").nth(1)).to_be_attached()
        await expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
        await expect(page.locator(".segment:not([data-playout=finished])")).to_have_count(0)
        check_voice(await heard_again(page), "en", await page.locator(".target").last.inner_text())
        assert await page.evaluate("loudest") > 40

        await page.click("#toggle")
        await page.wait_for_selector("[data-phase=closed]", timeout=PATIENCE_MS)
        await page.click("#replay:enabled")  # it is kept
        await page.click("#hush:enabled")
        await expect(page.locator("#hush")).to_be_disabled()
        await expect(page.locator("#replay")).to_be_enabled()


async def heard_again(page: Page) -> Samples:
    """Return the translation that is repeated."""
    await start_recording(page, "#local")
    await page.click("#replay:enabled")
    await expect(page.locator("#hush")).to_be_enabled()
    await expect(page.locator("#hush")).to_be_disabled()
    return await finish_recording(page)


async def test_everything_moves_to_the_chosen_loudspeaker(tmp_path: Path) -> None:
    sinks = "[...document.querySelectorAll('audio')].map(({ sinkId }) => sinkId)"
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await start_with_tone(page, tmp_path)
        await page.evaluate("navigator.mediaDevices.getUserMedia({ audio: true })")  # names
        await pretend_devices(page, "")
        await page.click("[popovertarget=sound]")
        await page.select_option("#speaker", label="Fake Audio Output 1")
        chosen = await page.input_value("#speaker")
        await page.wait_for_function(f"() => {sinks}.every((id) => id === {chosen!r})")
        await until_level(page, TONE_DB)

        await pretend_devices(page, "Fake Audio Output 1")
        await expect(page.locator(".problem-title")).to_have_text(
            "The chosen loudspeaker went away"
        )
        await page.wait_for_function(f"() => {sinks}.every((id) => id === '')")
        await pretend_devices(page, "")
        await page.wait_for_function(f"() => {sinks}.every((id) => id === {chosen!r})")


SPEAKERS = """const devices = navigator.mediaDevices;
const enumerate = devices.enumerateDevices.bind(devices);
devices.enumerateDevices = async () => [
  ...(await enumerate()).filter(({ kind }) => kind === "audioinput"),
  { kind: "audiooutput", deviceId: "default", label: "Default - Speakers (Realtek)" },
  { kind: "audiooutput", deviceId: "phones", label: "Headphones (WH-1000)" },
];
HTMLMediaElement.prototype.setSinkId = async () => {};"""


async def test_loudspeakers_beside_a_microphone_are_advised_against() -> None:
    async with scripted_server() as server, visit(server.url, before_load=SPEAKERS) as seen:
        page = seen.page
        advice = page.locator("#advice")
        await start(page)
        await expect(advice).to_contain_text("Headphones work better")
        await page.click("[popovertarget=sound]")
        await page.select_option("#speaker", "phones")
        await page.keyboard.press("Escape")
        await expect(advice).to_be_hidden()
        await page.click("[popovertarget=sound]")
        await page.select_option("#speaker", "")
        await page.keyboard.press("Escape")
        await page.click("#advice button")
        await expect(advice).to_be_hidden()
        await page.reload()
        await start(page)
        await page.evaluate("navigator.mediaDevices.dispatchEvent(new Event('devicechange'))")
        await expect(page.locator("#status")).to_have_text("Listening")
        await expect(advice).to_be_hidden()


NAMES = {
    "Default - Speakers (Realtek(R) Audio)": True,
    "MacBook Pro Speakers (Built-in)": True,
    "Динамики (Realtek)": True,
    "LG HDMI": True,
    "": True,
    "Headphones (WH-1000XM4 Stereo)": False,
    "Speakers (Jabra Headset)": False,
    "AirPods Pro": False,
    "Наушники (2- USB)": False,
    "External thing": False,
}
JUDGE = """async (names) => {
  const { isLoudspeaker } = await import("/static/headset.js");
  return names.map(isLoudspeaker);
}"""


async def test_loudspeakers_are_known_by_name() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        assert await seen.page.evaluate(JUDGE, [*NAMES]) == [*NAMES.values()]
