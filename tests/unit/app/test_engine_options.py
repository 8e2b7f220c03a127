"""Options that the two engines' factories get of the settings."""

import pytest

from rtc_server.app.engines import engine_options
from rtc_server.config import EngineSettings


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
    translating, speaking = engine_options(EngineSettings(device=device, tts_device=tts_device))
    assert (translating.device, speaking.device) == devices


def test_canary_gets_its_model_and_the_heads_that_say_where_words_are() -> None:
    settings = EngineSettings(canary_model="/a.nemo", canary_heads="4:1,5")
    translating, _ = engine_options(settings)
    assert (translating.canary_model, translating.canary_heads) == ("/a.nemo", "4:1,5")
