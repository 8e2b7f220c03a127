"""The pages of a room where only a relay lets media through."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.async_api import expect

from rtc_server.config import AccessSettings, TransportSettings
from rtc_server.pcm import PLAYOUT_RATE
from tests.support.browser.chromium import visit
from tests.support.browser.room_pages import SILENT_YET, hears
from tests.support.coturn import SECRET, coturn
from tests.support.rooms import server
from tests.support.server import said
from tests.support.wav import write_wav

KEPT_PEER = """
  const Peer = RTCPeerConnection;
  window.RTCPeerConnection = class extends Peer {
    constructor(configuration) {
      super(configuration);
      window.peer = this;
    }
  };
"""


CHOSEN_PATH = """
async () => {
  const stats = [...(await window.peer.getStats()).values()];
  const transport = stats.find((each) => each.type === "transport");
  const pair = stats.find((each) => each.id === transport.selectedCandidatePairId);
  const local = stats.find((each) => each.id === pair.localCandidateId);
  return [local.candidateType, local.relayProtocol];
}
"""


@pytest.mark.parametrize("keys", [False, True], ids=["Link", "secret"])
async def test_a_room_through_the_relay_alone(keys: bool, tmp_path: Path) -> None:
    """Speaker and listener are in browsers that may connect only through coturn. A client without a
    key and an invited one learn of it from the answer's `Link`, a page with a secret from that.
    """
    speech = said("where is the train station", "two coffees and a cold beer please")
    wav = write_wav(tmp_path / "speech.wav", np.asarray(speech), PLAYOUT_RATE)
    async with coturn(tmp_path) as turn:
        transport = TransportSettings(
            ice_servers=(turn.udp,), turn_secret=SECRET, ice_policy="relay"
        )
        access = AccessSettings(page_access="open" if keys else "off")
        options: dict[str, Any] = {"expected_errors": SILENT_YET, "before_load": KEPT_PEER}
        async with (
            server(
                api_key="a-key" if keys else "", access=access, transport=transport
            ) as running_server,
            visit(f"{running_server.url}/rooms/hall", microphone=wav, **options) as speaking,
        ):
            await speaking.page.select_option("#source", "en")
            await speaking.page.click("#toggle")
            await expect(speaking.page.locator("#status")).to_have_text("You are heard.")
            invitation = await speaking.page.locator("#link[href]").get_attribute("href")
            assert invitation is not None
            async with visit(invitation, **options) as seen:
                await expect(seen.page.locator("#toggle")).to_be_enabled()
                await seen.page.check("[name=language][value=ru]", force=True)
                await seen.page.click("#toggle")
                await expect(seen.page.locator("#status")).to_have_text("You are listening.")
                assert await hears(seen.page)
                for visitor in (speaking, seen):
                    assert await visitor.page.evaluate(CHOSEN_PATH) == ["relay", "udp"]
        assert turn.allocations >= 2
