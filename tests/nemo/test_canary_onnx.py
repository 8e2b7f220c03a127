"""Canary on ONNX Runtime, on the fixture's weights: the texts are NeMo's own, to the letter."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from bench import canary_commit
from models.fixture.phrases import UNKNOWN
from models.fixture.to_onnx import convert
from rtc_server.engines.base import AstRequest, AstResult, AstStatus, EngineOptions
from rtc_server.engines.canary.engine import create_onnx
from rtc_server.engines.canary.onnx_decoder import cut
from rtc_server.engines.canary.onnx_writer import OnnxWriter
from rtc_server.engines.canary.pieces import Pieces
from rtc_server.engines.canary.translator import CanaryAst, Wanted, longest_text, padded
from rtc_server.engines.canary.vocabulary import VocabularyTokenizer
from rtc_server.errors import EngineUnavailable
from rtc_server.interpreter.commit_policy import Agreement
from rtc_server.interpreter.modes import PRESETS, Mode, commit_policies, possible
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


def test_committed_text_has_the_tokens_that_nemo_gives_it(folder: Path) -> None:
    lines = (folder / "vocab.txt").read_text("utf-8").splitlines()
    ours = VocabularyTokenizer([line.rsplit(" ", 1)[0] for line in lines])
    theirs = fixture_writer().model.tokenizer
    written = [text for phrases in TEXTS.values() for pair in phrases for text in pair]
    written += [text for texts in UNKNOWN.values() for text in texts]
    beginnings = [text[:end] for text in written for end in range(1, len(text) + 1)]
    for text in beginnings:
        assert ours.text_to_ids(text, None) == list(theirs.text_to_ids(text, None))
    assert (ours.eos_id, ours.pad_id, ours.unk_id) == (theirs.eos_id, theirs.pad_id, theirs.unk_id)
    assert Pieces(ours).inside_word() == Pieces(theirs).inside_word()


def test_an_answer_continues_what_is_committed_as_through_nemo(writer: OnnxWriter) -> None:
    """Beginnings of every length, of the phrase and of another one, in one batch and alone."""
    waves, wanted = [], []
    for pair, phrases in TEXTS.items():
        for number, (source, _) in enumerate(phrases):
            others = phrases[(number + 1) % len(phrases)]
            waves.append(padded(say(source, pair[0])))
            begun = [beginning(source, number), beginning(others[1], number // 3)]
            wanted.append([Wanted(pair[0], *each) for each in zip(pair, begun, strict=True)])
    limits = [longest_text(len(wave)) for wave in waves]
    answers = writer.write(waves, wanted, limits)
    expected = fixture_writer().write(waves, wanted, limits)
    assert answers == [[replace(one, pieces=()) for one in texts] for texts in expected]
    for asked, texts in zip(wanted, answers, strict=True):
        for one, text in zip(asked, texts, strict=True):
            assert text.text.startswith(one.committed)
    for i in range(0, len(waves), 5):
        alone = writer.write(waves[i : i + 1], wanted[i : i + 1], limits[i : i + 1])
        assert alone == answers[i : i + 1]


def beginning(text: str, number: int) -> str:
    """Return some of its words: none, one, two …, all of them, in turns."""
    words = text.split()
    return " ".join(words[: number % (len(words) + 1)])


def test_a_committed_word_is_not_lengthened(writer: OnnxWriter) -> None:
    """The model would complete a word that is cut short on purpose."""
    wave, limits = padded(say("Where is the train station?", "en")), [longest_text(40_000)]
    ((text,),) = writer.write([wave], [[Wanted("en", "en", "Where is the tra")]], limits)
    assert text.text.startswith("Where is the tra")
    assert text.text.split()[3].strip(".,;:!?") == "tra"


def test_more_than_the_audio_can_hold_is_not_continued(writer: OnnxWriter) -> None:
    wave = padded(say("Good morning.", "en"))
    limits = [longest_text(len(wave))]
    anew = writer.write([wave], [[Wanted("en", "en")]], limits)
    assert writer.write([wave], [[Wanted("en", "en", "Good morning. " * 40)]], limits) == anew


@pytest.mark.parametrize(
    ("writer", "mode"),
    [
        ("int8", "balanced"),
        *(("float32", mode) for mode in PRESETS),
        *(pytest.param("int8", mode, marks=pytest.mark.slow) for mode in ("fast", "accurate")),
    ],
    indirect=["writer"],
)
def test_phrases_are_interpreted_by_agreement_while_they_are_said(
    writer: OnnxWriter, mode: Mode
) -> None:
    """Committed text stays, and the engine continues it: of long phrases some is committed before
    their end, in each mode."""
    ours = CanaryAst(writer, "canary-onnx", "a licence")
    told, preset = ours.capabilities, PRESETS[mode]
    assert possible(mode, told) is mode
    assert [type(each) for each in commit_policies(preset, told)] == [Agreement, Agreement]
    said_phrases = list(canary_commit.phrases(["m7"], [80]))
    outcomes = [
        canary_commit.interpret(ours, preset, phrase, has_times=True) for phrase in said_phrases
    ]
    assert any(outcome.early_s > 0 for outcome in outcomes)


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
    assert "is not a Canary model: it has no ▁" in refused(tmp_path)


def test_the_catalogues_model_is_named_when_it_is_missing(tmp_path: Path) -> None:
    options = EngineOptions(models_dir=tmp_path)
    with pytest.raises(EngineUnavailable, match="Run: rtc-server models fetch canary-1b-v2-int8"):
        create_onnx(options)


def test_capabilities(folder: Path) -> None:
    capabilities = create_onnx(EngineOptions(canary_model=str(folder))).capabilities
    assert set(capabilities.pairs) == {("en", "ru"), ("ru", "en")}
    assert capabilities.name == "canary-onnx"
    assert capabilities.target_partials and capabilities.prefix
    assert not (capabilities.word_times or capabilities.alignment)
    assert "Canary computes on cpu in int8." in capabilities.notes
