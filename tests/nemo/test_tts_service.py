"""Silero and ``--tts auto`` in their own process, through the service that sessions use."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest

from rtc_server.config import EngineSettings
from rtc_server.engines.base import EngineOptions, TtsRequest
from rtc_server.engines.service import TtsService
from rtc_server.errors import EngineUnavailable
from rtc_server.metrics import Metrics
from rtc_server.model_files import record_path, sha256_of
from rtc_server.pcm import Samples
from tests.support.nemo.tiny_piper import write_voice
from tests.support.nemo.tiny_silero import fetched


@pytest.fixture
def options(tmp_path: Path) -> EngineOptions:
    """Tiny Russian and English Silero models, trusted by the operator, and a German Piper voice."""
    for model in fetched(tmp_path, "v5_5_ru", "v3_en"):
        path = tmp_path / model.id / model.files[0].name
        record_path(path).write_text(sha256_of(path))
    voice = write_voice(tmp_path / "de_DE-tiny-medium.onnx", {"family": "de"}, "de")
    return EngineOptions(models_dir=tmp_path, piper_voices=(voice,), device="cpu")


@asynccontextmanager
async def running(name: str, options: EngineOptions) -> AsyncIterator[TtsService]:
    service = TtsService(name, options, EngineSettings(), Metrics())
    await service.start()
    try:
        yield service
    finally:
        await service.close()


async def say(service: TtsService, text: str, language: str) -> Samples:
    speech = service.synthesize(TtsRequest(text, language), session_id="a")
    return np.concatenate([chunk async for chunk in speech])


async def test_silero_speaks_from_its_own_process(options: EngineOptions) -> None:
    async with running("silero", options) as service:
        assert set(service.capabilities.voices) == {"ru", "en"}
        speech = await say(service, "Поезд прибывает в 14:30.", "ru")
    words = len("Поезд прибывает в четырнадцать часов тридцать минут.")
    assert words * 0.06 * 48_000 <= speech.size <= words * 0.1 * 48_000


async def test_auto_takes_the_best_for_each_language_and_says_so(options: EngineOptions) -> None:
    async with running("auto", options) as service:
        capabilities = service.capabilities
        assert capabilities.title.startswith("Silero: ru, en; Piper: de; eSpeak NG: ")
        assert len(capabilities.voices) == 25
        assert capabilities.sample_rate == 48_000
        assert "not for commercial use" in capabilities.licence
        for text, language in (("Привет", "ru"), ("Guten Tag", "de"), ("Buongiorno", "it")):
            speech = await say(service, text, language)
            assert 0.3 * 48_000 < speech.size < 3 * 48_000, language
            assert np.abs(speech).max() > 0.1


async def test_a_missing_model_stops_the_start_with_the_command(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="Run: rtc-server models fetch v3_de"):
        async with running("silero", EngineOptions(models_dir=tmp_path, silero_models=("v3_de",))):
            pass
