"""Silero's engine on tiny models that are packed as the real ones are."""

import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rtc_server import model_files
from rtc_server.engines.base import EngineOptions, TtsRequest
from rtc_server.engines.silero import engine, stress
from rtc_server.engines.silero.engine import SileroTts
from rtc_server.errors import EngineError, EngineUnavailable
from rtc_server.pcm import Samples
from tests.support.nemo.tiny_silero import fetched, use

RATE = 48_000
LONG = (
    "Поезд из Москвы приходит на четвёртую платформу, а потом мы все вместе пойдём обедать в "
    "ресторан, который стоит у вокзала, потому что все очень голодны и устали после дороги."
)


def load(
    monkeypatch: pytest.MonkeyPatch,
    folder: Path,
    *model_ids: str,
    chosen: tuple[str, ...] = (),
    percent: bool = True,
) -> SileroTts:
    """The engine with these models fetched, warmed up."""
    use(monkeypatch, fetched(folder, *model_ids, percent=percent))
    tts = SileroTts(EngineOptions(models_dir=folder, silero_models=chosen, device="cpu"))
    tts.warm_up()
    inside(tts).texts.clear()
    return tts


def inside(tts: SileroTts, language: str = "ru") -> Any:
    """Return the object in the package, which keeps its arguments."""
    return tts._voices[language].model._model


def say(tts: SileroTts, text: str, language: str = "ru", **more: Any) -> list[Samples]:
    return list(tts.synthesize(TtsRequest(text, language, **more)))


