"""Canary on ONNX Runtime, on the fixture's weights: the texts are NeMo's own, to the letter."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from models.fixture.to_onnx import convert
from rtc_server.engines.base import AstRequest, AstResult, AstStatus, EngineOptions
from rtc_server.engines.canary.engine import create_onnx
from rtc_server.engines.canary.onnx_decoder import cut
from rtc_server.engines.canary.onnx_writer import OnnxWriter
from rtc_server.engines.canary.translator import CanaryAst, Wanted, longest_text, padded
from rtc_server.errors import EngineUnavailable
from rtc_server.pcm import Samples
from tests.support.nemo.fixture import TEXTS, fixture_writer, noise, said, say


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The fixture, converted: float32 and integers of 8 bits."""
    folder = tmp_path_factory.mktemp("onnx")
    convert(fixture_writer().model, folder)
    return folder


@pytest.fixture(scope="module", params=["int8", "float32"])
def writer(
    request: pytest.FixtureRequest, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OnnxWriter]:
    chosen = tmp_path_factory.mktemp(request.param)
    for file in folder.iterdir():
        if file.suffix == ".txt" or (".int8" in file.name) == (request.param == "int8"):
            (chosen / file.name).symlink_to(file)
    writer = OnnxWriter.load(str(chosen), 1, Path())
    assert writer.precision == request.param
    yield writer


def test_the_same_texts_as_through_nemo_alone_and_in_a_mixed_batch(writer: OnnxWriter) -> None:
    asked = [
        (pair, padded(say(text, pair[0]))) for pair, texts in TEXTS.items() for text, _ in texts
    ]
    waves = [wave for _, wave in asked]
    wanted = [[Wanted(pair[0], language) for language in pair] for pair, _ in asked]
    limits = [longest_text(len(wave)) for wave in waves]
    expected = [
        [replace(one, pieces=()) for one in texts]
        for texts in fixture_writer().write(waves, wanted, limits)
    ]
    assert len(expected) == 24
    assert writer.write(waves, wanted, limits) == expected
    for i in range(0, len(waves), 5):
        assert writer.write(waves[i : i + 1], wanted[i : i + 1], limits[i : i + 1]) == [expected[i]]


def test_a_partial_is_a_transcript_and_a_repeated_segment_is_encoded_once(
    writer: OnnxWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = CanaryAst(writer, "canary-onnx", "a licence")
    [(pair, texts), (other, _)] = TEXTS.items()
    room = said(texts[0][0], pair)
    seen: list[int] = []
    encode = writer._encode

    def counted(waves: Sequence[Samples]) -> object:
        seen.append(len(waves))
        return encode(waves)

    monkeypatch.setattr(writer, "_encode", counted)
    batch = [room, said(TEXTS[other][1][0], other, partial=True), replace(room)]
    results = ours.translate(batch)
    whole = AstResult(AstStatus.OK, *texts[0])
    assert results == [whole, AstResult(AstStatus.OK, TEXTS[other][1][0], ""), whole]
    assert seen == [2]


def test_keys_and_values_of_the_audio_are_made_once_a_segment(
    writer: OnnxWriter, folder: Path
) -> None:
    suffix = ".int8" if writer.precision == "int8" else ""
    whole = onnx.load(folder / f"decoder-model{suffix}.onnx")
    once, step = cut(whole)
    products = Counter(node.op_type for node in whole.graph.node)
    left = Counter(node.op_type for node in step.graph.node)
    made = Counter(node.op_type for node in once.graph.node)
    kind = "MatMulInteger" if suffix else "MatMul"
    layers = len(fixture_writer().model.transf_decoder.decoder.layers)
    assert made[kind] == products[kind] - left[kind] == 2 * layers
    assert len(once.graph.output) == 2 * layers


def test_a_graph_that_hears_nothing_is_no_decoder() -> None:
    values = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None) for name in "ab"
    ]
    nothing = onnx.helper.make_graph(
        [onnx.helper.make_node("Neg", ["a"], ["b"])], "g", values[:1], values[1:]
    )
    with pytest.raises(ValueError, match="nothing depends on the audio"):
        cut(onnx.helper.make_model(nothing))


def test_a_text_ends_at_its_limit(writer: OnnxWriter) -> None:
    [(pair, texts), _] = TEXTS.items()
    [[short]] = writer.write([padded(say(texts[0][0], pair[0]))], [[Wanted(pair[0], pair[0])]], [3])
    assert not short.complete
    assert 0 < len(short.text) < len(texts[0][0])


def test_silence_and_noise_bring_no_text(writer: OnnxWriter) -> None:
    ours = CanaryAst(writer, "canary-onnx", "a licence")
    silence = np.zeros(16_000, np.float32)
    for samples in (silence, noise(np.random.default_rng(1), 2.0)):
        [result] = ours.translate([AstRequest(samples, "en", "ru")])
        assert result.status is AstStatus.NOT_UNDERSTOOD


def test_what_is_no_model_is_refused_with_a_sentence(folder: Path, tmp_path: Path) -> None:
    def refused(path: Path) -> str:
        with pytest.raises(EngineUnavailable) as caught:
            create_onnx(EngineOptions(canary_model=str(path)))
        assert str(caught.value).endswith("models fetch canary-1b-v2-int8")
        return str(caught.value)

    assert "vocab.txt cannot be read" in refused(tmp_path)
    (tmp_path / "vocab.txt").write_text("a 0\n")
    for part in ("encoder", "decoder"):
        (tmp_path / f"{part}-model.onnx").write_bytes(b"no model")
    assert "cannot be loaded" in refused(tmp_path)
    for part in ("encoder", "decoder"):
        (tmp_path / f"{part}-model.onnx").write_bytes((folder / f"{part}-model.onnx").read_bytes())
    assert "is no Canary: it has no ▁" in refused(tmp_path)


def test_the_catalogues_model_is_named_when_it_is_missing(tmp_path: Path) -> None:
    options = EngineOptions(models_dir=tmp_path)
    with pytest.raises(EngineUnavailable, match="Run: rtc-server models fetch canary-1b-v2-int8"):
        create_onnx(options)


def test_capabilities(folder: Path) -> None:
    capabilities = create_onnx(EngineOptions(canary_model=str(folder))).capabilities
    assert set(capabilities.pairs) == {("en", "ru"), ("ru", "en")}
    assert capabilities.name == "canary-onnx"
    assert "Canary computes on cpu in int8." in capabilities.notes
