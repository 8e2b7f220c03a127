"""A sentence that an element of a page plays, and what an interpreter makes of it."""

import asyncio

import numpy as np
import scipy.signal
from playwright.async_api import Page

from rtc_server.app.offline import translate
from rtc_server.events.client import SessionPatch
from rtc_server.pcm import SPEECH_RATE, Samples
from tests.support.browser.page import PATIENCE_MS
from tests.support.browser.recording import RATE, finish_recording, start_recording
from tests.support.browser.voice import ENGLISH
from tests.support.patient import SETTINGS
from tests.support.signals import audible, join, silence

UNTIL_HEARD = """(element) => new Promise((resolve) => {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 32768 });
  const { srcObject } = document.querySelector(element);
  context.createMediaStreamSource(srcObject).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  let lastLoud = Infinity;
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    const rms = Math.sqrt(power);
    if (rms > (lastLoud === Infinity ? 0.01 : 0.003)) lastLoud = context.currentTime;
    if (context.currentTime - lastLoud < 1) return;
    clearInterval(timer);
    context.close().then(resolve);
  }, 200);
})"""
"""Until a sentence was spoken and is over. Timers come late on a busy machine: each look covers
0.7 s, and silence is timed by the audio's own clock."""


async def spoken(page: Page, element: str) -> Samples:
    """The next sentence that `element` plays, at `SPEECH_RATE`, without silence."""
    await page.wait_for_function(
        "(element) => document.querySelector(element)?.srcObject?.active",
        arg=element,
        timeout=PATIENCE_MS,
    )
    await start_recording(page, element)
    async with asyncio.timeout(PATIENCE_MS / 1000):
        await page.evaluate(UNTIL_HEARD, element)
    recording = await finish_recording(page)
    lowered = scipy.signal.resample_poly(recording, 1, RATE // SPEECH_RATE)
    return audible(lowered.astype(np.float32))


async def expect_english(speech: Samples) -> None:
    """Check that what was played is the translation, in words that an interpreter understands."""
    back = SessionPatch(source_language="en", target_language="ru")
    understood = await translate(join(speech, silence(1000)), SETTINGS, back)
    assert ENGLISH in [segment.source.text for segment in understood.segments]
