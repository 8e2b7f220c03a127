"""Sound that an element of a page plays, judged by the tone of the test voice."""

import asyncio

from playwright.async_api import Page

from rtc_server.pcm import Samples
from tests.support.browser.page import PATIENCE_MS
from tests.support.browser.recording import RATE, finish_recording, start_recording
from tests.support.server_engines import tone_hz
from tests.support.signals import audible, loudest_hz

UNTIL_LOUD = """(element) => new Promise((resolve) => {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 32768 });
  const { srcObject } = document.querySelector(element);
  context.createMediaStreamSource(srcObject).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    if (power < 0.01) return;
    clearInterval(timer);
    context.close().then(resolve);
  }, 100);
})"""
"""Until a tenth of a second of the test voice was played. Timers come late on a busy machine: each
look covers 0.7 s."""


async def expect_voice(page: Page, element: str, language: str) -> None:
    """Wait until `element` plays something, which must be `server_engines.tones`."""
    await page.wait_for_function(
        "(element) => document.querySelector(element)?.srcObject?.active",
        arg=element,
        timeout=PATIENCE_MS,
    )
    await start_recording(page, element)
    async with asyncio.timeout(PATIENCE_MS / 1000):
        await page.evaluate(UNTIL_LOUD, element)
    check_voice(await finish_recording(page), language)


def check_voice(recording: Samples, language: str, text: str = "") -> None:
    """Check that a recording is `server_engines.tones` speaking a text."""
    assert abs(loudest_hz(audible(recording), RATE) - tone_hz(text, language)) < 20
