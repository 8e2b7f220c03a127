"""Answers that continue a committed text."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from rtc_server.engines.base import AstRequest, AstResult, AstStatus, Texts
from rtc_server.engines.canary.canary_text import clean
from rtc_server.engines.canary.greedy import Decoded, GreedyDecoder
from rtc_server.engines.canary.nemo_writer import NemoWriter
from rtc_server.engines.canary.pieces import Pieces
from rtc_server.engines.canary.translator import CanaryAst, Wanted
from tests.support.nemo.fixture import TEXTS, fixture_writer, noise, random_writer, said, timeless
from tests.support.nemo.tape import TapeRecorder

TOKENS = 30
PAIRS = (("en", "en"), ("en", "ru"), ("ru", "ru"), ("ru", "en"))
WORDS = (
    "Where",
    "is",
    "the",
    "train",
    "station",
    "Анна",
    "Который",
    "час",
    "сейчас",
    ".",
    "?",
    "20",
)


@pytest.fixture(scope="module")
def writer(tmp_path_factory: pytest.TempPathFactory) -> NemoWriter:
    return random_writer(tmp_path_factory.mktemp("random"), 3)


def free_decoder(writer: NemoWriter) -> GreedyDecoder:
    """Decoder for which every token may follow a prefix."""
    model = writer.model
    end, pad = model.tokenizer.eos_id, model.tokenizer.pad_id
    return GreedyDecoder(model.transf_decoder, model.log_softmax, end=end, pad=pad)


@pytest.mark.parametrize("captured", [False, True])
def test_an_answer_goes_on_as_it_would_have(
    writer: NemoWriter, captured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Texts with and without prefix, and of different lengths, in one batch."""
    recorder = TapeRecorder()
    if captured:
        monkeypatch.setattr(GreedyDecoder, "_new_recorder", lambda _self: recorder)
    decoder, random = free_decoder(writer), np.random.default_rng(1)
    continued = 0
    with torch.inference_mode():
        for _ in range(12):
            count = int(random.integers(1, 5))
            waves = [noise(random, s) for s in random.uniform(0.5, 3, size=count)]
            states, counts = writer.encode(waves)
            rows = [[Wanted(*PAIRS[random.integers(4)]) for _ in range(2)] for _ in waves]
            prompts, limits = writer.asked(rows, [TOKENS] * count)
            whole = decoder.decode(states, counts, prompts, limits)
            prefixes = [
                [text.tokens[: random.integers(len(text.tokens) + 1)] for text in texts]
                for texts in whole
            ]
            assert decoder.decode(states, counts, prompts, limits, prefixes) == whole
            continued += sum(bool(prefix) for prefixes_ in prefixes for prefix in prefixes_)
    assert continued > 20
    assert bool(recorder.tapes) == captured


def test_neighbours_with_prefixes_change_nothing(writer: NemoWriter) -> None:
    random, vocabulary = np.random.default_rng(2), len(writer.model.tokenizer.vocab)
    with torch.inference_mode():
        states, counts = writer.encode([noise(random, s) for s in (0.8, 2.5, 1.7)])
        prompts, limits = writer.asked([[Wanted(*pair) for pair in PAIRS[:2]]] * 3, [TOKENS] * 3)
        prefixes = [
            [tuple(random.integers(40, vocabulary, size=size).tolist()) for size in sizes]
            for sizes in ((0, 7), (TOKENS - 2, 0), (1, 3))
        ]
        together = writer.decoder.decode(states, counts, prompts, limits, prefixes)
        for i, count in enumerate(counts.tolist()):
            alone = writer.decoder.decode(
                states[i : i + 1, :count],
                counts[i : i + 1],
                prompts[i : i + 1],
                limits[i : i + 1],
                prefixes[i : i + 1],
            )
            assert alone == together[i : i + 1]
            for text, prefix in zip(alone[0], prefixes[i], strict=True):
                assert text.tokens[: len(prefix)] == prefix
                assert len(text.tokens) <= TOKENS


