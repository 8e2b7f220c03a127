"""Times of words by cross-attention, held against NeMo's own attention scores."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bench import canary_commit
from bench.nemo_search import nemo_search
from rtc_server.engines.base import AstStatus, EngineOptions, Texts
from rtc_server.engines.canary.alignment import SINK_FRAMES, parse_heads
from rtc_server.engines.canary.engine import create
from rtc_server.engines.canary.greedy import GreedyDecoder
from rtc_server.engines.canary.nemo_writer import NemoWriter
from rtc_server.engines.canary.translator import CanaryAst, Wanted
from rtc_server.errors import EngineUnavailable
from rtc_server.interpreter.commit_policy import Attention
from rtc_server.interpreter.modes import PRESETS, Mode, commit_policies, possible
from tests.support.nemo.fixture import MODEL, TEXTS, fixture_writer, noise, random_writer, said
from tests.support.nemo.tape import TapeRecorder

TOKENS = 30
PAIRS = (("en", "en"), ("en", "ru"), ("ru", "ru"), ("ru", "en"))


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory) -> NemoWriter:
    return random_writer(tmp_path_factory.mktemp("random"), 5)


def decoder_with(writer: NemoWriter, heads: str) -> GreedyDecoder:
    model = writer.model
    end, pad = model.tokenizer.eos_id, model.tokenizer.pad_id
    chosen = parse_heads(heads)
    return GreedyDecoder(model.transf_decoder, model.log_softmax, end=end, pad=pad, heads=chosen)


def asked(writer: NemoWriter, random: np.random.Generator) -> tuple[Any, Any, Any, Any]:
    """States, frame counts, prompts and limits of some noise."""
    waves = [noise(random, s) for s in random.uniform(1.0, 3.0, size=random.integers(1, 4))]
    states, counts = writer.encode(waves)
    rows = [[Wanted(*PAIRS[(i + j) % 4]) for j in range(2)] for i in range(len(waves))]
    return states, counts, *writer.asked(rows, [TOKENS] * len(waves))


def attention_of_nemo(writer: NemoWriter, states: Any, counts: Any, prompts: Any) -> Any:
    """Attention of every layer as NeMo's own search has it: shape (layers, texts, heads, tokens,
    frames)."""
    *_, scores = nemo_search(writer.model, states, counts, prompts, TOKENS, attention=True)
    return torch.stack(scores)[:, :, :, prompts.shape[-1] - 1 :]


@pytest.mark.parametrize(
    ("heads", "layers"),
    [
        ("-2", {0: [0, 1, 2, 3]}),
        ("1:2", {1: [2]}),
        ("0:1,3 -1", {0: [1, 3], 1: [0, 1, 2, 3]}),
    ],
)
def test_frames_are_those_of_nemos_attention(
    writer: NemoWriter, heads: str, layers: dict[int, list[int]]
) -> None:
    random, decoder = np.random.default_rng(6), decoder_with(writer, heads)
    same: list[bool] = []
    with torch.inference_mode():
        for _ in range(8):
            states, counts, prompts, limits = asked(writer, random)
            decoded = [x for row in decoder.decode(states, counts, prompts, limits) for x in row]
            theirs = attention_of_nemo(writer, states, counts, prompts)
            summed = sum(theirs[layer, :, chosen].sum(1) for layer, chosen in layers.items())
            frames = summed[:, :, SINK_FRAMES:].argmax(-1) + SINK_FRAMES
            for text, row in zip(decoded, frames.tolist(), strict=True):
                assert len(text.frames) == len(text.tokens)
                same += [a == b for a, b in zip(text.frames, row, strict=False)]
    assert len(same) > 100
    assert sum(same) >= 0.99 * len(same), "but for a tie, which rounding decides"


@pytest.mark.parametrize("captured", [False, True])
def test_a_prefix_has_the_frames_that_its_tokens_had(
    writer: NemoWriter, captured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also those that a replayed step computes, which runs without Python."""
    random, recorder = np.random.default_rng(7), TapeRecorder()
    plain = decoder_with(writer, "-2")
    if captured:
        monkeypatch.setattr(GreedyDecoder, "_new_recorder", lambda _self: recorder)
    decoder = decoder_with(writer, "-2")
    same: list[bool] = []
    with torch.inference_mode():
        for _ in range(8):
            states, counts, prompts, limits = asked(writer, random)
            whole = plain.decode(states, counts, prompts, limits)
            for share in (0, 2):
                prefixes = [[t.tokens[: len(t.tokens) * share // 3] for t in row] for row in whole]
                again = decoder.decode(states, counts, prompts, limits, prefixes)
                assert again == whole
                for row, other in zip(whole, again, strict=True):
                    for text, twin in zip(row, other, strict=True):
                        same += [a == b for a, b in zip(text.frames, twin.frames, strict=True)]
    assert len(same) > 100
    assert sum(same) >= 0.99 * len(same)
    assert bool(recorder.tapes) == captured


def test_words_of_speech_have_times_inside_it_and_in_order() -> None:
    ours = CanaryAst(fixture_writer(), "canary", "a licence")
    counted = 0
    for pair, phrases in TEXTS.items():
        for text, _ in phrases[:6]:
            whole = said(text, pair, partial=True)
            lengths = [ms * 16 for ms in (400, 700, 1000, 1300)] + [len(whole.samples)]
            batch = [
                replace(whole, samples=whole.samples[:length], wants_target=True)
                for length in lengths
            ]
            for request, result in zip(batch, ours.translate(batch), strict=True):
                if result.status is not AstStatus.OK:
                    continue
                for written, words in (
                    (result.source_text, result.words),
                    (result.target_text, result.target_words),
                ):
                    assert [word.text for word in words] == written.split()
                    ends = [word.end_ms for word in words]
                    assert ends == sorted(ends)
                    assert ends[0] >= 0
                    assert ends[-1] <= len(request.samples) / 16
                    counted += len(ends)
    assert counted > 100


def test_committed_words_have_times_too() -> None:
    ours = CanaryAst(fixture_writer(), "canary", "a licence")
    request = replace(
        said("Where is the train station?", ("en", "ru"), partial=True),
        wants_target=True,
        committed=Texts("Where is the", "Где"),
    )
    (result,) = ours.translate([request])
    assert [word.text for word in result.words] == result.source_text.split()
    assert [word.text for word in result.target_words] == result.target_text.split()


@pytest.mark.slow
def test_a_preset_that_waits_keeps_most_phrases_of_a_model_that_guesses() -> None:
    """As `python -m bench.canary_commit` counts them: 92 % of many; a few voices differ by call."""
    ours = CanaryAst(fixture_writer(), "canary", "a licence")
    said_phrases = list(canary_commit.phrases(["m7"], [160]))
    preset = PRESETS[Mode.ACCURATE]
    outcomes = [
        canary_commit.interpret(ours, preset, phrase, has_times=True) for phrase in said_phrases
    ]
    assert sum(outcome.is_equal for outcome in outcomes) >= 0.75 * len(outcomes)
    assert all(0 <= outcome.early_s < outcome.speech_s + 0.6 for outcome in outcomes)


def test_presets_commit_by_attention_with_it() -> None:
    told = create(EngineOptions(canary_model=str(MODEL), device="cpu")).capabilities
    assert possible(Mode.BALANCED, told) is Mode.BALANCED
    policies = commit_policies(PRESETS[Mode.FAST], told)
    assert [type(policy) for policy in policies] == [Attention, Attention]


@pytest.mark.parametrize("heads", ["2", "-3", "1:4"])
def test_heads_that_the_model_lacks_are_refused(heads: str) -> None:
    with pytest.raises(EngineUnavailable, match="2 layers of 4 heads"):
        NemoWriter.load(str(MODEL), "cpu", Path(), heads)


def test_a_decoder_without_heads_gives_no_frames(writer: NemoWriter) -> None:
    model = writer.model
    end, pad = model.tokenizer.eos_id, model.tokenizer.pad_id
    decoder = GreedyDecoder(model.transf_decoder, model.log_softmax, end=end, pad=pad)
    with torch.inference_mode():
        decoded = decoder.decode(*asked(writer, np.random.default_rng(8)))
    assert {text.frames for row in decoded for text in row} == {()}
