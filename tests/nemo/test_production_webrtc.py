"""Both production engines: speech in over WebRTC, Canary's captions, Silero's speech out.

All sessions of one test share one server: each start of Canary takes NeMo's import, 13 s of CPU.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.fixture.to_transformers import convert
from rtc_server.app.server import running
from rtc_server.config import HttpSettings, InterpreterSettings, Settings
from rtc_server.engines.base import Pair
from rtc_server.engines.service import AstService, TtsService
from rtc_server.model_files import record_path, sha256_of
from rtc_server.pcm import PLAYOUT_RATE, SPEECH_RATE, Samples
from rtc_server.resample import Resampler
from tests.support.nemo.fixture import MODEL, TEXTS, say
from tests.support.nemo.tiny_silero import fetched
from tests.support.patient import PATIENT
from tests.support.rtc_client import RtcClient

MODE = InterpreterSettings(mode="consecutive")
"""The model knows whole phrases only: of half a one it makes another."""
LOADS = {"canary": (2, (1, 2, 3)), "canary-hf": (1, (1, 2))}
"""Sessions of each pair by engine, and the indices of the fixture's phrases that each speaks."""


def speech(pair: Pair, phrases: Sequence[int]) -> Samples:
    """The phrases in the language spoken, each with a pause after it, at 48 kHz."""
    up = Resampler(SPEECH_RATE, PLAYOUT_RATE)
    pause = np.zeros(PLAYOUT_RATE, np.float32)
    return np.concatenate(
        [x for i in phrases for x in (up.push(say(TEXTS[pair][i][0], pair[0])), pause)]
    )


async def converse(
    url: str, pair: Pair, phrases: Sequence[int]
) -> tuple[Sequence[tuple[str, str]], Samples]:
    """Speak all phrases; return (transcript, translation) of the final captions, and the received
    audio.
    """
    query = f"?source={pair[0]}&target={pair[1]}"
    events = {"x_events": ["segment", "playout"]}
    async with RtcClient(url + query, audio=speech(pair, phrases), session=events) as client:

        def all_spoken() -> bool:
            playouts = (event for event in client.events if event["type"] == "x.playout")
            finished = [event for event in playouts if event["state"] == "finished"]
            return len(finished) == len(phrases)

        await client.until(all_spoken, timeout_s=90)
        captions = [
            (event["source"]["text"], event["target"]["text"])
            for event in client.events
            if event["type"] == "x.segment" and event["final"]
        ]
        return captions, client.heard()


def model_of(ast: str, folder: Path) -> Path:
    """The fixture as the engine takes it: for transformers it is converted first."""
    if ast == "canary":
        return MODEL
    convert(MODEL, folder)
    return folder


@pytest.mark.parametrize("ast", ["canary", pytest.param("canary-hf", marks=pytest.mark.slow)])
async def test_phrases_of_every_session_are_translated_and_spoken(ast: str, tmp_path: Path) -> None:
    for model in fetched(tmp_path, "v5_5_ru", "v3_en"):
        path = tmp_path / model.id / model.files[0].name
        record_path(path).write_text(sha256_of(path))  # an operator's own hash, for the stand-in
    engines = replace(
        PATIENT,
        ast=ast,
        canary_model=str(model_of(ast, tmp_path / "converted")),
        tts="silero",
        models_dir=str(tmp_path),
        device="cpu",
    )
    settings = Settings(http=HttpSettings(port=0), engines=engines, interpreter=MODE)
    async with running(settings) as server:
        for service in (server.engines.ast_service, server.engines.tts_service):
            assert isinstance(service, AstService | TtsService)
            assert service._headroom._costs._first, "admission knows the engine before any session"
        url = server.url + "/v1/realtime/translations/calls"
        sessions, phrases = LOADS[ast]
        pairs = [*TEXTS] * sessions
        heard = await asyncio.gather(*(converse(url, pair, phrases) for pair in pairs))
    for pair, (captions, audio) in zip(pairs, heard, strict=True):
        expected = [TEXTS[pair][index] for index in phrases]
        assert captions == expected
        loud_s = float(np.mean(np.abs(audio) > 0.01)) * audio.size / PLAYOUT_RATE
        letters = sum(len(target) for _, target in expected)
        assert loud_s > 0.02 * letters, f"{pair}: {loud_s:.2f} s of speech for {letters} letters"
