"""Push-to-talk over a real connection: the release overtakes the last word."""

from rtc_server.app.server import running
from rtc_server.config import HttpSettings, Settings
from rtc_server.pcm import PLAYOUT_RATE, SPEECH_RATE
from rtc_server.resample import Resampler
from tests.support.patient import QUICK
from tests.support.rtc_client import RtcClient
from tests.support.signals import english, join, silence

SETTINGS = Settings(http=HttpSettings(port=0), engines=QUICK)
"""Settings whose engine answers with the length of its audio."""
QUIET_MS = 400
MICROPHONE_MS = 200
PREROLL_S = 0.3
"""Audio of a segment before its first word; after the last word there are 0.15 s."""


async def test_a_slow_microphone_loses_no_word() -> None:
    words = english("where is the train station")
    words_s = words.size / SPEECH_RATE
    said = Resampler(SPEECH_RATE, PLAYOUT_RATE).push(join(silence(QUIET_MS), words))
    async with running(SETTINGS) as running_server:
        calls = f"{running_server.url}/v1/realtime/translations/calls?source=en&target=ru"
        async with RtcClient(calls) as client:
            client.send({"type": "x.session", "vad": {"mode": "off"}, "x_events": ["segment"]})
            await client.event("session.updated")
            client.send({"type": "x.input.start"})
            track = client.track
            heard_ms = round(QUIET_MS + 1000 * words_s - MICROPHONE_MS)
            released = len(track.sent_at_s) + heard_ms // 20
            track.meanwhile[released] = lambda: client.send({"type": "x.input.commit"})
            track.say(said)
            segment = await client.event("x.segment")
            given_s = float(segment["source"]["text"].removesuffix(" s"))
            assert given_s > PREROLL_S + words_s
