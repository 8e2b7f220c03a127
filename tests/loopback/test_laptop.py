"""The laptop engine the whole way: speech in over WebRTC, captions and speech out."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from rtc_server.app.server import running
from rtc_server.config import HttpSettings, Settings
from rtc_server.engines.base import Pair
from rtc_server.pcm import PLAYOUT_RATE, SPEECH_RATE, Samples
from rtc_server.resample import Resampler
from tests.support.laptop import MODELS, TEXTS, said
from tests.support.patient import PATIENT
from tests.support.rtc_client import RtcClient

EVENTS = {"x_events": ["segment", "playout"]}
PHRASES = (1, 6)
"""Indices of the phrases that are spoken."""


def speech(pair: Pair) -> Samples:
    """The phrases in the language spoken, with pauses, at 48 kHz."""
    up = Resampler(SPEECH_RATE, PLAYOUT_RATE)
    pause = np.zeros(PLAYOUT_RATE, np.float32)
    spoken = [up.push(said(pair, index)) for index in PHRASES]
    return np.concatenate([pause[: PLAYOUT_RATE // 2], *(x for s in spoken for x in (s, pause))])


async def converse(url: str, pair: Pair) -> Sequence[dict[str, Any]]:
    """Speak the phrases; every caption, once all is spoken."""
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
        return [event for event in client.events if event["type"] == "x.segment"]


async def test_phrases_of_both_directions_are_translated_and_spoken() -> None:
    engines = replace(PATIENT, ast="laptop", tts="espeak", models_dir=str(MODELS))
    settings = Settings(http=HttpSettings(port=0), engines=engines)
    async with running(settings) as server:
        url = server.url + "/v1/realtime/translations/calls"
        conversations = await asyncio.gather(*(converse(url, pair) for pair in TEXTS))
    for pair, captions in zip(TEXTS, conversations, strict=True):
        finals = [
            (each["source"]["text"], each["target"]["text"]) for each in captions if each["final"]
        ]
        assert finals == [TEXTS[pair][index] for index in PHRASES]
