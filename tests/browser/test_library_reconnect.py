"""An application that took `translation.stream` once goes on hearing after a reconnection."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.async_api import Page

from rtc_server.app.server import running
from tests.support.browser.chromium import visit
from tests.support.browser.diversion import divert
from tests.support.browser.page import FAILED_REQUEST, PATIENCE_MS
from tests.support.browser.voice import RUSSIAN, as_microphone
from tests.support.cable import Cable
from tests.support.netem import BLACK_HOLE, UdpProxy
from tests.support.patient import SETTINGS
from tests.support.signals import russian

ATTACH = """async (transport) => {
  const { attachTranslation } = await import(new URL("static/client.js", location));
  const { mediaDevices } = navigator;
  const [track] = (await mediaDevices.getUserMedia({ audio: true })).getAudioTracks();
  const options = { url: location.href, transport, source: "ru", target: "en" };
  window.translation = await attachTranslation(track, options);
  window.taken = translation.stream;
  window.states = [];
  translation.addEventListener("state", ({ detail }) => states.push(detail.state));
  window.tracks = [translation.stream.getAudioTracks()[0]];
  translation.addEventListener("track", ({ detail }) => tracks.push(detail.track));
  window.audio = new Audio();
  audio.autoplay = true;
  audio.srcObject = translation.stream;
}"""
LISTEN = """() => {
  const context = new AudioContext();
  const analyser = new AnalyserNode(context, { fftSize: 2048 });
  context.createMediaStreamSource(taken).connect(analyser);
  const samples = new Float32Array(2048);
  const began = audio.currentTime;
  window.isHeard = () => {
    analyser.getFloatTimeDomainData(samples);
    const plays = !audio.paused && !audio.ended && audio.currentTime > began;
    return plays && Math.max(...samples) > 0.05;
  };
}"""
CAME_BACK = "() => states.includes('reconnecting') && translation.state === 'live'"


async def until_heard(page: Page) -> None:
    """Wait until the element plays sound that is not silence."""
    await page.evaluate(LISTEN)
    await page.wait_for_function("() => isHeard()", polling=20, timeout=PATIENCE_MS)


async def goes_on_hearing(page: Page, transport: str, break_it: Callable[[], None]) -> None:
    await page.evaluate(ATTACH, transport)
    await until_heard(page)
    break_it()
    await page.wait_for_function(CAME_BACK, polling=100, timeout=PATIENCE_MS)
    await until_heard(page)
    assert await page.evaluate("taken === translation.stream")
    held = await page.evaluate("taken.getTracks().map((track) => [track.kind, track.readyState])")
    assert held == [["audio", "live"]]
    newest = "tracks.length > 1 && tracks.at(-1) === taken.getAudioTracks()[0]"
    assert await page.evaluate(newest), "an audio graph must be told of the other track"
    await page.evaluate("translation.stop({ drain: false })")


@pytest.mark.slow
async def test_a_stream_that_was_taken_once_is_heard_for_good(tmp_path: Path) -> None:
    microphone = as_microphone(tmp_path / "microphone.wav", russian(RUSSIAN))
    async with (
        running(SETTINGS) as server,
        visit(
            f"{server.url}/",
            microphone=microphone,
            expected_errors=[FAILED_REQUEST],
        ) as seen,
        UdpProxy(seed=7) as proxy,
    ):

        def break_it() -> None:
            proxy.up = proxy.down = BLACK_HOLE

        await divert(seen.page, proxy, times=1)
        await goes_on_hearing(seen.page, "webrtc", break_it)


async def test_it_is_over_a_websocket(tmp_path: Path) -> None:
    microphone = as_microphone(tmp_path / "microphone.wav", russian(RUSSIAN))
    async with running(SETTINGS) as server:
        cable = Cable(server.port)
        async with (
            cable.plugged() as port,
            visit(
                f"http://127.0.0.1:{port}/",
                microphone=microphone,
                expected_errors=["WebSocket connection to", FAILED_REQUEST],
            ) as seen,
        ):
            await goes_on_hearing(seen.page, "websocket", cable.pull)
