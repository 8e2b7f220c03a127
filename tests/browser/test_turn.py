"""Chromium through a real TURN server, with the user that a server made for it."""

import asyncio
import re
import time
from pathlib import Path
from typing import Any

import pytest

from rtc_server.app.server import running
from rtc_server.config import (
    AccessSettings,
    HttpSettings,
    Settings,
    TransportSettings,
)
from rtc_server.transport.media_scheduler import MediaScheduler
from rtc_server.transport.webrtc import WebRtcTransport
from tests.support.browser.chromium import visit
from tests.support.browser.page import FAILED_REQUEST, start
from tests.support.coturn import SECRET, coturn
from tests.support.patient import QUICK
from tests.support.peers import Recorder, tone
from tests.support.signals import loudest_hz
from tests.support.wav import write_wav

CALL = """
async (configuration) => {
  const context = new AudioContext({sampleRate: 48000});
  const oscillator = new OscillatorNode(context, {frequency: 700});
  const microphone = context.createMediaStreamDestination();
  oscillator.connect(microphone);
  oscillator.start();
  const peer = window.peer = new RTCPeerConnection(configuration);
  peer.addTrack(microphone.stream.getTracks()[0]);
  const speaker = window.speaker = new Audio();
  speaker.autoplay = true;
  peer.ontrack = (event) => { speaker.srcObject = new MediaStream([event.track]); };
  const gathered = new Promise((resolve) => {
    peer.onicegatheringstatechange = () => {
      if (peer.iceGatheringState === "complete") resolve();
    };
  });
  await peer.setLocalDescription();
  await gathered;
  const answer = await window.negotiate(peer.localDescription.sdp);
  await peer.setRemoteDescription({type: "answer", sdp: answer});
}
"""
PATH = """
async () => {
  const stats = [...(await peer.getStats()).values()];
  const transport = stats.find((each) => each.type === "transport");
  const pair = stats.find((each) => each.id === transport.selectedCandidatePairId);
  const local = stats.find((each) => each.id === pair.localCandidateId);
  const heard = stats.find((each) => each.type === "inbound-rtp");
  return {
    kind: local.candidateType,
    protocol: local.relayProtocol,
    gathered: stats.filter((each) => each.type === "local-candidate").map((c) => c.candidateType),
    received: heard.packetsReceived,
  };
}
"""


@pytest.mark.parametrize("way", ["udp", "tcp", "tls"])
async def test_media_flows_through_the_relay_alone(way: str, tmp_path: Path) -> None:
    session = Recorder(tone(440, 60))
    transports: list[WebRtcTransport] = []
    # The relay's certificate is its own.
    further = ["--ignore-certificate-errors"] if way == "tls" else []
    async with coturn(tmp_path) as turn, visit("about:blank", further=further) as visitor:
        settings = TransportSettings(
            ice_servers=(getattr(turn, way),), turn_secret=SECRET, ice_policy="relay"
        )
        ice = settings.ice()
        server = ice.for_client("sess_1", int(time.time()) + 600)[0]

        async def negotiate(offer: str) -> str:
            transport = await WebRtcTransport.accept(
                offer,
                session,
                settings,
                host="127.0.0.1",
                clock=time.monotonic,
                scheduler=MediaScheduler(),
            )
            transports.append(transport)
            return transport.answer_sdp

        configuration: dict[str, Any] = {
            "iceServers": [
                {
                    "urls": [server.url],
                    "username": server.username,
                    "credential": server.credential,
                }
            ],
            "iceTransportPolicy": ice.policy,
        }
        try:
            await visitor.page.expose_function("negotiate", negotiate)
            await visitor.page.evaluate(CALL, configuration)
            await session.until(lambda: session.samples >= 48_000)
            path = await visitor.page.evaluate(PATH)
        finally:
            for transport in transports:
                await transport.close()
    assert abs(loudest_hz(session.audio()[-16_000:], 16_000) - 700) < 5
    assert path["kind"] == "relay"
    assert path["protocol"] == way
    assert set(path["gathered"]) == {"relay"}
    assert path["received"] > 50


async def test_the_page_comes_through_the_relay_when_it_is_told_to(tmp_path: Path) -> None:
    """From the operator's settings to audio: secret, user of the session, relay, call."""
    microphone = write_wav(tmp_path / "microphone.wav", tone(440, 5), 48_000)
    async with coturn(tmp_path) as turn:
        settings = Settings(
            http=HttpSettings(port=0, api_key="a key that somebody chose"),
            access=AccessSettings(page_access="open"),
            transport=TransportSettings(
                ice_servers=(turn.udp,), turn_secret=SECRET, ice_policy="relay"
            ),
            engines=QUICK,
        )
        async with (
            running(settings) as server,
            visit(server.url, microphone=microphone, expected_errors=[FAILED_REQUEST]) as seen,
        ):
            await start(seen.page)
            async with asyncio.timeout(60):
                while not received(server.metrics.exposition().decode()):
                    await seen.page.wait_for_timeout(200)
            assert turn.allocations > 0
            assert re.search(r"username=<\d+:sess_[\w-]+>", "\n".join(turn.log))


def received(exposition: str) -> bool:
    """Return whether the server has counted media of a client."""
    found = re.search(r'rtc_packets_total\{way="received"\} ([0-9.]+)', exposition)
    return bool(found and float(found[1]) > 0)