def test_it_speaks_at_48_khz_and_text_decides_how_long(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tts = load(monkeypatch, tmp_path, "v5_5_ru")
    assert tts.capabilities.sample_rate == RATE
    [short] = say(tts, "Да.")
    [longer] = say(tts, "Где находится вокзал?")
    for speech in (short, longer):
        assert speech.dtype == np.float32
        assert speech.ndim == 1
        assert 0.2 < np.abs(speech).max() <= 0.5
    assert 3 * 0.06 * RATE <= short.size <= 3 * 0.1 * RATE, "60 to 100 ms a character"
    assert 21 * 0.06 * RATE <= longer.size <= 21 * 0.1 * RATE
    spectrum = np.abs(np.fft.rfft(longer))
    assert 150 < np.fft.rfftfreq(longer.size, 1 / RATE)[spectrum.argmax()] < 1500


def test_the_usual_models_that_were_fetched_are_loaded_with_their_voices(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    usual = ("v5_5_ru", "v3_en", "v3_de", "v3_es", "v3_fr", "v4_ua")
    tts = load(monkeypatch, tmp_path, *usual, "v5_cis_base")
    voices = tts.capabilities.voices
    assert set(voices) == {"ru", "en", "de", "es", "fr", "uk"}
    assert voices["ru"][0] == "xenia"
    assert set(voices["ru"]) == {"aidar", "baya", "kseniya", "xenia", "eugene"}
    assert voices["en"] == ("en_0", "en_1")
    assert voices["de"][0] == "eva_k"
    texts = {"en": "It costs 25 €.", "de": "Größe 5", "es": "mañana", "fr": "l’été", "uk": "п’ять"}
    for language, text in texts.items():
        assert sum(chunk.size for chunk in say(tts, text, language)) > 0.3 * RATE
    assert inside(tts, "en").texts[-1] == "It costs twenty-five euros."


def test_licences_are_told_where_they_restrict(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tts = load(monkeypatch, tmp_path, "v5_5_ru", "v5_cis_base")
    assert "not for commercial use" in tts.capabilities.licence
    assert any("may not be used commercially" in note for note in tts.capabilities.notes)
    options = EngineOptions(models_dir=tmp_path, silero_models=("v5_cis_base",), device="cpu")
    free = SileroTts(options)
    assert free.capabilities.licence == "v5_cis_base: MIT"
    assert not any("commercially" in note for note in free.capabilities.notes)
    assert set(free.capabilities.voices) == {"ru", "uk"}
    assert free.capabilities.voices["ru"] == ("ru_eduard", "ru_aigul")


def test_the_first_clause_comes_before_the_rest_is_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tts = load(monkeypatch, tmp_path, "v5_5_ru")
    speech = tts.synthesize(TtsRequest(LONG, "ru"))
    first = next(speech)
    made = inside(tts).texts
    assert made == ["Поезд из Москвы приходит на четвёртую платформу,"]
    assert first.size < 5 * RATE
    rest = list(speech)
    assert " ".join(made) == LONG
    assert all(len(text) <= 200 for text in made)
    assert len(rest) == len(made) - 1


def test_closing_early_makes_nothing_more(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tts = load(monkeypatch, tmp_path, "v5_5_ru")
    speech: Any = tts.synthesize(TtsRequest(LONG, "ru"))
    next(speech)
    speech.close()
    assert len(inside(tts).texts) == 1


def test_digits_and_latin_letters_reach_the_model_as_words(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tts = load(monkeypatch, tmp_path, "v5_5_ru")
    say(tts, "Мы исправили 25 ошибок в API v2.")
    assert inside(tts).texts == ["Мы исправили двадцать пять ошибок в эй пи ай ви два."]


@pytest.mark.parametrize("rate", [1.0, 1.25])
def test_what_xml_would_mind_is_harmless(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, rate: float
) -> None:
    tts = load(monkeypatch, tmp_path, "v5_5_ru")
    assert say(tts, 'Да & нет <b>«так»</b> "да" 1 < 2', rate=rate)
    assert not set("".join(inside(tts).texts)) & set('<>&"«»')


@pytest.mark.parametrize("text", ["", "...", "😀"])
def test_nothing_to_say_yields_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str
) -> None:
    assert say(load(monkeypatch, tmp_path, "v5_5_ru"), text) == []


@pytest.mark.parametrize(("percent", "rate", "ratio"), [(True, 1.5, 1.5), (False, 1.4, 1.5)])
def test_rate_shortens_speech_in_percent_or_by_the_nearest_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, percent: bool, rate: float, ratio: float
) -> None:
    tts = load(monkeypatch, tmp_path, "v5_5_ru", percent=percent)
    text = "Это проверка скорости речи"
    plain = sum(chunk.size for chunk in say(tts, text))
    fast = sum(chunk.size for chunk in say(tts, text, rate=rate))
    assert plain / fast == pytest.approx(ratio, rel=0.12)


def test_voices_differ_and_an_unfit_one_is_never_offered(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tts = load(monkeypatch, tmp_path, "v5_5_ru")
    [xenia] = say(tts, "Привет", voice="xenia")
    [aidar] = say(tts, "Привет", voice="aidar")
    assert xenia.size == aidar.size
    assert not np.allclose(xenia, aidar)


def test_a_fault_is_tried_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tts = load(monkeypatch, tmp_path, "v5_5_ru")
    inside(tts).faults.append(True)
    assert len(say(tts, "Привет")) == 1
    assert len(inside(tts).texts) == 2


def test_a_gpu_that_fails_twice_is_left_for_the_cpu(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tts = load(monkeypatch, tmp_path, "v5_5_ru")
    model = tts._voices["ru"].model
    model.device = "cuda"
    moves: list[object] = []
    monkeypatch.setattr(inside(tts), "to", moves.append)
    inside(tts).faults += [True]
    assert len(say(tts, "Привет")) == 1
    assert moves == [], "one fault is tried again where it was"
    inside(tts).faults += [True, True]
    assert len(say(tts, "Привет")) == 1
    assert [str(device) for device in moves] == ["cpu"]
    assert model.device == "cpu"


def test_a_gpu_that_cannot_be_left_ends_the_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tts = load(monkeypatch, tmp_path, "v5_5_ru")
    tts._voices["ru"].model.device = "cuda"

    def broken(_device: object) -> None:
        raise RuntimeError("device-side assert")

    monkeypatch.setattr(inside(tts), "to", broken)
    inside(tts).faults += [True, True]
    with pytest.raises(SystemExit, match="CUDA"):
        say(tts, "Привет")


def test_a_fault_that_stays_is_told_without_the_text(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tts = load(monkeypatch, tmp_path, "v5_5_ru")
    inside(tts).faults += [True] * 3
    with pytest.raises(EngineError, match="failed on a text of 6 characters") as failure:
        say(tts, "Привет")
    assert "Привет" not in str(failure.value)
    assert len(say(tts, "Привет")) == 1, "the next text is spoken"


def test_stress_is_set_where_the_model_sets_none(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(engine, "load_accentor", {"ru": str.upper}.get)
    tts = load(monkeypatch, tmp_path, "v5_cis_base", chosen=("v5_cis_base",))
    say(tts, "Привет")
    assert inside(tts).texts == ["ПРИВЕТ"]
    [note] = [note for note in tts.capabilities.notes if "stress" in note]
    assert "Words of uk" in note
    assert "silero-stress, a package of the extra silero, is not installed" in note


def test_real_stress_marks_when_the_package_is_here() -> None:
    accentor = stress.load_accentor("ru")
    assert accentor is not None
    assert accentor("На двери висит замок.") == "Н+а двер+и вис+ит зам+ок."


def test_without_the_stress_package_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "silero_stress", None)
    assert stress.load_accentor("ru") is None


def refusal(folder: Path, *chosen: str) -> str:
    with pytest.raises(EngineUnavailable) as refused:
        engine.create(EngineOptions(models_dir=folder, silero_models=chosen, device="cpu"))
    return str(refused.value)


def test_no_models_names_the_command(tmp_path: Path) -> None:
    assert "rtc-server models fetch v5_5_ru v3_en" in refusal(tmp_path)
    assert "rtc-server models fetch v3_de" in refusal(tmp_path, "v3_de")
    assert "Silero has no model 'v9'" in refusal(tmp_path, "v9")


def test_a_wrong_hash_is_refused_before_any_code_of_the_file_runs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    use(monkeypatch, fetched(tmp_path, "v5_5_ru"))
    path = tmp_path / "v5_5_ru" / "v5_5_ru.pt"
    data = path.read_bytes()
    path.write_bytes(data[:500] + bytes([data[500] ^ 1]) + data[501:])
    monkeypatch.setattr("torch.package.PackageImporter", None)  # any use of it would fail
    assert "SHA-256 differs" in refusal(tmp_path)
    assert "rtc-server models fetch v5_5_ru" in refusal(tmp_path)


def test_a_half_file_is_refused_and_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(monkeypatch, fetched(tmp_path, "v5_5_ru"))
    path = tmp_path / "v5_5_ru" / "v5_5_ru.pt"
    path.with_name("v5_5_ru.pt.part").write_bytes(path.read_bytes()[:1000])
    path.unlink()
    assert "was cut short" in refusal(tmp_path)
    path.write_bytes(b"half")
    assert "is not the file" in refusal(tmp_path)


def test_a_package_of_something_else_is_told(tmp_path: Path) -> None:
    path = tmp_path / "v5_5_ru" / "v5_5_ru.pt"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "no model")
    model_files.record_path(path).write_text(
        model_files.sha256_of(path)
    )  # trusted, though no model
    assert "cannot be loaded as a Silero model" in refusal(tmp_path, "v5_5_ru")


def test_cuda_that_is_not_here_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    use(monkeypatch, fetched(tmp_path, "v5_5_ru"))
    with pytest.raises(EngineUnavailable, match="no CUDA here"):
        SileroTts(EngineOptions(models_dir=tmp_path, device="cuda"))


def test_a_missing_extra_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(engine, "find_spec", lambda name: None if name == "torch" else name)
    with pytest.raises(EngineUnavailable, match=r"Run: .* -m pip install .*silero-stress"):
        SileroTts(EngineOptions(models_dir=tmp_path))
