"""Our greedy decode against NeMo's own, token for token."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from bench.nemo_search import nemo_greedy
from rtc_server.engines.canary.greedy import Decoded, GreedyDecoder
from rtc_server.engines.canary.nemo_writer import NemoWriter
from rtc_server.engines.canary.translator import Wanted
from rtc_server.pcm import Samples
from tests.support.nemo.fixture import TEXTS, fixture_writer, noise, random_writer, say

PAIRS = (("en", "en"), ("en", "ru"), ("ru", "ru"), ("ru", "en"))
TOKENS = 40


def encoded(writer: NemoWriter, waves: list[Samples], texts: int = 2) -> tuple[Any, Any, Any]:
    """States, frame counts and prompts, of any pairs."""
    states, counts = writer.encode(waves)
    rows = [[Wanted(*PAIRS[(i + j) % 4]) for j in range(texts)] for i in range(len(waves))]
    prompts, _ = writer.asked(rows, [TOKENS] * len(waves))
    return states, counts, prompts


def decoder(writer: NemoWriter) -> GreedyDecoder:
    return writer.decoder


def theirs(writer: NemoWriter, states: Any, counts: Any, prompts: Any) -> list[Decoded]:
    """Return the result of NeMo's search, in the form of ours."""
    end, pad = writer.model.tokenizer.eos_id, writer.model.tokenizer.pad_id
    decoded = []
    for row in nemo_greedy(writer.model, states, counts, prompts, TOKENS).tolist():
        complete = end in row
        tokens = row[: row.index(end)] if complete else row
        while tokens and tokens[-1] == pad:
            tokens.pop()
        decoded.append(Decoded(tuple(tokens), complete))
    return decoded


def limits(prompts: Any) -> Any:
    return torch.full(prompts.shape[:2], TOKENS)


@pytest.mark.slow
def test_random_models_on_random_audio(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    found: list[Decoded] = []
    for seed in range(4):
        writer = random_writer(tmp_path / str(seed), seed)
        with torch.inference_mode():
            for _ in range(50):
                seconds = random.uniform(0.5, 4, size=random.integers(1, 5))
                waves = [noise(random, s) for s in seconds]
                states, counts, prompts = encoded(writer, waves, texts=int(random.integers(1, 4)))
                ours = decoder(writer).decode(states, counts, prompts, limits(prompts))
                flat = [text for texts in ours for text in texts]
                assert flat == theirs(writer, states, counts, prompts)
                found += flat
    assert len({text.tokens for text in found}) > len(found) / 4, "the texts hardly differ"
    assert {text.complete for text in found} == {True, False}


def test_the_trained_model_on_speech() -> None:
    writer = fixture_writer()
    for pair, phrases in TEXTS.items():
        waves = [say(text, pair[0]) for text, _ in phrases]
        with torch.inference_mode():
            states, counts, prompts = encoded(writer, waves)
            ours = decoder(writer).decode(states, counts, prompts, limits(prompts))
            expected = theirs(writer, states, counts, prompts)
        assert [text for texts in ours for text in texts] == expected
        assert any(text.complete and text.tokens for text in expected)


def test_neighbours_in_a_batch_change_nothing(tmp_path: Path) -> None:
    writer = random_writer(tmp_path, 0)
    random = np.random.default_rng(0)
    waves = [noise(random, s) for s in (0.7, 4.0, 2.1, 1.0, 3.3)]
    with torch.inference_mode():
        states, counts, prompts = encoded(writer, waves)
        together = decoder(writer).decode(states, counts, prompts, limits(prompts))
        for i, count in enumerate(counts.tolist()):
            alone = decoder(writer).decode(
                states[i : i + 1, :count],
                counts[i : i + 1],
                prompts[i : i + 1],
                limits(prompts[:1]),
            )
            assert alone == together[i : i + 1]


def test_each_text_ends_at_its_own_limit(tmp_path: Path) -> None:
    writer = random_writer(tmp_path, 1)
    random = np.random.default_rng(1)
    with torch.inference_mode():
        states, counts, prompts = encoded(writer, [noise(random, 2.0) for _ in range(3)])
        free = decoder(writer).decode(states, counts, prompts, limits(prompts))
        most = torch.tensor([[TOKENS, 0], [3, TOKENS], [1, 5]])
        bound = decoder(writer).decode(states, counts, prompts, most)
    for unbounded, texts, wanted in zip(free, bound, most.tolist(), strict=True):
        for whole, text, limit in zip(unbounded, texts, wanted, strict=True):
            cut = [*whole.tokens, *[writer.model.tokenizer.eos_id] * whole.complete][:limit]
            assert text.complete == (writer.model.tokenizer.eos_id in cut)
            assert len(text.tokens) <= limit
            assert whole.tokens[: len(text.tokens)] == text.tokens


def test_buffers_keep_nothing_of_what_was_decoded_before(tmp_path: Path) -> None:
    writer = random_writer(tmp_path, 2)
    random = np.random.default_rng(2)
    with torch.inference_mode():
        first = encoded(writer, [noise(random, 1.9), noise(random, 1.0)])
        other = encoded(writer, [noise(random, 2.0), noise(random, 2.0)])
        before = decoder(writer).decode(*first, limits(first[2]))
        decoder(writer).decode(other[0] * float("nan"), *other[1:], limits(other[2]))
        assert decoder(writer).decode(*first, limits(first[2])) == before
        decoder(writer).forget()
        assert decoder(writer).decode(*first, limits(first[2])) == before


def test_a_decoder_of_another_kind_is_refused(tmp_path: Path) -> None:
    model = random_writer(tmp_path, 0).model
    model.transf_decoder.decoder.layers[0].pre_ln = False
    with pytest.raises(ValueError, match="pre-layer-norm"):
        GreedyDecoder(model.transf_decoder, model.log_softmax, end=3, pad=2)
