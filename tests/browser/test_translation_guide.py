"""An application that was written for OpenAI's Realtime Translations and knows nothing of us.

Its server and its page do what the guide to that API tells, no less and no more: a client secret
from the application's own server, one peer connection, the data channel ``oai-events``, the offer
by POST, the translated track, append-only transcripts. Only the base URL and the key are ours.
"""

from dataclasses import replace
from pathlib import Path

from playwright.async_api import expect

from tests.support.browser.application import application
from tests.support.browser.chromium import visit
from tests.support.browser.page import PATIENCE_MS
from tests.support.browser.played import expect_voice
from tests.support.browser.voice import RUSSIAN, as_microphone
from tests.support.patient import PATIENT, TONES
from tests.support.signals import russian

PAGE = """<!doctype html>
<html lang="en"><title>Translator</title>
<button id="start">Start</button> <button id="stop">Stop</button>
<p id="source"></p><p id="subtitles"></p><p id="seen"></p><p id="failed"></p>
<audio id="translated" autoplay></audio>
<script type="module">
const base = "BASE";
const element = (id) => document.getElementById(id);
let events;

async function start() {
  const answer = await fetch("/session", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ language: "en" }),
  });
  const { secret } = await answer.json();
  const microphone = await navigator.mediaDevices.getUserMedia({ audio: true });
  const peer = new RTCPeerConnection();
  events = peer.createDataChannel("oai-events");
  for (const track of microphone.getAudioTracks()) peer.addTrack(track, microphone);
  peer.ontrack = ({ streams: [stream] }) => { element("translated").srcObject = stream; };
  events.onmessage = ({ data }) => {
    const event = JSON.parse(data);
    const append = (id, text) => { element(id).textContent += text; };
    append("seen", `${event.type} `);
    if (event.type === "session.input_transcript.delta") append("source", event.delta);
    if (event.type === "session.output_transcript.delta") append("subtitles", event.delta);
    if (event.type === "error") append("failed", event.error.message);
    if (event.type === "session.closed") peer.close();
  };
  const offer = await peer.createOffer();
  await peer.setLocalDescription(offer);
  const called = await fetch(`${base}/v1/realtime/translations/calls`, {
    method: "POST",
    headers: { Authorization: `Bearer ${secret}`, "Content-Type": "application/sdp" },
    body: offer.sdp,
  });
  if (!called.ok) throw new Error(await called.text());
  await peer.setRemoteDescription({ type: "answer", sdp: await called.text() });
}

const failed = (error) => { element("failed").textContent = error; };
element("start").onclick = () => start().catch(failed);
element("stop").onclick = () => events.send(JSON.stringify({ type: "session.close" }));
</script>
</html>"""


async def test_a_page_written_from_the_guide_alone_is_interpreted(tmp_path: Path) -> None:
    microphone = as_microphone(tmp_path / "microphone.wav", russian(RUSSIAN))
    async with (
        application(PAGE, engines=replace(PATIENT, tts=TONES.tts)) as (origin, server),
        visit(origin, microphone=microphone, interpreter=server.url) as seen,
    ):
        page = seen.page
        await page.click("#start")
        await expect_voice(page, "#translated", "en")
        await expect(page.locator("#source")).to_contain_text(RUSSIAN, timeout=PATIENCE_MS)
        await expect(page.locator("#subtitles")).to_contain_text("train station")
        assert await page.inner_text("#failed") == ""
        await page.click("#stop")
        await expect(page.locator("#seen")).to_contain_text("session.closed", timeout=PATIENCE_MS)
        told = (await page.inner_text("#seen")).split()
        assert told[0] == "session.created"
        assert not [each for each in told if each.startswith("x.")], "extensions are not for it"
