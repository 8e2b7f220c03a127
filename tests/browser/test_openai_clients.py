"""OpenAI's own libraries in a page of another origin, unchanged but for base URL and key.

They send headers of their own to the interpreter, which the browser asks it about first, and wait
for typed events before they go on.
"""

import asyncio
from pathlib import Path

from playwright.async_api import expect

from tests.support.browser.application import application
from tests.support.browser.chromium import visit
from tests.support.browser.page import PATIENCE_MS
from tests.support.browser.played import expect_voice
from tests.support.browser.voice import RUSSIAN, as_microphone
from tests.support.npm_clients import installed
from tests.support.patient import TONES
from tests.support.signals import russian

PAGE = """<!doctype html>
<html lang="en"><title>Translator</title>
<button id="start">Start</button> <button id="stop">Stop</button>
<p id="source"></p><p id="subtitles"></p><p id="seen"></p><p id="failed"></p>
<audio id="translated" autoplay></audio>
<script type="module">
const element = (id) => document.getElementById(id);
let stop;
element("start").onclick = async () => {
  const headers = { "Content-Type": "application/json" };
  const body = JSON.stringify({ language: "en" });
  const answer = await fetch("/session", { method: "POST", headers, body });
  const { secret } = await answer.json();
  const append = (id, text) => { element(id).textContent += text; };
  const event = ({ type, delta, error }) => {
    append("seen", `${type} `);
    if (type === "session.input_transcript.delta") append("source", delta);
    if (type === "session.output_transcript.delta") append("subtitles", delta);
    if (type === "error") append("failed", error.message);
  };
  try {
    stop = await start({ secret, audio: element("translated"), event });
  } catch (error) {
    append("failed", `${error} ${error.cause ?? ""}`);
  }
};
element("stop").onclick = () => stop();
SCRIPT
</script>
</html>"""
OPENAI = """
import OpenAI from "/libraries/openai/index.mjs";
import { OpenAIRealtimeWebRTC } from "/libraries/openai/realtime/webrtc.mjs";

async function start({ secret, audio, event }) {
  const client = new OpenAI({ apiKey: secret, baseURL: "BASE/v1", dangerouslyAllowBrowser: true });
  const connection = new OpenAIRealtimeWebRTC();
  const microphone = await navigator.mediaDevices.getUserMedia({ audio: true });
  for (const track of microphone.getTracks()) connection.peerConnection.addTrack(track, microphone);
  connection.peerConnection.ontrack = ({ streams: [stream] }) => { audio.srcObject = stream; };
  const kinds = ["session.created", "session.updated", "session.closed", "error",
    "session.input_transcript.delta", "session.output_transcript.delta"];
  for (const kind of kinds) connection.on(kind, event);
  await connection.connect({
    exchangeSdp: async (offer, { signal }) => {
      const headers = { "Content-Type": "application/sdp", Accept: "application/sdp" };
      const path = "/realtime/translations/calls";
      const answered = client.post(path, { body: offer, headers, signal }).asResponse();
      return (await answered).text();
    },
  });
  connection.send({ type: "session.update", session: { audio: { output: { language: "en" } } } });
  return () => connection.send({ type: "session.close" });
}
"""
AGENTS = """
import {
  OpenAIRealtimeWebRTC, RealtimeAgent, RealtimeSession,
} from "/libraries/@openai/agents-realtime/dist/bundle/openai-realtime-agents.mjs";

async function start({ secret, audio, event }) {
  const transport = new OpenAIRealtimeWebRTC({ audioElement: audio });
  const agent = new RealtimeAgent({ name: "Interpreter", instructions: "Interpret." });
  const session = new RealtimeSession(agent, { transport });
  session.on("transport_event", event);
  await session.connect({ apiKey: secret, url: "BASE/v1/realtime/translations/calls" });
  return () => transport.sendEvent({ type: "session.close" });
}
"""


async def test_the_openai_sdk_in_a_page(tmp_path: Path) -> None:
    await converse(OPENAI, tmp_path)


async def test_the_agents_sdk_in_a_page(tmp_path: Path) -> None:
    await converse(AGENTS, tmp_path)


async def converse(script: str, folder: Path) -> None:
    """Speak, read both transcripts and play the translation, from the first event to the last."""
    libraries = await asyncio.to_thread(installed)
    microphone = as_microphone(folder / "microphone.wav", russian(RUSSIAN))
    html = PAGE.replace("SCRIPT", script)
    async with (
        application(html, engines=TONES, libraries=libraries / "node_modules") as (origin, server),
        visit(origin, microphone=microphone, interpreter=server.url) as seen,
    ):
        page = seen.page
        await page.click("#start")
        await expect_voice(page, "#translated", "en")
        await expect(page.locator("#source")).to_contain_text(" s", timeout=PATIENCE_MS)
        await expect(page.locator("#subtitles")).to_contain_text("one two three")
        assert await page.inner_text("#failed") == ""
        await page.click("#stop")
        await expect(page.locator("#seen")).to_contain_text("session.closed", timeout=PATIENCE_MS)
        told = (await page.inner_text("#seen")).split()
        assert told[0] == "session.created"
        assert "session.updated" in told
