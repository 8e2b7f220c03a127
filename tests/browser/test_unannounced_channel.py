"""A data channel with ``negotiated: true`` in a browser: nothing announces it."""

from playwright.async_api import Page, expect

from rtc_server.app.server import running
from rtc_server.config import HttpSettings, Settings
from tests.support.browser.chromium import visit
from tests.support.browser.page import PATIENCE_MS
from tests.support.patient import QUICK

CONNECT = """async () => {
  const peer = (window.peer = new RTCPeerConnection());
  const microphone = await navigator.mediaDevices.getUserMedia({ audio: true });
  peer.addTrack(microphone.getAudioTracks()[0], microphone);
  window.seen = [];
  window.open = (id) => new Promise((resolve) => {
    const channel = peer.createDataChannel("events", { negotiated: true, id });
    channel.onmessage = ({ data }) => seen.push(JSON.parse(data).type);
    channel.onopen = () => {
      channel.send(JSON.stringify({ type: "x.ping" }));
      resolve(channel);
    };
  });
  window.first = open(9);
  await peer.setLocalDescription();
  const called = await fetch("/v1/realtime/translations/calls", {
    method: "POST",
    headers: { "Content-Type": "application/sdp" },
    body: peer.localDescription.sdp,
  });
  await peer.setRemoteDescription({ type: "answer", sdp: await called.text() });
  await first;
}"""
REPLACE = """async () => {
  const channel = await first;
  await new Promise((resolve) => {
    channel.onclose = resolve;
    channel.close();
  });
  await open(9);
}"""


async def told(page: Page, *kinds: str) -> None:
    await page.wait_for_function(
        "(kinds) => kinds.every((kind) => seen.includes(kind))", arg=kinds, timeout=PATIENCE_MS
    )
    await page.evaluate("seen.length = 0")


async def test_it_works_both_ways_and_again_under_the_same_number() -> None:
    async with (
        running(Settings(http=HttpSettings(port=0), engines=QUICK)) as server,
        visit(server.url) as seen,
    ):
        page = seen.page
        await expect(page.locator("#toggle")).to_be_enabled(timeout=PATIENCE_MS)
        await page.evaluate(CONNECT)
        await told(page, "session.created", "x.pong")
        await page.evaluate(REPLACE)
        await told(page, "x.pong")
        await page.evaluate("peer.close()")
