"""A microphone that says what the test tells it to, when the test tells it to.

Chromium's fake microphone plays a file over and over; for a dialogue someone must wait for the
answer first.
"""

import asyncio
import base64
from pathlib import Path

import numpy as np
import scipy.signal
from aiortc.mediastreams import MediaStreamTrack
from playwright.async_api import Page

from rtc_server.pcm import SPEECH_RATE, Samples
from tests.support.browser.recording import RATE
from tests.support.browser.scripted_server import loudest_hz_of
from tests.support.signals import join, silence, tone
from tests.support.wav import write_wav

RUSSIAN, ENGLISH = "Где находится вокзал?", "Where is the train station?"
"""A phrase of the phrasebook, and what it means."""
MICROPHONE = """(() => {
  let context, speech;
  // On a busy machine early speech can be kept only later than a page waits for that.
  const later = window.setTimeout.bind(window);
  window.setTimeout = (act, ms, ...more) =>
    ms === 500 && more[0] === null ? 0 : later(act, ms, ...more);
  const open = () => {
    context ??= new AudioContext();
    speech ??= context.createMediaStreamDestination();
  };
  if (!navigator.mediaDevices) return; // a blank page, where some visits begin, has none
  navigator.mediaDevices.getUserMedia = async () => {
    open();
    await context.resume();
    return new MediaStream([speech.stream.getAudioTracks()[0].clone()]);
  };
  window.say = async (base64, rate) => {
    open();
    const bytes = Uint8Array.from(atob(base64), (byte) => byte.charCodeAt(0));
    const samples = new Float32Array(bytes.buffer);
    const buffer = new AudioBuffer({ length: samples.length, sampleRate: rate });
    buffer.copyToChannel(samples, 0);
    const source = new AudioBufferSourceNode(context, { buffer });
    source.connect(speech);
    source.start();
    await new Promise((ended) => (source.onended = ended));
    return performance.now();
  };
})()"""
"""Runs before the page's own scripts."""


async def say(page: Page, speech: Samples) -> float:
    """Speak into the page's microphone; returns when it was said, in the page's time in ms."""
    data = base64.b64encode(speech.astype("<f4").tobytes()).decode()
    return float(await page.evaluate("([data, rate]) => say(data, rate)", [data, SPEECH_RATE]))


def sound(frequency_hz: float) -> Samples:
    """A second and a half of a tone."""
    return tone(frequency_hz, 1500, sample_rate=SPEECH_RATE)


async def hears(
    track: MediaStreamTrack, frequency_hz: float, *, never_hz: float | None = None
) -> None:
    """Wait for a tone, before which another one must not be heard."""
    async with asyncio.timeout(60):
        while abs((heard_hz := await loudest_hz_of(track)) - frequency_hz) > 20:
            assert never_hz is None or abs(heard_hz - never_hz) > 20


def with_pause(speech: Samples, pause_ms: int = 200) -> Samples:
    """A short silence before and after, as between pressing a button and speaking."""
    room = np.zeros(SPEECH_RATE * pause_ms // 1000, np.float32)
    return np.concatenate([room, speech, room])


def as_microphone(path: Path, *spoken: Samples) -> Path:
    """Speech with room around it. The fake device plays the file again and again."""
    room = silence(2500)
    paced = [part for speech in spoken for part in (room, speech, room)]
    samples = scipy.signal.resample_poly(join(*paced), RATE // SPEECH_RATE, 1)
    return write_wav(path, samples, RATE)
