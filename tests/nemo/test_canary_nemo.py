"""Canary through NeMo, restored from the committed file by the production loader."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import torch

from models.fixture.corpus import not_speech
from rtc_server.catalog import Model, ModelFile
from rtc_server.engines.base import AstRequest, AstResult, AstStatus
from rtc_server.engines.canary.engine import create
from rtc_server.engines.canary.files import open_archive
from rtc_server.engines.canary.nemo_writer import NemoWriter, restore
from rtc_server.engines.canary.translator import CanaryAst
from rtc_server.pcm import Samples
from tests.support.nemo.fixture import MODEL, OPTIONS, TEXTS, fixture_writer, said, timeless


def engine() -> CanaryAst:
    return CanaryAst(fixture_writer(), "canary", "a licence")


def expected(pair: tuple[str, str], index: int) -> AstResult:
    return AstResult(AstStatus.OK, *TEXTS[pair][index])


def batch_norm(model: Any) -> Any:
    """Everything that a call in train mode would change."""
    return torch.cat([b.flatten().float() for n, b in model.named_buffers() if "running_" in n])


@pytest.mark.parametrize("pair", list(TEXTS))
def test_every_phrase_is_transcribed_and_translated(pair: tuple[str, str]) -> None:
    for index, (text, _) in enumerate(TEXTS[pair]):
        assert timeless(engine().translate([said(text, pair)])) == [expected(pair, index)]


def test_pairs_partials_and_lengths_share_a_batch() -> None:
    ours = engine()
    asked = [(pair, i) for i in range(8) for pair in TEXTS]
    batch = [said(TEXTS[pair][i][0], pair, partial=i % 3 == 2) for pair, i in asked]
    assert len(batch) == ours.capabilities.max_batch
    for (pair, i), request, result in zip(
        asked, batch, timeless(ours.translate(batch)), strict=True
    ):
        source, target = TEXTS[pair][i]
        assert result == AstResult(AstStatus.OK, source, "" if request.partial else target)


def test_the_encoder_runs_once_for_both_texts() -> None:
    seen: list[int] = []
    hook = fixture_writer().model.encoder.register_forward_hook(
        lambda _module, _given, output: seen.append(len(output[0]))
    )
    try:
        batch = [said(TEXTS[pair][i][0], pair) for i in range(2) for pair in TEXTS]
        results = engine().translate(batch)
    finally:
        hook.remove()
    assert [bool(r.source_text and r.target_text) for r in results] == [True] * 4
    assert seen == [4], "one pass, four segments, eight texts"


def test_a_segment_wanted_several_times_is_encoded_once() -> None:
    """As for a room with several languages: the same audio, in one batch, beside that of others."""
    seen: list[int] = []
    hook = fixture_writer().model.encoder.register_forward_hook(
        lambda _module, _given, output: seen.append(len(output[0]))
    )
    [(pair, texts), (other, _)] = TEXTS.items()
    room = said(texts[0][0], pair)
    same = replace(room, samples=room.samples.copy())
    batch = [room, said(TEXTS[other][1][0], other), same, replace(same, partial=True), same]
    try:
        results = engine().translate(batch)
    finally:
        hook.remove()
    heard = AstResult(AstStatus.OK, texts[0][0])
    whole = expected(pair, 0)
    assert timeless(results) == [whole, expected(other, 1), whole, heard, whole]
    assert seen == [2]


@pytest.mark.slow
def test_many_calls_change_neither_answers_nor_model_nor_memory() -> None:
    ours, writer = engine(), fixture_writer()
    batches = [[said(TEXTS[pair][i][0], pair) for pair in TEXTS] for i in range(4)]
    first = [ours.translate(batch) for batch in batches]
    statistics, process = batch_norm(writer.model).clone(), psutil.Process()
    memory = process.memory_info().rss
    for call in range(250):
        assert ours.translate(batches[call % 4]) == first[call % 4]
    assert torch.equal(batch_norm(writer.model), statistics)
    # The heap takes 3 MB once; a copy of each call's audio would be some 50.
    assert process.memory_info().rss - memory < 8 << 20


def test_a_model_left_in_train_mode_is_not_harmed() -> None:
    writer = fixture_writer()
    statistics = batch_norm(writer.model).clone()
    writer.model.train()  # as NeMo's own `transcribe` leaves it
    (text, _), pair = TEXTS["en", "ru"][1], ("en", "ru")
    assert timeless(engine().translate([said(text, pair)])) == [expected(pair, 1)]
    assert torch.equal(batch_norm(writer.model), statistics)


def test_little_is_made_of_what_is_not_speech() -> None:
    # So small a model takes some hums and tunes for "Good morning". A detector of speech stands
    # before it in the server; this is what comes through both its training and the gate.
    random = np.random.default_rng(5)
    sounds = [not_speech(random).samples for _ in range(60)]
    results = [engine().translate([AstRequest(sound, *pair) for pair in TEXTS]) for sound in sounds]
    refused = [r.status is AstStatus.NOT_UNDERSTOOD for pair in results for r in pair]
    assert sum(refused) >= 0.9 * len(refused)


def test_silence_is_never_answered() -> None:
    silence = np.zeros(16_000, dtype=np.float32)
    (result,) = engine().translate([AstRequest(silence, "en", "ru")])
    assert result.status is AstStatus.NOT_UNDERSTOOD


def test_a_full_device_takes_smaller_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    writer, sizes = fixture_writer(), []
    encode = writer.encode

    def crowded(waves: Sequence[Samples]) -> Any:
        sizes.append(len(waves))
        if len(waves) > 2:
            raise torch.OutOfMemoryError
        return encode(waves)

    monkeypatch.setattr(writer, "encode", crowded)
    asked = [(pair, i) for i in range(2) for pair in TEXTS]
    results = engine().translate([said(TEXTS[pair][i][0], pair) for pair, i in asked])
    assert timeless(results) == [expected(pair, i) for pair, i in asked]
    assert sizes == [4, 2, 2]


def test_a_failed_device_ends_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_waves: Sequence[Samples]) -> Any:
        raise torch.AcceleratorError("CUDA error: an illegal memory access\nmore lines")

    monkeypatch.setattr(fixture_writer(), "encode", broken)
    with pytest.raises(SystemExit, match=r"The GPU failed: CUDA error: an illegal memory access$"):
        engine().translate([said(TEXTS["en", "ru"][0][0], ("en", "ru"))])


def test_half_the_precision_keeps_the_filterbank_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "rtc_server.engines.canary.nemo_writer.choose_dtype", lambda _device: torch.bfloat16
    )
    rounded = NemoWriter.load(str(MODEL), "cpu", Path())
    assert rounded.precision == "bfloat16"
    featurizer, whole = (w.model.preprocessor.featurizer for w in (rounded, fixture_writer()))
    assert torch.equal(featurizer.fb, whole.fb)
    assert torch.equal(featurizer.window, whole.window)
    ours = CanaryAst(rounded, "canary", "a licence")
    right = [
        timeless(ours.translate([said(text, pair)])) == [expected(pair, i)]
        for pair in TEXTS
        for i, (text, _) in enumerate(TEXTS[pair])
    ]
    assert sum(right) >= len(right) - 1


def test_capabilities_are_those_of_the_model() -> None:
    capabilities = create(OPTIONS).capabilities
    assert set(capabilities.pairs) == {("en", "ru"), ("ru", "en")}
    assert capabilities.partials
    assert capabilities.max_audio_s == 40.0
    assert "CC-BY-4.0" in capabilities.licence


def test_it_is_unpacked_beside_the_model_and_nothing_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NeMo itself unpacks into the temporary folder, which is absent here."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "nowhere"))
    model = tmp_path / "model.nemo"
    model.write_bytes(MODEL.read_bytes())
    NemoWriter.load(str(model), "cpu", Path())
    assert list(tmp_path.iterdir()) == [model]


def test_what_was_checked_is_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name may lead to another file by the time NeMo reads."""
    content = MODEL.read_bytes()
    file = ModelFile("tiny.nemo", "https://x/tiny.nemo", len(content), sha256(content).hexdigest())
    model = Model("tiny", "canary", ("en",), "MIT", 1, (file,))
    monkeypatch.setattr("rtc_server.catalog.catalog", lambda: (model,))
    path = tmp_path / "tiny" / "tiny.nemo"
    path.parent.mkdir()
    path.write_bytes(content)
    opened, handle = open_archive("tiny", tmp_path)
    assert opened == path
    path.unlink()
    path.write_bytes(b"swapped")
    with handle:
        assert restore(handle, path).tokenizer.eos_id >= 0
