"""The main job on the page: speak one language, read both, hear the other."""

from pathlib import Path

import numpy as np
import scipy.signal
from playwright.async_api import expect

from rtc_server.app.offline import translate
from rtc_server.app.server import running
from rtc_server.config import HttpSettings, Settings
from rtc_server.events.client import SessionPatch
from rtc_server.pcm import SPEECH_RATE, Samples
from tests.browser.chromium import visit, write_wav
from tests.browser.recording import RATE, finish_recording, start_recording
from tests.signals import audible, english, join, russian, silence

SETTINGS = Settings(http=HttpSettings(port=0))
PATIENCE_MS = 60_000
"""For a machine that is busy with other tests; the fake microphone repeats its phrase."""


def as_microphone(path: Path, speech: Samples) -> Path:
    """Speech with room around it. The fake device plays the file again and again."""
    room = silence(2500)
    samples = scipy.signal.resample_poly(join(room, speech, room), RATE // SPEECH_RATE, 1)
    return write_wav(path, samples, RATE)


async def heard(url: str, microphone: Path, source: str, said: str, meant: str) -> Samples:
    """Run one phrase through the page; what was heard, at `SPEECH_RATE`, without silence."""
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
