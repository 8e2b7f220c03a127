"""The page on a network where UDP does not pass: the same conversation over a WebSocket."""

import contextlib
import pathlib
from collections.abc import AsyncIterator
from dataclasses import replace

import numpy as np
import pytest
import scipy.signal
from playwright.async_api import Page, expect

from rtc_server.app.offline import translate
from rtc_server.app.server import RunningServer, running
from rtc_server.events.client import SessionPatch
from rtc_server.pcm import SPEECH_RATE, Samples, from_int16
from tests.support.browser.captioned import until
from tests.support.browser.chromium import visit
from tests.support.browser.diversion import divert
from tests.support.browser.page import PATIENCE_MS
from tests.support.browser.recording import RATE, finish_recording, start_recording
from tests.support.browser.voice import as_microphone
from tests.support.cable import Cable
from tests.support.netem import BLACK_HOLE, UdpProxy
from tests.support.patient import SETTINGS, TONES
from tests.support.signals import audible, join, russian, silence

SAID, MEANT = "Где находится вокзал?", "Where is the train station?"
HANGING_UP = ["Failed to load resource: the server responded with a status of 404"]
"""Console lines of a page that gave up on WebRTC: its server may have freed the call before."""
KEEP_SOCKETS = """window.sockets = [];
window.speech = [];
window.WebSocket = class extends WebSocket {
  constructor(...how) {
    super(...how);
    sockets.push(this);
    this.addEventListener("message", ({ data }) => {
      if (data instanceof ArrayBuffer) speech.push(...new Int16Array(data));
    });
  }
};"""


@contextlib.asynccontextmanager
async def without_udp(page: Page) -> AsyncIterator[UdpProxy]:
    """Lead the page's calls through a network that swallows every datagram."""
    async with UdpProxy(seed=7, up=BLACK_HOLE, down=BLACK_HOLE) as proxy:
        await divert(page, proxy)
        yield proxy


async def converse(server: RunningServer, page: Page) -> None:
    """Start, and check that a phrase is captioned and translated aloud, over one WebSocket."""
    await page.click("#toggle:enabled")
    await page.wait_for_selector("[data-phase=listening], [data-phase=hearing]")
    assert await page.evaluate("sockets.length") == 1
    row = page.locator(".segment[data-status=final]").filter(has_text=SAID).first
    await expect(row.locator(".target .firm")).to_have_text(MEANT, timeout=PATIENCE_MS)
    # What came is judged by its words. What is played, by its length: on a busy machine Chromium's
    # audio threads come late, and a gap in a word is no fault of the page.
    for _ in range(5):  # the microphone repeats its phrase; one answer may begin in another
        came, played = await next_answer(page)
        if MEANT in await understand(came) and len(played) > len(came) / 2:
            break
    else:
        pytest.fail("no answer was heard whole")
    await page.click("#toggle")
    await page.wait_for_selector("[data-phase=closed]", timeout=PATIENCE_MS)
    while server.manager.sessions:
        await page.wait_for_timeout(50)


async def next_answer(page: Page) -> tuple[Samples, Samples]:
    """Return the audio that the page gets until the next phrase has been answered, and what it
    plays.
    """
    answered = page.locator(".segment[data-playout=finished]").filter(has_text=SAID)
    before = await answered.count()
    await page.evaluate("speech.length = 0")
    await start_recording(page)
    await expect(answered.nth(before)).to_be_attached(timeout=PATIENCE_MS)
    await page.wait_for_timeout(500)  # the player's buffer holds the last of it
    recording = await finish_recording(page)
    lowered = scipy.signal.resample_poly(recording, 1, RATE // SPEECH_RATE)
    came = np.array(await page.evaluate("speech"), np.int16)
    return audible(from_int16(came)), audible(lowered.astype(np.float32))


async def understand(speech: Samples) -> list[str]:
    back = SessionPatch(source_language="en", target_language="ru")
    said = await translate(join(speech, silence(1000)), SETTINGS, back)
    return [segment.source.text for segment in said.segments]


@pytest.mark.alone
async def test_where_udp_does_not_pass_a_phrase_is_heard_translated(
    tmp_path: pathlib.Path,
) -> None:
    microphone = as_microphone(tmp_path / "microphone.wav", russian(SAID))
    async with (
        running(SETTINGS) as server,
        visit(
            f"{server.url}/?source=ru&target=en",
            microphone=microphone,
            before_load=KEEP_SOCKETS,
            expected_errors=HANGING_UP,
        ) as seen,
        without_udp(seen.page) as proxy,
    ):
        await converse(server, seen.page)
        assert max(proxy.dropped) > 0


@pytest.mark.alone
@pytest.mark.slow
async def test_a_browser_without_webrtc_uses_a_websocket(tmp_path: pathlib.Path) -> None:
    microphone = as_microphone(tmp_path / "microphone.wav", russian(SAID))
    async with (
        running(SETTINGS) as server,
        visit(
            f"{server.url}/?source=ru&target=en",
            microphone=microphone,
            before_load=KEEP_SOCKETS + "delete window.RTCPeerConnection;",
        ) as seen,
    ):
        await converse(server, seen.page)


async def test_a_websocket_that_breaks_is_made_again_for_the_same_session(
    tmp_path: pathlib.Path,
) -> None:
    microphone = as_microphone(tmp_path / "microphone.wav", russian(SAID))
    async with running(replace(SETTINGS, engines=TONES)) as server:
        cable = Cable(server.port)
        async with (
            cable.plugged() as port,
            visit(
                f"http://127.0.0.1:{port}/?source=ru&target=en&transport=websocket",
                microphone=microphone,
                before_load=KEEP_SOCKETS,
                expected_errors=["WebSocket connection to", "Failed to load resource"],
            ) as seen,
        ):
            page = seen.page
            await page.click("#toggle:enabled")
            rows = page.locator(".segment[data-playout=finished]")
            await expect(rows.first).to_be_attached(timeout=PATIENCE_MS)
            (session,) = server.manager._registry.ids
            cable.pull()
            await until(page, "sockets.length >= 2")
            await expect(rows.nth(await rows.count())).to_be_attached(timeout=PATIENCE_MS)
            assert list(server.manager._registry.ids) == [session]
            await page.click("#toggle")
            await page.wait_for_selector("[data-phase=closed]", timeout=PATIENCE_MS)
