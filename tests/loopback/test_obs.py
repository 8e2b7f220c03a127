"""A speaker as OBS is one.

OBS itself cannot be had from Debian 12 in a version with WHIP (it has 29, WHIP came with 30). Its
WebRTC library, libdatachannel, can: one test uses it as OBS does. For what OBS can be set to there
is an offer written by hand, with a peer of aiortc's behind it: transport attributes for the whole
session, no candidates, sections that only send, stereo Opus, H.264, simulcast.
"""

import asyncio
import re

import aiohttp
import numpy as np
import pytest

from tests.support.access import bearer
from tests.support.npm_clients import installed
from tests.support.offers import sections
from tests.support.opus_peer import opus_peer
from tests.support.rooms import heard, listener, say, server, told
from tests.support.rtc_client import RtcClient
from tests.support.server import said

KEY = "the-key"
SESSION = """v=0
o=rtc 3767197920 0 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=group:LS 0 1
a=msid-semantic:WMS *
a=ice-options:ice2,trickle
"""
AUDIO = """m=audio 9 UDP/TLS/RTP/SAVPF 111
c=IN IP4 0.0.0.0
a=mid:0
a=sendonly
a=ssrc:3399219180 cname:ktLcGpRx7VnE
a=ssrc:3399219180 msid:zV8mJdYw zV8mJdYw-audio
a=msid:zV8mJdYw zV8mJdYw-audio
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10;maxaveragebitrate=160000;stereo=1;sprop-stereo=1;useinbandfec=1
"""
VIDEO = """m=video 9 UDP/TLS/RTP/SAVPF 96
c=IN IP4 0.0.0.0
a=mid:1
a=sendonly
a=ssrc:3399219181 cname:ktLcGpRx7VnE
a=ssrc:3399219181 msid:zV8mJdYw zV8mJdYw-video
a=msid:zV8mJdYw zV8mJdYw-video
a=rtcp-mux
a=rtpmap:96 H264/90000
a=rtcp-fb:96 nack
a=rtcp-fb:96 nack pli
a=rtcp-fb:96 goog-remb
a=fmtp:96 profile-level-id=42e01f;packetization-mode=1;level-asymmetry-allowed=1
"""
SIMULCAST = """a=extmap:1 urn:ietf:params:rtp-hdrext:sdes:mid
a=extmap:2 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id
a=rid:0 send
a=rid:1 send
a=simulcast:send 0;1
"""


class Obs:
    """Client that sends OBS's offer and leaves by ``DELETE``; a peer of aiortc plays its media."""

    def __init__(self, url: str, video: str) -> None:
        self._url, self._video = url, video
        self.answer = ""
        self.location = ""

    async def negotiate(self, own_offer: str) -> str:
        """Send OBS's offer with the keys of `own_offer`; return the answer about audio."""
        names = ("ice-ufrag", "ice-pwd", "fingerprint:sha-256", "setup")
        found = (re.search(rf"a={name}.*", own_offer) for name in names)
        transport = "".join(f"{line[0].strip()}\n" for line in found if line)
        offer = (SESSION + transport + AUDIO + self._video).replace("\n", "\r\n")
        assert "a=setup:actpass" in offer and "candidate" not in offer
        headers = {"Content-Type": "application/sdp", **bearer(KEY)}
        async with (
            aiohttp.ClientSession() as http,
            http.post(self._url, data=offer, headers=headers) as answered,
        ):
            self.answer = await answered.text()
            assert (answered.status, answered.content_type) == (201, "application/sdp"), self.answer
            self.location = answered.headers["Location"]
        return self.answer.partition("m=video")[0]


@pytest.mark.parametrize("video", [VIDEO, VIDEO + SIMULCAST], ids=["plain", "simulcast"])
async def test_obs_is_heard_and_its_picture_refused(video: str) -> None:
    async with (
        server(api_key=KEY) as running_server,
        aiohttp.ClientSession(running_server.url) as http,
    ):
        obs = Obs(f"{running_server.url}/whip/hall?source=en", video)
        whep = f"{running_server.url}/whep/hall?language=de"
        async with RtcClient(obs.negotiate, channel=None) as spoken:
            audio, picture = sections(obs.answer)
            assert "a=recvonly" in audio and "a=mid:0" in audio
            assert picture[0].startswith("video 0 ") and "a=inactive" in picture
            assert "a=group:BUNDLE 0\r\n" in obs.answer
            async with RtcClient(whep, listens_only=True, headers=bearer(KEY)) as audience:
                say(spoken, "where is the train station")
                await told(audience)
                await heard(audience)
            async with http.delete(obs.location, headers=bearer(KEY)) as left:
                assert left.status == 200
            async with http.get("/v1/rooms/hall", headers=bearer(KEY)) as room:
                assert (await room.json())["live"] is False


async def test_the_library_of_obs_connects_with_picture_and_sound() -> None:
    folder = await asyncio.to_thread(installed)
    async with server() as running_server:
        url = f"{running_server.url}/whip/hall?source=en"
        speech = said("where is the train station")
        async with opus_peer("node", "obs_peer.mjs", url, folder=folder, speech=speech) as obs:
            await obs.printed("connected")
            async with listener(running_server, "de") as client:
                await told(client)
                await heard(client)


async def test_the_stereo_of_obs_is_one_voice() -> None:
    """A speaker on only one of the channels is understood as well."""
    async with server(api_key=KEY) as running_server:
        obs = Obs(f"{running_server.url}/whip/hall?source=en", VIDEO)
        whep = f"{running_server.url}/whep/hall?language=en"
        async with (
            RtcClient(obs.negotiate, channel=None) as spoken,
            RtcClient(whep, listens_only=True, headers=bearer(KEY)) as audience,
        ):
            time_s = np.arange(48_000 * 30) / 48_000  # more than is needed: much may come late
            voice = (0.4 * np.sin(2 * np.pi * 440 * time_s)).astype(np.float32)
            spoken.track.say(np.stack([voice, np.zeros_like(voice)], axis=1))
            await heard(audience)
