"""Options that the two engines' factories get of the settings."""

from dataclasses import fields
from pathlib import Path

import pytest

from rtc_server.config import EngineSettings
from rtc_server.engines.base import EngineOptions


@pytest.mark.parametrize(
    ("device", "tts_device", "devices"),
    [
        ("auto", "", ("auto", "auto")),
        ("cuda", "", ("cuda", "cuda")),
        ("cuda", "cpu", ("cuda", "cpu")),
        ("cpu", "auto", ("cpu", "auto")),
    ],
)
def test_voices_may_compute_elsewhere(
    device: str, tts_device: str, devices: tuple[str, str]
) -> None:
    settings = EngineSettings(device=device, tts_device=tts_device)
    assert (settings.options("ast").device, settings.options("tts").device) == devices


def test_canary_gets_its_model_and_the_heads_that_say_where_words_are() -> None:
    settings = EngineSettings(canary_model="/a.nemo", canary_heads="4:1,5")
    translating = settings.options("ast")
    assert (translating.canary_model, translating.canary_heads) == ("/a.nemo", "4:1,5")


def test_each_option_of_an_engine_comes_from_a_setting() -> None:
    settings = EngineSettings(
        canary_model="model",
        canary_heads="1",
        models_dir="/models",
        silero_models=("silero",),
        piper_voices=(Path("voice"),),
        device="cpu",
        engine_threads=3,
    )
    given = settings.options("ast", {"phrasebook": ("book",)})
    usual = EngineOptions()
    assert given.own == {"phrasebook": ("book",)}
    assert given.phrasebooks == (Path("book"),), "as before an engine had options of its own"
    same = [
        f.name for f in fields(EngineOptions) if getattr(given, f.name) == getattr(usual, f.name)
    ]
    assert same == []
