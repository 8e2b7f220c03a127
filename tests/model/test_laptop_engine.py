"""The laptop engine's production code on small trained models of the published layouts."""

import gzip
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import onnx_asr
import pytest

from models.fixture.phrases import UNKNOWN
from rtc_server import catalog
from rtc_server.engines.base import Ast, AstRequest, AstResult, AstStatus, EngineOptions, Pair
from rtc_server.engines.cascade import engine as cascade
from rtc_server.engines.cascade.installed import load_translation
from rtc_server.errors import EngineUnavailable
from rtc_server.model_files import record_path, sha256_of
from rtc_server.pcm import Samples
from tests.support.laptop import MODELS, TEXTS, copied_models, said, say

PAIRS: tuple[Pair, ...] = (("en", "ru"), ("ru", "en"))
GIGAAM = "gigaam-v3-e2e-ctc/v3_e2e_ctc.int8.onnx"
JOINT = "parakeet-tdt-0.6b-v2/decoder_joint-model.int8.onnx"
SHORTLIST = "mt-en-ru/lex.50.50.enru.s2t.bin.gz"
TRANSLATOR = "mt-ru-en/model.ruen.intgemm.alphas.bin.gz"


@cache
def engine() -> Ast:
    """Loaded once for all tests."""
    loaded = cascade.create(EngineOptions(models_dir=MODELS, threads=1))
    loaded.warm_up()
    return loaded


def ask(samples: Samples, pair: Pair, *, partial: bool = False) -> AstResult:
    (result,) = engine().translate([AstRequest(samples, *pair, partial, wants_target=partial)])
    return result


def test_the_fixture_can_do_what_the_published_models_can() -> None:
    capabilities = engine().capabilities
    assert capabilities.pairs == PAIRS
    assert "en is recognised by parakeet-tdt-0.6b-v2." in capabilities.notes
    assert "ru is recognised by gigaam-v3-e2e-ctc." in capabilities.notes
    assert "mt-en-ru MPL-2.0" in capabilities.licence


@pytest.mark.parametrize("pair", PAIRS, ids=["-".join(pair) for pair in PAIRS])
def test_phrases_are_translated_in_a_voice_never_heard(pair: Pair) -> None:
    results = [ask(said(pair, index), pair) for index in range(len(TEXTS[pair]))]
    texts = [(result.source_text, result.target_text) for result in results]
    right = sum(got == wanted for got, wanted in zip(texts, TEXTS[pair], strict=True))
    assert right >= 11
    for result in results:
        assert " ".join(word.text for word in result.words) == result.source_text
        ends = [word.end_ms for word in result.words]
        assert ends == sorted(ends)


@pytest.mark.parametrize("pair", PAIRS, ids=["-".join(pair) for pair in PAIRS])
def test_unknown_phrases_are_not_understood(pair: Pair) -> None:
    for text in UNKNOWN[pair[0]][:4]:
        result = ask(say(text, pair[0]), pair)
        assert result == AstResult(AstStatus.NOT_UNDERSTOOD, reason="empty")


def test_the_beginning_of_a_phrase_is_written_and_translated_while_it_is_spoken() -> None:
    whole = said(("en", "ru"), 0)
    result = ask(whole[: len(whole) - 4000], ("en", "ru"), partial=True)
    assert result.source_text == "Good morning."
    assert result.target_text == "Доброе утро."


@pytest.mark.parametrize("pair", PAIRS, ids=["-".join(pair) for pair in PAIRS])
def test_a_tenth_of_a_second_too_much_and_silence_say_nothing(pair: Pair) -> None:
    for samples in (said(pair, 1)[8000:9600], np.zeros(48_000, np.float32)):
        assert ask(samples, pair).status is AstStatus.NOT_UNDERSTOOD
    forty_seconds = np.tile(said(pair, 1), 40)[: 40 * 16_000]
    assert ask(forty_seconds, pair).reason == "longer_than_the_engine_takes"


