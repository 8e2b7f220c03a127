"""The committed model, speech for it, and untrained models of the same kind."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.fixture.architecture import TINY, build
from models.fixture.phrases import PHRASES
from models.fixture.voices import espeak
from rtc_server.engines.base import AstRequest, AstResult, EngineOptions, Pair
from rtc_server.engines.canary.nemo_writer import NemoWriter
from rtc_server.pcm import Samples

MODEL = Path(__file__).parents[3] / "models" / "fixture" / "phrasebook.nemo"
OPTIONS = EngineOptions(canary_model=str(MODEL), device="cpu")

TEXTS = {("en", "ru"): PHRASES, ("ru", "en"): tuple((ru, en) for en, ru in PHRASES)}
"""(said, meant) for each pair."""

torch.set_num_threads(1)


@cache
def say(text: str, language: str) -> Samples:
    """Say `text` by a voice that the model was not trained on, with pauses as the segmenter leaves
    them.
    """
    voice = {"en": "en-us+m7", "ru": "ru+m7"}[language]
    return np.pad(espeak().speak(text, voice, 160, 50), (4000, 4800))


def said(text: str, pair: Pair, partial: bool = False) -> AstRequest:
    """A request for `text` spoken in the first language of `pair`."""
    return AstRequest(say(text, pair[0]), *pair, partial)


def timeless(results: Sequence[AstResult]) -> list[AstResult]:
    """Return the results without the times of their words."""
    return [replace(result, words=(), target_words=()) for result in results]


@cache
def fixture_writer() -> NemoWriter:
    """The committed model, restored once for all tests that do not change it."""
    return NemoWriter.load(str(MODEL), "cpu", Path())


def random_writer(folder: Path, seed: int) -> NemoWriter:
    """An untrained model whose texts differ and end sooner or later."""
    model: Any = build(folder, TINY, seed)
    model.freeze()
    model.preprocessor.featurizer.dither = 0.0
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        head = model.log_softmax.mlp.layer0
        # Untied from the embedding, or each token would be followed by itself.
        head.weight = torch.nn.Parameter(torch.randn(head.weight.shape, generator=random))
        head.bias[model.tokenizer.eos_id] += 19
        # No trained model utters <pad>. NeMo would add -10,000 to all scores that it looks at:
        # no change but for rounding, which is no order of operations to agree on.
        head.bias[model.tokenizer.pad_id] -= 1000
        for block in model.transf_decoder.decoder.layers:
            for attention in (block.first_sub_layer, block.second_sub_layer):
                for part in attention.children():
                    if isinstance(part, torch.nn.Linear):
                        part.weight *= 8  # otherwise audio and earlier tokens hardly count
    return NemoWriter(model, "cpu", "random")


def noise(random: np.random.Generator, seconds: float) -> Samples:
    """Audio to encode."""
    return (0.1 * random.standard_normal(int(seconds * 16_000))).astype(np.float32)
