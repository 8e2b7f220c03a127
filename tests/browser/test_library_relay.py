"""The client library by itself behind TURN: it finds the relay without the page's help."""

from pathlib import Path

import aiohttp

from rtc_server.app.server import running
from rtc_server.config import HttpSettings, Settings, TransportSettings
from tests.support.browser.chromium import visit
from tests.support.coturn import SECRET, Coturn, coturn
from tests.support.patient import QUICK

NOT_FOUND = "Failed to load resource"
"""A blank page has no icon; a call that was given up may be gone."""
KEY = "a key that somebody chose"
ATTACH = """async ([token, choice]) => {
  const { attachTranslation } = await import(new URL("static/client.js", location));
  window.peers = [];
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(configuration) {
      super(configuration);
      peers.push(configuration);
    }
  };
  const context = new AudioContext();
  const [track] = context.createMediaStreamDestination().stream.getAudioTracks();
  const how = { url: location.href, token, source: "en", target: "ru", transport: "webrtc" };
  const translation = await attachTranslation(track, { ...how, ...choice });
  const stats = [...(await translation.stats()).values()];
  const { selectedCandidatePairId } = stats.find(({ type }) => type === "transport");
  const { localCandidateId } = stats.find(({ id }) => id === selectedCandidatePairId);
  const path = stats.find(({ id }) => id === localCandidateId).candidateType;
  const offered = stats.filter(({ type }) => type === "local-candidate");
  await translation.stop({ drain: false });
  const known = peers.map(({ iceServers }) => iceServers.length);
  const policies = peers.map(({ iceTransportPolicy }) => iceTransportPolicy);
  return [path, [...new Set(offered.map((each) => each.candidateType))], known, policies];
}"""


def behind(turn: Coturn) -> Settings:
    """A server with a key, whose clients are to come through the relay alone."""
    return Settings(
        http=HttpSettings(port=0, api_key=KEY),
        engines=QUICK,
        transport=TransportSettings(
            ice_servers=(turn.udp,), turn_secret=SECRET, ice_policy="relay"
        ),
    )


async def test_servers_that_the_answer_names_are_tried_without_being_asked(tmp_path: Path) -> None:
    """A client that shows a key knows of no relay before its first answer came."""
    async with (
        coturn(tmp_path) as turn,
        running(behind(turn)) as server,
        visit(f"{server.url}/healthz", expected_errors=[NOT_FOUND]) as seen,
    ):
        only_relayed = {"iceTransportPolicy": "relay"}
        path, offered, known, _ = await seen.page.evaluate(ATTACH, [KEY, only_relayed])
        assert (path, offered, known) == ("relay", ["relay"], [0, 1])


async def test_the_secret_says_to_come_through_the_relay(tmp_path: Path) -> None:
    async with (
        coturn(tmp_path) as turn,
        running(behind(turn)) as server,
        visit(f"{server.url}/healthz", expected_errors=[NOT_FOUND]) as seen,
    ):
        headers = {"Authorization": f"Bearer {KEY}"}
        async with aiohttp.ClientSession(server.url, headers=headers) as http:
            address = "/v1/realtime/translations/client_secrets"
            async with http.post(address, json={"session": {}}) as response:
                secret = await response.json()
        path, offered, known, policies = await seen.page.evaluate(ATTACH, [secret, {}])
        assert (path, offered, known, policies) == ("relay", ["relay"], [1], ["relay"])
