"""Audio and events between an aiortc client and our transport, over real sockets."""


import numpy as np

from tests.loopback.peers import Server, pitch_hz, tone
from tests.rtc_client import RtcClient


async def test_a_tone_arrives_with_its_pitch_level_and_length() -> None:
    async with Server() as server, RtcClient(server.negotiate, audio=tone(440, 2.0)) as client:
        await server.session.until(lambda: server.session.samples >= 2 * 16_000)
        heard = server.session.audio()
        assert server.session.is_contiguous()
        middle = heard[8_000:24_000]
        assert abs(pitch_hz(middle, 16_000) - 440) < 5
        assert abs(np.sqrt(np.mean(middle**2)) - 0.25 / np.sqrt(2)) < 0.02
    assert client.answer_sdp.count("a=sendrecv") == 1
