"""Canary through transformers, on the weights of the same fixture."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from models.fixture.to_transformers import convert
from rtc_server.engines.base import AstResult, AstStatus, EngineOptions
from rtc_server.engines.canary.engine import create_hf
from rtc_server.engines.canary.hf_writer import HfWriter
from rtc_server.engines.canary.translator import CanaryAst, Wanted, longest_text, padded
from rtc_server.errors import EngineUnavailable
from tests.support.nemo.fixture import MODEL, TEXTS, fixture_writer, said, say


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    converted = tmp_path_factory.mktemp("hf")
    convert(MODEL, converted)
    return converted


@pytest.fixture(scope="module")
def writer(folder: Path) -> Iterator[HfWriter]:
    yield HfWriter.load(str(folder), "cpu", Path())


def test_every_phrase_in_a_batch_of_both_pairs(writer: HfWriter) -> None:
    ours = CanaryAst(writer, "canary-hf", "a licence")
    for index in range(0, 12, 4):
        rows = [(pair, i) for i in range(index, index + 4) for pair in TEXTS]
        results = ours.translate([said(TEXTS[pair][i][0], pair) for pair, i in rows])
        assert results == [AstResult(AstStatus.OK, *TEXTS[pair][i]) for pair, i in rows]


def test_a_partial_is_only_transcribed(writer: HfWriter) -> None:
    ours = CanaryAst(writer, "canary-hf", "a licence")
    text = TEXTS["en", "ru"][1][0]
    (result,) = ours.translate([said(text, ("en", "ru"), partial=True)])
    assert result == AstResult(AstStatus.OK, text, "")


def test_the_encoder_runs_once_for_both_texts(writer: HfWriter) -> None:
    seen: list[int] = []
    hook = writer.model.get_encoder().register_forward_hook(
        lambda _module, _given, output: seen.append(len(output[0]))
    )
    try:
        batch = [said(TEXTS[pair][0][0], pair) for pair in TEXTS]
        CanaryAst(writer, "canary-hf", "a licence").translate(batch)
    finally:
        hook.remove()
    assert seen == [2], "one pass, two segments, four texts"


def test_a_segment_wanted_several_times_is_encoded_once(writer: HfWriter) -> None:
    seen: list[int] = []
    hook = writer.model.get_encoder().register_forward_hook(
        lambda _module, _given, output: seen.append(len(output.last_hidden_state))
    )
    [(pair, texts), (other, _)] = TEXTS.items()
    room = said(texts[0][0], pair)
    batch = [room, said(TEXTS[other][1][0], other), replace(room, samples=room.samples.copy())]
    try:
        results = CanaryAst(writer, "canary-hf", "a licence").translate(batch)
    finally:
        hook.remove()
    wanted = [texts[0], TEXTS[other][1], texts[0]]
    assert [(each.source_text, each.target_text) for each in results] == wanted
    assert seen == [2]


@pytest.mark.slow
def test_many_calls_change_neither_answers_nor_memory(writer: HfWriter) -> None:
    ours, process = CanaryAst(writer, "canary-hf", "a licence"), psutil.Process()
    batches = [[said(TEXTS[pair][i][0], pair) for pair in TEXTS] for i in range(4)]
    first = [ours.translate(batch) for batch in batches]
    grown = []
    for _round in range(3):
        memory = process.memory_info().rss
        for call in range(100):
            assert ours.translate(batches[call % 4]) == first[call % 4]
        grown.append(process.memory_info().rss - memory)
    # The heap takes 4 to 15 MB, once; a copy of each call's audio would be some 20 in each round.
    assert min(grown) < 8 << 20, grown


def test_the_same_texts_as_through_nemo(writer: HfWriter) -> None:
    for (source, target), phrases in TEXTS.items():
        waves = [padded(say(text, source)) for text, _ in phrases]
        wanted = [[Wanted(source, source), Wanted(source, target)]] * len(waves)
        limits = [longest_text(len(wave)) for wave in waves]
        ours = writer.write(waves, wanted, limits)
        theirs = fixture_writer().write(waves, wanted, limits)
        assert ours == [[replace(one, pieces=()) for one in texts] for texts in theirs]


def test_capabilities_are_those_of_the_model(folder: Path) -> None:
    capabilities = create_hf(EngineOptions(canary_model=str(folder), device="cpu")).capabilities
    assert set(capabilities.pairs) == {("en", "ru"), ("ru", "en")}
    assert capabilities.name == "canary-hf"


def test_what_is_no_model_is_refused_with_a_sentence(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="must hold a whole Canary"):
        create_hf(EngineOptions(canary_model=str(tmp_path), device="cpu"))
    with pytest.raises(EngineUnavailable, match="Run: rtc-server models fetch canary-1b-v2-hf"):
        create_hf(EngineOptions(device="cpu"))
    half = tmp_path / "half"
    half.mkdir()
    for file in folder.iterdir():
        size = file.stat().st_size // (2 if file.suffix == ".safetensors" else 1)
        (half / file.name).write_bytes(file.read_bytes()[:size])
    with pytest.raises(EngineUnavailable, match="must hold a whole Canary"):
        create_hf(EngineOptions(canary_model=str(half), device="cpu"))
