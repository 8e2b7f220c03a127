"""The whole way: speech in over WebRTC, Canary in its own process, captions and speech out."""

import asyncio
from collections.abc import Sequence

import numpy as np

from rtc_server.app.server import running
from rtc_server.config import EngineSettings, HttpSettings, InterpreterSettings, Settings
from rtc_server.engines.base import Pair
from rtc_server.pcm import PLAYOUT_RATE, SPEECH_RATE, Samples
from rtc_server.resample import Resampler
from tests.support.nemo.fixture import MODEL, TEXTS, say
from tests.support.rtc_client import RtcClient

EVENTS = {"x_events": ["segment", "playout"]}
MODE = InterpreterSettings(mode="consecutive")
"""The model knows whole phrases only: of half a one it makes another."""
PHRASES = (1, 2, 3)
"""Indices of the fixture's phrases that are spoken."""


def speech(pair: Pair) -> Samples:
    """The phrases in the language spoken, with pauses, at 48 kHz."""
    up = Resampler(SPEECH_RATE, PLAYOUT_RATE)
    pause = np.zeros(PLAYOUT_RATE, np.float32)
    spoken = [up.push(say(TEXTS[pair][index][0], pair[0])) for index in PHRASES]
    return np.concatenate([pause[: PLAYOUT_RATE // 2], *(x for s in spoken for x in (s, pause))])


async def converse(url: str, pair: Pair) -> Sequence[tuple[str, str]]:
    """Speak all phrases; (transcript, translation) of every final caption, once all is spoken."""
    query = f"?source={pair[0]}&target={pair[1]}"
    async with RtcClient(url + query, audio=speech(pair), session=EVENTS) as client:
        await client.until(
            lambda: (
                sum(
                    event["type"] == "x.playout" and event["state"] == "finished"
                    for event in client.events
                )
                == len(PHRASES)
            ),
            timeout_s=90,
        )
        return [
            (event["source"]["text"], event["target"]["text"])
            for event in client.events
            if event["type"] == "x.segment" and event["final"]
        ]


async def test_phrases_of_every_session_are_translated() -> None:
    engines = EngineSettings(
        ast="canary", canary_model=str(MODEL), device="cpu", engine_wait_s=60.0
    )
    settings = Settings(http=HttpSettings(port=0), engines=engines, interpreter=MODE)
    async with running(settings) as server:
        url = server.url + "/v1/realtime/translations/calls"
        pairs = [*TEXTS, *TEXTS]
        captions = await asyncio.gather(*(converse(url, pair) for pair in pairs))
    for pair, finals in zip(pairs, captions, strict=True):
        assert list(finals) == [TEXTS[pair][index] for index in PHRASES]