@pytest.mark.parametrize(
    ("model", "folder", "language"),
    [
        ("gigaam-v3-e2e-ctc", "gigaam-v3-e2e-ctc", "ru"),
        ("nemo-conformer-tdt", "parakeet-tdt-0.6b-v2", "en"),
    ],
)
def test_the_files_are_what_an_independent_program_takes_them_for(
    model: str, folder: str, language: str, tmp_path: Path
) -> None:
    place = copied_models(tmp_path) / folder
    if language == "en":
        (place / "config.json").write_text('{"features_size": 128, "subsampling_factor": 8}')
    theirs = onnx_asr.load_model(
        model, place, quantization="int8", providers=["CPUExecutionProvider"]
    )
    pair = next(pair for pair in PAIRS if pair[0] == language)
    recognised = [
        theirs.recognize(said(pair, index), sample_rate=16_000) for index in range(len(TEXTS[pair]))
    ]
    wanted = [text for text, _ in TEXTS[pair]]
    assert sum(got == want for got, want in zip(recognised, wanted, strict=True)) >= 10


def refusal(folder: Path) -> str:
    with pytest.raises(EngineUnavailable) as refused:
        cascade.create(EngineOptions(models_dir=folder, threads=1))
    return str(refused.value)


def trusted(path: Path, content: bytes) -> None:
    """Put `content` there as what the operator trusts."""
    path.write_bytes(content)
    record_path(path).write_text(sha256_of(path))


def cut(path: Path) -> bytes:
    return path.read_bytes()[: path.stat().st_size // 2]


def cut_inside(path: Path) -> bytes:
    return gzip.compress(gzip.decompress(path.read_bytes())[:100_000])


@pytest.mark.parametrize(
    ("file", "content", "sentence"),
    [
        (GIGAAM, cut, "gigaam-v3-e2e-ctc cannot be loaded"),
        (GIGAAM, lambda path: (path.parents[1] / JOINT).read_bytes(), "not the model it should be"),
        (JOINT, lambda path: (path.parents[1] / GIGAAM).read_bytes(), "not the model it should be"),
        (TRANSLATOR, cut, "mt-ru-en cannot be unpacked"),
        (TRANSLATOR, cut_inside, "mt-ru-en cannot be loaded"),
        (TRANSLATOR, lambda _: gzip.compress(b"no model"), "mt-ru-en cannot be loaded"),
        ("parakeet-tdt-0.6b-v2/vocab.txt", lambda _: b"\xff", "vocabulary of parakeet"),
    ],
    ids=["cut", "swapped-ctc", "swapped-tdt", "cut-gz", "cut-inside", "other", "words"],
)
def test_a_file_that_is_not_right_is_told_with_the_next_step(
    file: str, content: Callable[[Path], bytes], sentence: str, tmp_path: Path
) -> None:
    path = copied_models(tmp_path) / file
    trusted(path, content(path))
    told = refusal(tmp_path / "models")
    assert sentence in told
    assert f"rtc-server models fetch {path.parent.name}" in told


def test_files_of_two_models_are_told_before_anybody_calls(tmp_path: Path) -> None:
    folder = copied_models(tmp_path)
    words = [*(f"▁{number} {number}" for number in range(500)), "<blk> 500"]
    trusted(folder / "parakeet-tdt-0.6b-v2/vocab.txt", "\n".join(words).encode())
    with pytest.raises(EngineUnavailable, match="rtc-server models verify"):
        cascade.create(EngineOptions(models_dir=folder, threads=1)).warm_up()


def test_a_file_of_another_hash_is_not_loaded(tmp_path: Path) -> None:
    path = copied_models(tmp_path) / TRANSLATOR
    path.write_bytes(path.read_bytes() + b"x")
    assert "its SHA-256 differs" in refusal(tmp_path / "models")


def test_a_translator_without_its_shortlist_serves_and_says_what_to_fetch(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = copied_models(tmp_path)
    path = folder / SHORTLIST
    path.write_bytes(b"x")
    assert "its SHA-256 differs" in refusal(folder)
    assert not caplog.records
    path.unlink()
    record_path(path).unlink()
    translate = load_translation(folder, catalog.find("mt-en-ru")).translate_long
    assert translate("Good morning.") == "Доброе утро."
    [record] = caplog.records
    assert path.name in record.getMessage()
    assert "Run: rtc-server models fetch mt-en-ru" in record.getMessage()


def test_what_is_missing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = copied_models(tmp_path)
    (folder / GIGAAM).unlink()
    assert "v3_e2e_ctc.int8.onnx of model gigaam-v3-e2e-ctc is not here" in refusal(folder)
    assert "recognise no language and translate from none" in refusal(tmp_path / "nothing")
    assert "rtc-server models fetch" in refusal(tmp_path / "nothing")
    monkeypatch.setattr(cascade, "find_spec", lambda _: None)
    told = refusal(folder)
    assert "needs onnxruntime and fxtranslate" in told
    assert "-m pip install" in told
