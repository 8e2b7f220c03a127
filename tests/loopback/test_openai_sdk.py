"""OpenAI's own Python client, unchanged but for base URL and key, against the phrasebook."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
from openai import AsyncOpenAI, OpenAI
from openai.resources.realtime.translations.translations import AsyncTranslationsConnection
from openai.types.realtime import (
    RealtimeErrorEvent,
    RealtimeTranslationInputTranscriptDeltaEvent,
    RealtimeTranslationOutputAudioDeltaEvent,
    RealtimeTranslationOutputTranscriptDeltaEvent,
    RealtimeTranslationSessionClosedEvent,
    RealtimeTranslationSessionCreatedEvent,
    RealtimeTranslationSessionUpdatedEvent,
)
from openai.types.realtime.realtime_translation_server_event import RealtimeTranslationServerEvent

from rtc_server.app.server import RunningServer, running
from rtc_server.config import HttpSettings, Settings
from rtc_server.pcm import SPEECH_RATE, Samples, to_int16
from rtc_server.resample import Resampler
from tests.support.patient import PATIENT
from tests.support.signals import english, join, russian, silence

KEY = "a-key-of-this-server"
MODEL = "gpt-realtime-translate"
CHUNK = 9600
"""200 ms of 24 kHz PCM16, as OpenAI's guide sends it."""


@asynccontextmanager
async def patient_server() -> AsyncIterator[RunningServer]:
    settings = Settings(http=HttpSettings(port=0, api_key=KEY), engines=PATIENT)
    async with running(settings) as server:
        yield server


@asynccontextmanager
async def connected(
    server: RunningServer, key: str = KEY
) -> AsyncIterator[AsyncTranslationsConnection]:
    async with (
        AsyncOpenAI(base_url=server.url + "/v1", api_key=key) as client,
        client.realtime.translations.connect(model=MODEL) as connection,
    ):
        yield connection


def pcm16(samples: Samples) -> bytes:
    up = Resampler(SPEECH_RATE, 24_000)
    return to_int16(np.concatenate([up.push(samples), up.flush()])).astype("<i2").tobytes()


async def say(connection: AsyncTranslationsConnection, samples: Samples) -> None:
    """Send the recording in real time."""
    pcm = pcm16(samples)
    for at in range(0, len(pcm), CHUNK):
        audio = base64.b64encode(pcm[at : at + CHUNK]).decode()
        await connection.session.input_audio_buffer.append(audio=audio)
        await asyncio.sleep(0.2)


async def rest(connection: AsyncTranslationsConnection) -> list[RealtimeTranslationServerEvent]:
    """Everything until the server closes."""
    async with asyncio.timeout(60):
        return [event async for event in connection]


async def test_a_phrase_is_translated_updated_and_closed() -> None:
    async with patient_server() as server, connected(server) as connection:
        created = await connection.recv()
        assert isinstance(created, RealtimeTranslationSessionCreatedEvent)
        assert created.session.type == "translation"
        assert created.session.model == MODEL
        await connection.session.update(
            session={
                "audio": {
                    "input": {
                        "transcription": {"model": "gpt-realtime-whisper"},
                        "noise_reduction": {"type": "near_field"},
                    },
                    "output": {"language": "en"},
                }
            }
        )
        updated = await connection.recv()
        assert isinstance(updated, RealtimeTranslationSessionUpdatedEvent)
        assert updated.session.audio.output and updated.session.audio.output.language == "en"
        await say(connection, join(silence(400), russian("где находится вокзал"), silence(1000)))
        await say(connection, russian("спасибо"))  # pending when the session closes
        await connection.session.close()
        events = await rest(connection)

    assert [event.error for event in events if isinstance(event, RealtimeErrorEvent)] == []
    text = "".join(
        e.delta for e in events if isinstance(e, RealtimeTranslationOutputTranscriptDeltaEvent)
    )
    assert "train station" in text
    assert "thank" in text.lower()
    heard = "".join(
        e.delta for e in events if isinstance(e, RealtimeTranslationInputTranscriptDeltaEvent)
    )
    assert "вокзал" in heard.lower()
    audio = [e for e in events if isinstance(e, RealtimeTranslationOutputAudioDeltaEvent)]
    pcm = np.frombuffer(b"".join(base64.b64decode(e.delta) for e in audio), "<i2") / 32768
    assert len(pcm) > 24_000
    assert np.sqrt(np.mean(pcm**2)) > 0.01
    assert {(e.sample_rate, e.channels, e.format) for e in audio} == {(24_000, 1, "pcm16")}
    assert isinstance(events[-1], RealtimeTranslationSessionClosedEvent)


async def test_another_target_is_chosen_in_mid_session_and_a_wrong_one_is_told() -> None:
    async with patient_server() as server, connected(server) as connection:
        await connection.recv()
        await connection.session.update(
            session={"audio": {"output": {"language": "fr"}}}, event_id="mine"
        )
        refused = await connection.recv()
        assert isinstance(refused, RealtimeErrorEvent)
        assert refused.error.event_id == "mine"
        assert "en to ru" in refused.error.message
        # The API names only a target; the language of the speech follows from it.
        await connection.session.update(session={"audio": {"output": {"language": "ru"}}})
        updated = await connection.recv()
        assert isinstance(updated, RealtimeTranslationSessionUpdatedEvent)
        await say(connection, join(silence(400), english("where is the train station")))
        await connection.session.close()
        events = await rest(connection)
    text = "".join(
        e.delta for e in events if isinstance(e, RealtimeTranslationOutputTranscriptDeltaEvent)
    )
    assert "вокзал" in text


async def test_a_client_secret_opens_a_session_and_what_is_unknown_is_told() -> None:
    async with patient_server() as server:
        async with AsyncOpenAI(base_url=server.url + "/v1", api_key=KEY) as client:
            secret = await client.realtime.translations.client_secrets.create(
                session={"model": MODEL, "audio": {"output": {"language": "en"}}}
            )
        async with connected(server, secret.value) as connection:
            created = await connection.recv()
            assert isinstance(created, RealtimeTranslationSessionCreatedEvent)
            await connection.send_raw('{"type":"response.create","event_id":"mine"}')
            unknown = await connection.recv()
            assert isinstance(unknown, RealtimeErrorEvent)
            assert unknown.error.type == "invalid_request_error"
            assert unknown.error.event_id == "mine"
            await connection.session.input_audio_buffer.append(audio="A", event_id="this")
            bad = await connection.recv()
            assert isinstance(bad, RealtimeErrorEvent)
            assert bad.error.event_id == "this"


async def test_the_synchronous_client_works_too() -> None:
    def converse(url: str) -> list[str]:
        with (
            OpenAI(base_url=url + "/v1", api_key=KEY) as client,
            client.realtime.translations.connect(model=MODEL) as connection,
        ):
            connection.session.close()
            return [event.type for event in connection]

    async with patient_server() as server:
        kinds = await asyncio.to_thread(converse, server.url)
    assert kinds == ["session.created", "session.closed"]
