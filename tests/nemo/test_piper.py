"""Piper's engine with the real piper-tts on tiny voices of the real shape."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rtc_server import model_files
from rtc_server.engines.base import EngineOptions, TtsRequest
from rtc_server.engines.piper import engine
from rtc_server.engines.piper.engine import PiperTts
from rtc_server.engines.piper.voices import find_voices
from rtc_server.errors import EngineUnavailable
from rtc_server.pcm import Samples
from tests.support.nemo.tiny_piper import write_voice

GERMAN = {"code": "de_DE", "family": "de", "region": "DE"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a German and an Italian voice, and an older Russian one of two speakers."""
    write_voice(tmp_path / "de_DE-tiny-medium.onnx", GERMAN, "de")
    (tmp_path / "more").mkdir()
    write_voice(tmp_path / "more" / "it_IT-tiny-low.onnx", {"code": "it_IT"}, "it", 16_000)
    write_voice(tmp_path / "more" / "ru-old.onnx", None, "ru", speakers=("irina", "denis"))
    return tmp_path


def load(*voices: Path) -> PiperTts:
    tts = engine.create(EngineOptions(models_dir=Path("/nonexistent"), piper_voices=voices))
    tts.warm_up()
    return tts


def say(tts: PiperTts, text: str, language: str, **more: Any) -> list[Samples]:
    return list(tts.synthesize(TtsRequest(text, language, **more)))


def loudness(speech: list[Samples]) -> float:
    return float(np.abs(np.concatenate(speech)).max())


def test_a_folder_gives_its_voices_by_language(folder: Path) -> None:
    capabilities = load(folder).capabilities
    assert capabilities.voices == {
        "de": ("de_DE-tiny-medium",),
        "it": ("it_IT-tiny-low",),
        "ru": ("ru-old/irina", "ru-old/denis"),
    }
    assert capabilities.sample_rate == 22_050
    assert "GPL" in capabilities.licence
    assert "voice it_IT-tiny-low: not stated" in capabilities.licence
    assert any("it_IT-tiny-low" in note for note in capabilities.notes)


def test_a_chunk_for_each_sentence_at_one_rate(folder: Path) -> None:
    tts = load(folder)
    german = say(tts, "Guten Tag. Es kostet 25 Euro! Wie geht es?", "de")
    assert len(german) == 3
    for chunk in german:
        assert chunk.dtype == np.float32
        assert chunk.ndim == 1
        assert chunk.size > 2000
    assert loudness(german) == pytest.approx(0.4, abs=0.01), "no sentence is made louder"
    italian = say(tts, "Buongiorno. Come stai?", "it")
    alone = load(folder / "more" / "it_IT-tiny-low.onnx")
    same = say(alone, "Buongiorno. Come stai?", "it")
    ratio = sum(c.size for c in italian) / sum(c.size for c in same)
    assert ratio == pytest.approx(22_050 / 16_000, rel=0.01)


def test_rate_is_the_length_scale(folder: Path) -> None:
    tts = load(folder / "de_DE-tiny-medium.onnx")
    plain = sum(c.size for c in say(tts, "Guten Morgen.", "de"))
    fast = sum(c.size for c in say(tts, "Guten Morgen.", "de", rate=1.6))
    assert plain / fast == pytest.approx(1.6, rel=0.01)


def test_speakers_of_one_voice_are_voices(folder: Path) -> None:
    tts = load(folder)
    first = say(tts, "Привет", "ru")
    second = say(tts, "Привет", "ru", voice="ru-old/denis")
    assert loudness(first) == pytest.approx(2 * loudness(second), rel=0.01)


@pytest.mark.parametrize("text", ["", " ", "...", "😀"])
def test_nothing_to_say_yields_nothing(folder: Path, text: str) -> None:
    assert say(load(folder), text, "de") == []


def test_text_that_kills_the_phonemizer_is_made_safe(folder: Path) -> None:
    assert say(load(folder), "©п [[ \ud83d\ude00 Grüße", "de")


def test_closing_early_makes_nothing_more(folder: Path) -> None:
    speech: Any = load(folder).synthesize(TtsRequest("Eins. Zwei. Drei.", "de"))
    next(speech)
    speech.close()
    assert list(speech) == []


def refusal(*voices: Path) -> str:
    with pytest.raises(EngineUnavailable) as refused:
        load(*voices)
    return str(refused.value)


def test_what_is_missing_or_damaged_is_told(folder: Path) -> None:
    assert "rtc-server models fetch" in refusal()
    assert "There is no Piper voice at" in refusal(folder / "nobody.onnx")
    (folder / "empty").mkdir()
    assert "There is no Piper voice (.onnx) in" in refusal(folder / "empty")
    bare = folder / "bare.onnx"
    bare.write_bytes(b"x")
    assert "needs its configuration bare.onnx.json" in refusal(bare)
    config = folder / "bare.onnx.json"
    config.write_text("{}")
    assert "is no configuration of a Piper voice" in refusal(bare)
    config.write_text(json.dumps({"audio": {"sample_rate": 16_000}, "espeak": {"voice": "de"}}))
    assert "cannot be loaded" in refusal(bare)


def test_a_fetched_voice_is_used_only_when_it_is_the_catalogues(tmp_path: Path) -> None:
    place = tmp_path / "de_DE-thorsten-high"
    place.mkdir()
    voice = write_voice(place / "de_DE-thorsten-high.onnx", GERMAN, "de")
    options = EngineOptions(models_dir=tmp_path)
    with pytest.raises(EngineUnavailable, match="rtc-server models fetch de_DE-thorsten-high"):
        engine.create(options)
    for path in (voice, voice.with_name(voice.name + ".json")):
        model_files.record_path(path).write_text(model_files.sha256_of(path))
    assert engine.create(options).capabilities.voices == {"de": ("de_DE-thorsten-high",)}
    [found] = find_voices((), tmp_path)
    with found.open_model() as checked:
        content = voice.read_bytes()
        voice.unlink()
        voice.write_bytes(b"swapped")
        assert checked.read() == content
    with pytest.raises(EngineUnavailable, match="its SHA-256 differs"):
        engine.create(options)


def test_a_missing_extra_is_told(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(engine, "find_spec", lambda _: None)
    assert re.search(r"-m pip install -c \S+ 'piper-tts", refusal(folder))
