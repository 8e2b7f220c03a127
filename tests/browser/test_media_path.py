"""Chromium's own account of what we send it, and what we make of what it sends, on a bad network.

The page is empty: it offers one audio track with spoken words and plays what comes back. Between
it and the transport stands the seeded UDP proxy.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from rtc_server.config import TransportSettings
from rtc_server.pcm import PLAYOUT_FRAME_SAMPLES, Samples
from rtc_server.transport.media_scheduler import MediaScheduler
from rtc_server.transport.webrtc import WebRtcTransport
from tests.support.browser.chromium import visit
from tests.support.netem import Path, UdpProxy
from tests.support.packet_scripts import voiced
from tests.support.peers import Recorder
from tests.support.signals import english, join, loudest_hz, silence

SAYS = "The quick brown fox jumps over the lazy dog, and runs away into the dark forest."
SPEECH_FRAMES, PAUSE_FRAMES = 100, 75
LISTEN_S = 12.0

CALL = """
async (samples) => {
  const context = new AudioContext({sampleRate: 48000});
  const buffer = context.createBuffer(1, samples.length, 16000);
  buffer.copyToChannel(new Float32Array(samples), 0);
  const source = context.createBufferSource();
  const microphone = context.createMediaStreamDestination();
  source.buffer = buffer;
  source.loop = true;
  source.connect(microphone);
  source.start();
  const peer = window.peer = new RTCPeerConnection();
  peer.addTrack(microphone.stream.getTracks()[0]);
  const speaker = window.speaker = new Audio();
  speaker.autoplay = true;
  peer.ontrack = (event) => { speaker.srcObject = new MediaStream([event.track]); };
  await peer.setLocalDescription();
  const answer = await window.negotiate(peer.localDescription.sdp);
  await peer.setRemoteDescription({type: "answer", sdp: answer});
}
"""
INBOUND = """
async () => [...(await peer.getStats()).values()].find((each) => each.type === "inbound-rtp")
"""


class Talker(Recorder):
    """Speaks for two seconds, says nothing for one and a half, and so on."""

    def __init__(self) -> None:
        super().__init__()
        self._speech = voiced(SPEECH_FRAMES * 0.02).reshape(-1, PLAYOUT_FRAME_SAMPLES)

    def next_frame(self) -> Samples | None:
        phase = self.frames_taken % (SPEECH_FRAMES + PAUSE_FRAMES)
        self.frames_taken += 1
        return self._speech[phase] if phase < SPEECH_FRAMES else None


@dataclass(frozen=True, slots=True)
class Heard:
    """Statistics of Chromium's jitter buffer for a stretch of time (W3C webrtc-stats)."""

    packets: int
    """Received."""
    lost: int
    """Number of packets lost, by sequence number."""
    samples: int
    """Played, at 48 kHz."""
    concealed: int
    """Number of those samples that were concealed."""
    buffer_ms: float
    """Mean stay in the jitter buffer."""


@contextlib.asynccontextmanager
async def call(seed: int) -> AsyncIterator[tuple[Any, Talker, WebRtcTransport, UdpProxy]]:
    """A connected page, the session it talks to, and the network between them."""
    session = Talker()
    transports: list[WebRtcTransport] = []
    microphone = [round(float(each), 5) for each in join(english(SAYS), silence(500))]
    async with UdpProxy(seed=seed) as proxy, visit("about:blank") as visitor:

        async def negotiate(offer: str) -> str:
            transport = await WebRtcTransport.accept(
                proxy.rewrite_offer(offer),
                session,
                TransportSettings(),
                host="127.0.0.1",
                clock=time.monotonic,
                scheduler=MediaScheduler(),
            )
            transports.append(transport)
            return proxy.rewrite_answer(transport.answer_sdp)

        try:
            await visitor.page.expose_function("negotiate", negotiate)
            await visitor.page.evaluate(CALL, microphone)
            await session.until(lambda: session.samples >= 32_000)  # NetEQ has settled
            yield visitor.page, session, transports[0], proxy
        finally:
            for transport in transports:
                await transport.close()


async def listen(page: Any) -> Heard:
    """Return the statistics of the next `LISTEN_S`."""
    before = await page.evaluate(INBOUND)
    await asyncio.sleep(LISTEN_S)
    after = await page.evaluate(INBOUND)

    def grown(key: str) -> float:
        return float(after[key] - before[key])

    return Heard(
        packets=int(grown("packetsReceived")),
        lost=int(grown("packetsLost")),
        samples=int(grown("totalSamplesReceived")),
        concealed=int(grown("concealedSamples")),
        buffer_ms=1000 * grown("jitterBufferDelay") / grown("jitterBufferEmittedCount"),
    )


async def test_speech_and_silence_play_cleanly() -> None:
    async with call(seed=1) as (page, session, transport, _):
        heard = await listen(page)
        assert heard.lost == 0
        assert heard.packets < 0.75 * LISTEN_S * 50, "silence is not sent"
        # Were the pauses (three sevenths of the time) taken for loss, they would be concealed.
        # The rest of the margin is for machines too busy to send in time.
        assert heard.concealed <= 0.3 * heard.samples
        assert heard.buffer_ms < 500
        assert session.is_contiguous()
        assert transport.stats.packets_lost == 0


REPLACE = """
async (hertz) => {
  let track = null;
  if (hertz) {
    const context = new AudioContext({sampleRate: 48000});
    const tone = new OscillatorNode(context, {frequency: hertz});
    const microphone = context.createMediaStreamDestination();
    tone.connect(microphone);
    tone.start();
    track = microphone.stream.getTracks()[0];
  }
  await peer.getSenders()[0].replaceTrack(track);
}
"""


async def test_a_microphone_taken_away_and_another_put_in_its_place() -> None:
    async with call(seed=3) as (page, session, _, __):
        await page.evaluate(REPLACE, 0)
        before = session.samples
        await session.until(lambda: session.samples > before + 16_000)  # the audio clock goes on
        await page.evaluate(REPLACE, 700)
        before = session.samples
        await session.until(lambda: session.samples > before + 2 * 16_000)
        assert session.is_contiguous()
        assert abs(loudest_hz(session.audio()[-8_000:], 16_000) - 700) < 5
        await page.evaluate("() => { peer.getSenders()[0].track.enabled = false; }")
        before = session.samples
        await session.until(lambda: session.samples > before + 16_000)
        assert np.abs(session.audio()[-4_000:]).max() < 0.01
        await page.evaluate("() => { peer.getSenders()[0].track.enabled = true; }")
        before = session.samples
        await session.until(lambda: session.samples > before + 2 * 16_000)
        assert abs(loudest_hz(session.audio()[-8_000:], 16_000) - 700) < 5


@pytest.mark.parametrize("loss", [0.05, 0.1])
async def test_loss_both_ways_is_recovered_or_concealed(loss: float) -> None:
    async with call(seed=2) as (page, session, transport, proxy):
        received = transport.stats.packets_received
        proxy.up = proxy.down = Path(loss=loss)
        heard = await listen(page)
        assert heard.lost > 0
        assert heard.concealed < (loss + 0.3) * heard.samples
        assert heard.buffer_ms < 500
        stats = transport.stats
        assert stats.packets_lost > 0.2 * loss * (stats.packets_received - received)
        assert session.is_contiguous()
        assert stats.recovered_ms > 0, "Chromium sends FEC once we report loss, and we use it"
        expected_ms = 20 * (stats.packets_received + stats.packets_lost)
        assert session.samples / 16 == pytest.approx(expected_ms, rel=0.05, abs=200)
