"""The main job on the page: speak one language, read both, hear the other."""

import contextlib
import re
from pathlib import Path

import numpy as np
import pytest
import scipy.signal
from playwright.async_api import Page, expect

from rtc_server.app.offline import translate
from rtc_server.app.server import running
from rtc_server.events.client import SessionPatch
from rtc_server.pcm import SPEECH_RATE, Samples
from tests.support.browser.chromium import visit
from tests.support.browser.page import PATIENCE_MS
from tests.support.browser.recording import RATE, finish_recording, start_recording
from tests.support.browser.voice import as_microphone
from tests.support.patient import SETTINGS
from tests.support.signals import audible, english, join, russian, silence

pytestmark = pytest.mark.alone


async def heard(url: str, microphone: Path, source: str, said: str, meant: str) -> Samples:
    """Run one phrase through the page; return what it played, at `SPEECH_RATE`, without silence."""
    target = "en" if source == "ru" else "ru"
    async with visit(f"{url}/?source={source}&target={target}", microphone=microphone) as seen:
        page = seen.page
        await page.click("#toggle:enabled")
        await page.wait_for_selector("[data-phase=listening], [data-phase=hearing]")
        await start_recording(page)
        first = page.locator(".segment[data-status=final]").first
        await expect(first.locator(".source .firm")).to_have_text(said, timeout=PATIENCE_MS)
        await expect(first.locator(".target .firm")).to_have_text(meant)
        await expect(first).to_have_attribute("data-playout", "finished", timeout=PATIENCE_MS)
        # The server has played it out; the browser's jitter buffer holds the last of it.
        await page.wait_for_timeout(500)
        recording = await finish_recording(page)
        await page.click("#toggle")
        await page.wait_for_selector("[data-phase=closed]")
    lowered = scipy.signal.resample_poly(recording, 1, RATE // SPEECH_RATE)
    return audible(lowered.astype(np.float32))


async def test_russian_is_heard_in_english(tmp_path: Path) -> None:
    said, meant = "Где находится вокзал?", "Where is the train station?"
    microphone = as_microphone(tmp_path / "microphone.wav", russian(said))
    async with running(SETTINGS) as server:
        speech = await heard(server.url, microphone, "ru", said, meant)
    back = SessionPatch(source_language="en", target_language="ru")
    understood = await translate(join(speech, silence(1000)), SETTINGS, back)
    assert [s.source.text for s in understood.segments] == [meant]


async def test_english_is_heard_in_russian(tmp_path: Path) -> None:
    said, meant = "Where is the train station?", "Где находится вокзал?"
    microphone = as_microphone(tmp_path / "microphone.wav", english(said))
    async with running(SETTINGS) as server:
        speech = await heard(server.url, microphone, "en", said, meant)
    seconds = speech.size / SPEECH_RATE
    assert 0.7 < seconds < 4, seconds
    assert np.sqrt(np.mean(np.square(speech))) > 0.02


async def test_languages_are_swapped_in_mid_session(tmp_path: Path) -> None:
    said = {"ru": "Где находится вокзал?", "en": "Where is the train station?"}
    microphone = as_microphone(tmp_path / "both.wav", russian(said["ru"]), english(said["en"]))
    async with (
        running(SETTINGS) as server,
        visit(f"{server.url}/?source=ru&target=en", microphone=microphone) as seen,
    ):
        page = seen.page
        for source, target in (("ru", "en"), ("en", "ru")):
            if source == "ru":
                await page.click("#toggle:enabled")
            else:
                await page.click("#swap")
            row = page.locator(".segment[data-status=final]").filter(
                has=page.locator(f".source[lang={source}]", has_text=said[source])
            )
            meant = row.first.locator(f".target[lang={target}]")
            await expect(meant).to_have_text(said[target], timeout=PATIENCE_MS)


async def test_push_to_talk_translates_what_was_said_while_it_was_held(tmp_path: Path) -> None:
    said, meant = "Where is the train station?", "Где находится вокзал?"
    microphone = as_microphone(tmp_path / "microphone.wav", english(said))
    async with (
        running(SETTINGS) as server,
        visit(f"{server.url}/?source=en&target=ru", microphone=microphone) as seen,
    ):
        page = seen.page
        await page.click("[popovertarget=settings]")
        await page.check("[value=hold]")
        await page.keyboard.press("Escape")
        await page.click("#toggle:enabled")
        await expect(page.locator("#talk")).to_be_visible()
        await until_a_phrase_has_passed(page)
        await expect(page.locator(".segment")).to_have_count(0)
        row = page.locator(".segment[data-status=final]")
        for _ in range(5):  # a busy machine may tear holes into the sound
            await page.keyboard.down(" ")
            await until_a_phrase_has_passed(page)
            await page.keyboard.up(" ")
            with contextlib.suppress(AssertionError):
                await expect(row).to_be_visible(timeout=20_000)
                break
        await expect(row.locator(".source")).to_have_text(said)
        await expect(row.locator(".target")).to_have_text(meant)


async def until_a_phrase_has_passed(page: Page) -> None:
    """Wait for sound in the microphone, then for the silence after it."""
    meter = page.locator("#meter")
    loud, quiet = re.compile("^([3-9][0-9]|100)$"), re.compile("^[0-4]$")
    await expect(meter).to_have_attribute("aria-valuenow", loud, timeout=PATIENCE_MS)
    await expect(meter).to_have_attribute("aria-valuenow", quiet, timeout=PATIENCE_MS)
