"""The whole job in Chromium, over a network that loses packets both ways."""

import contextlib
import pathlib
from collections.abc import AsyncIterator

import numpy as np
import pytest
import scipy.signal
from playwright.async_api import Page, expect

from rtc_server.app.offline import translate
from rtc_server.app.server import running
from rtc_server.events.client import SessionPatch
from rtc_server.pcm import SPEECH_RATE
from tests.support.browser.chromium import visit
from tests.support.browser.diversion import divert
from tests.support.browser.page import PATIENCE_MS
from tests.support.browser.recording import RATE, finish_recording, start_recording
from tests.support.browser.voice import as_microphone
from tests.support.netem import Path, UdpProxy
from tests.support.patient import SETTINGS
from tests.support.signals import audible, join, russian, silence

pytestmark = pytest.mark.alone
SLOW = pytest.mark.slow  # the heaviest loss shows most

ANSWERS = 3
"""Answers that are recorded; of these the phrasebook, which errs anyhow, understands one."""
SAID, MEANT = "Где находится вокзал?", "Where is the train station?"


@contextlib.asynccontextmanager
async def through(page: Page, path: Path) -> AsyncIterator[UdpProxy]:
    """Lead the page's next call through a network that is `path` both ways."""
    async with UdpProxy(seed=7, up=path, down=path) as proxy:
        await divert(page, proxy)
        yield proxy
        await page.click("#toggle")
        await page.wait_for_selector("[data-phase=closed]")


@pytest.mark.parametrize(
    "loss", [pytest.param(0.0, marks=SLOW), pytest.param(0.05, marks=SLOW), 0.1]
)
async def test_what_is_said_is_understood_and_its_answer_heard(
    loss: float, tmp_path: pathlib.Path
) -> None:
    microphone = as_microphone(tmp_path / "microphone.wav", russian(SAID))
    async with (
        running(SETTINGS) as server,
        visit(
            f"{server.url}/?source=ru&target=en",
            microphone=microphone,
            # Hanging up closes the peer and the HTTP session; either may come first.
            expected_errors=["Failed to load resource: the server responded with a status of 404"],
        ) as seen,
        through(seen.page, Path(loss=loss)) as proxy,
    ):
        page = seen.page
        await page.click("#toggle:enabled")
        await page.wait_for_selector("[data-phase=listening], [data-phase=hearing]")
        await start_recording(page)
        row = page.locator(".segment[data-status=final]").filter(has_text=SAID).first
        await expect(row.locator(".target .firm")).to_have_text(MEANT, timeout=PATIENCE_MS)
        # The microphone says it over and over, and each answer loses other packets.
        spoken = page.locator(".segment[data-playout=finished]").filter(has_text=SAID)
        await expect(spoken.nth(ANSWERS - 1)).to_be_visible(timeout=PATIENCE_MS)
        await page.wait_for_timeout(500)  # the browser's jitter buffer holds the last of it
        recording = await finish_recording(page)
        assert (min(proxy.dropped) > 0) == (loss > 0)
    speech = audible(scipy.signal.resample_poly(recording, 1, RATE // SPEECH_RATE))
    back = SessionPatch(source_language="en", target_language="ru")
    understood = await translate(join(speech.astype(np.float32), silence(1000)), SETTINGS, back)
    assert MEANT in [segment.source.text for segment in understood.segments]
