"""The interpreter page as tests use it: start it, and wait for what it shows."""

import contextlib

from playwright.async_api import Locator, Page, expect

PATIENCE_MS = 60_000
"""Long, for a machine that is busy with other tests; the fake microphone repeats its phrase."""
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1360, "height": 820}
FAILED_REQUEST = "Failed to load resource"
"""Line that Chromium writes to the console for every refused request."""
LIVE = "[data-phase=listening]"
PICK = "#player input[type=file]"
WATCH_LEVELS = """() => {
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  analyser.fftSize = 4096;
  context.createMediaStreamSource(document.querySelector("#local").srcObject).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  window.levelDb = () => {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    return 10 * Math.log10(power + 1e-12);
  };
}"""
KEEP_CHANNELS = """window.channels = [];
const make = RTCPeerConnection.prototype.createDataChannel;
RTCPeerConnection.prototype.createDataChannel = function (label) {
  const channel = make.call(this, label);
  channels.push(channel);
  return channel;
};"""


async def start(page: Page) -> None:
    await page.click("#toggle:enabled")
    await page.wait_for_selector(LIVE)


async def expect_problem(page: Page, title: str, text: str) -> None:
    await expect(page.locator(".problem-title")).to_have_text(title)
    await expect(page.locator("#problem")).to_contain_text(text)


async def played_until(page: Page, row: Locator) -> None:
    """Play the file until there is a caption: on a busy machine the sound may have holes."""
    play = page.get_by_role("button", name="Play", exact=True)
    for _ in range(5):
        with contextlib.suppress(AssertionError):
            await expect(row.first).to_be_visible(timeout=20_000)
            return
        await play.click()
    await expect(row.first).to_be_visible(timeout=PATIENCE_MS)


async def pretend_devices(page: Page, gone: str) -> None:
    """Act as if the device of this name were unplugged; "" plugs it in again."""
    await page.evaluate(
        """(gone) => {
          const devices = navigator.mediaDevices;
          window.allDevices ??= devices.enumerateDevices.bind(devices);
          devices.enumerateDevices = async () =>
            (await allDevices()).filter(({ label }) => !gone || label !== gone);
          devices.dispatchEvent(new Event("devicechange"));
        }""",
        gone,
    )