def test_a_prefix_that_fills_the_limit_is_the_whole_text(writer: NemoWriter) -> None:
    with torch.inference_mode():
        states, counts = writer.encode([noise(np.random.default_rng(3), 1.0)])
        prompts, _ = writer.asked([[Wanted("en", "en")]], [5])
        for limit in (4, 5):
            ((text,),) = writer.decoder.decode(
                states, counts, prompts, torch.tensor([[limit]]), [[(50, 51, 52, 53, 54)]]
            )
            assert text == Decoded((50, 51, 52, 53, 54), complete=False)


COMMITTED = st.one_of(
    st.lists(st.sampled_from(WORDS), max_size=8).map(" ".join),
    st.text(alphabet="aeой ΩA.,!<|>2▁\n", max_size=12),
    st.sampled_from(["<|endoftext|>", "<pad>", "<unk>", "<|en|> the", "the  train", " the", "…"]),
)


@given(committed=COMMITTED)
@example(committed="Where is the train station?")
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_is_committed_the_answer_begins_with_it(
    writer: NemoWriter, committed: str
) -> None:
    """If tokens cannot express it to the letter, the answer begins from nothing."""
    wave, limits = noise(np.random.default_rng(4), 2.0), [TOKENS]
    pieces = Pieces(writer.model.tokenizer)
    ((text,),) = writer.write([wave], [[Wanted("en", "ru", committed)]], limits)
    if pieces.prefix(committed) and len(pieces.prefix(committed)) + 2 <= TOKENS:
        answer = clean(text.text)
        assert answer.startswith(committed)
        assert answer[len(committed) : len(committed) + 1] in ("", " ", *".,;:!?…%»”)")
    else:
        ((anew,),) = writer.write([wave], [[Wanted("en", "ru")]], limits)
        assert text == anew


def test_what_the_phrases_are_made_of_can_be_committed(writer: NemoWriter) -> None:
    """Each beginning of a phrase in complete words has tokens that decode to it."""
    pieces = Pieces(writer.model.tokenizer)
    for phrases in TEXTS.values():
        for phrase, _ in phrases:
            words = phrase.split()
            for count in range(1, len(words) + 1):
                beginning = " ".join(words[:count])
                assert pieces.text(pieces.prefix(beginning)) == beginning


def committed(request: AstRequest, source: str, target: str) -> AstRequest:
    return replace(request, wants_target=True, committed=Texts(source, target))


def test_the_trained_model_continues_each_phrase_in_a_mixed_batch() -> None:
    ours = CanaryAst(fixture_writer(), "canary", "a licence")
    assert ours.capabilities.prefix
    asked = [(pair, i) for i in range(8) for pair in TEXTS]
    batch, expected = [], []
    for number, (pair, i) in enumerate(asked):
        source, target = TEXTS[pair][i]
        said_words, meant = source.split(), target.split()
        half = number % 3
        batch.append(
            committed(
                said(source, pair, partial=number % 2 == 0),
                " ".join(said_words[: half * len(said_words) // 2]),
                " ".join(meant[: half * len(meant) // 2]),
            )
        )
        expected.append((source, target))
    results = ours.translate(batch)
    assert [(result.source_text, result.target_text) for result in results] == expected


def test_a_wrong_beginning_stays() -> None:
    """Committed text is never taken back, whatever the engine would say now."""
    ours = CanaryAst(fixture_writer(), "canary", "a licence")
    request = committed(said("Where is the train station?", ("en", "ru")), "Where was the", "Где")
    (result,) = ours.translate([request])
    assert result.status is AstStatus.OK
    assert result.source_text.startswith("Where was the ")
    assert result.target_text == "Где находится вокзал?"


def test_more_than_the_audio_can_hold_is_not_continued() -> None:
    ours = CanaryAst(fixture_writer(), "canary", "a licence")
    request = committed(said("Good morning.", ("en", "ru")), "Good morning. " * 40, "Доброе")
    (result,) = timeless(ours.translate([request]))
    assert result == AstResult(AstStatus.OK, "Good morning.", "Доброе утро.")
