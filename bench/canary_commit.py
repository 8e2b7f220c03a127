"""Words that Canary's fixture commits while a phrase is still being said, by each policy.

    python -m bench.canary_commit                       # phrases of the voices that chose the heads
    python -m bench.canary_commit --voices m7 f4        # voices that the model never heard
    python -m bench.canary_commit --choose              # tries each head of the model by itself
    python -m bench.canary_commit --engine canary-onnx --model FOLDER   # as `to_onnx` writes it

Audio grows by `STEP_MS` a pass, as in the interpreter; the engine itself and the interpreter's own
rules (`SimultaneousText`) answer, without a server, so that the figures are the same on every
machine. "First word" is the audio that had not been heard yet when the first word of the
translation was committed: what the time of computing does not change. A step is a pass over what
has been said so far; the last one, over the whole phrase, counts, and what it is held against does
not. Its cost is processor time on one thread. Needs the extra ``canary``, or ``canary-onnx``.
"""

import argparse
import logging
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import numpy as np

from bench.harness import percentile
from models.fixture.phrases import PHRASES
from models.fixture.voices import espeak
from rtc_server.engines.base import (
    Ast,
    AstRequest,
    AstResult,
    AstStatus,
    EngineOptions,
    Pair,
    Texts,
)
from rtc_server.engines.canary.alignment import DEFAULT_HEADS
from rtc_server.engines.canary.engine import create_onnx
from rtc_server.engines.canary.translator import CanaryAst
from rtc_server.interpreter.modes import PRESETS, Mode, Preset
from rtc_server.interpreter.simultaneous import SimultaneousText
from rtc_server.pcm import SPEECH_RATE, Samples

MODEL = Path(__file__).parents[1] / "models" / "fixture" / "phrasebook.nemo"
STEP_MS = 400
LEAST_MS = 600
"""Audio of the first pass."""
BEFORE_MS, BEHIND_MS = 250, 300
"""Silence before a phrase, and after it until the segment ends."""
LONG_S = 2.5
"""Speech of a phrase, the silence around it aside, from which on an early word counts."""
ACCENTS = {"en": "en-us", "ru": "ru"}
TEXTS: dict[Pair, tuple[tuple[str, str], ...]] = {
    ("en", "ru"): PHRASES,
    ("ru", "en"): tuple((ru, en) for en, ru in PHRASES),
}


class Phrase(NamedTuple):
    """A phrase that is said."""

    pair: Pair
    source: str
    target: str
    samples: Samples
    speech_s: float
    """Length without the silence around it."""


class CommitOutcome(NamedTuple):
    """A phrase, interpreted."""

    is_equal: bool
    """True if both texts are those of the phrase translated when it is over."""
    is_right: bool
    """True if the model then writes both texts to the letter."""
    early_s: float
    """Audio that followed the commitment of the first word of the translation."""
    speech_s: float
    """Length of the phrase."""
    audio_s: float
    """Length with the silence around it."""
    steps_s: tuple[float, ...]
    """Processor time of each pass."""


def phrases(voices: Sequence[str], speeds: Sequence[int]) -> Iterator[Phrase]:
    """Yield every phrase in both languages, by each voice at each speed in words a minute."""
    silence = BEFORE_MS * SPEECH_RATE // 1000, BEHIND_MS * SPEECH_RATE // 1000
    for pair, texts in TEXTS.items():
        for source, target in texts:
            for voice in voices:
                for speed in speeds:
                    spoken = espeak().speak(source, f"{ACCENTS[pair[0]]}+{voice}", speed, 50)
                    samples = np.pad(spoken, silence)
                    yield Phrase(pair, source, target, samples, len(spoken) / SPEECH_RATE)


def interpret(engine: Ast, preset: Preset, phrase: Phrase, *, has_times: bool) -> CommitOutcome:
    """Interpret a phrase while it is said, and hold the texts against those of the whole."""
    whole = engine.translate([AstRequest(phrase.samples, *phrase.pair)])[0]
    told = engine.capabilities
    if not has_times:
        told = replace(told, word_times=False, alignment=False)
    text = SimultaneousText(preset, told, phrase.pair[1], Texts())
    steps_s: list[float] = []

    def step(request: AstRequest) -> AstResult:
        began_s = time.process_time()
        (result,) = engine.translate([request])
        steps_s.append(time.process_time() - began_s)
        return result

    total_ms = len(phrase.samples) * 1000 // SPEECH_RATE
    first_ms = total_ms
    for heard_ms in range(LEAST_MS, total_ms, STEP_MS):
        heard = phrase.samples[: heard_ms * SPEECH_RATE // 1000]
        request = AstRequest(
            heard, *phrase.pair, partial=True, wants_target=True, committed=text.committed
        )
        result = step(request)
        if result.status is AstStatus.OK:
            text.feed(heard_ms, result)
        if text.committed.target:
            first_ms = min(first_ms, heard_ms)
    request = AstRequest(phrase.samples, *phrase.pair, committed=text.committed)
    result = step(request)
    if result.status is AstStatus.OK:
        text.finish(total_ms, result)
    wanted = Texts(whole.source_text, whole.target_text)
    return CommitOutcome(
        text.committed == wanted,
        wanted == Texts(phrase.source, phrase.target),
        (total_ms - first_ms) / 1000,
        phrase.speech_s,
        total_ms / 1000,
        tuple(steps_s),
    )


def row(name: str, outcomes: Sequence[CommitOutcome]) -> str:
    """Return one line of the table."""
    equal = sum(each.is_equal for each in outcomes)
    right = sum(each.is_right for each in outcomes)
    long = [each.early_s for each in outcomes if each.speech_s > LONG_S]
    every = [each.early_s for each in outcomes]
    late = f"{percentile(long, 50):.2f} s, {sum(s >= 0.7 for s in long)} of {len(long)}"
    steps_s = [step_s for each in outcomes for step_s in each.steps_s]
    audio_s = sum(each.audio_s for each in outcomes)
    return (
        f"| {name} | {equal} of {len(outcomes)} ({100 * equal / len(outcomes):.0f} %) | {right} | "
        f"{percentile(every, 50):.2f} s | {late if long else '–'} | "
        f"{1000 * percentile(steps_s, 50):.0f} ms, {1000 * percentile(steps_s, 95):.0f} | "
        f"{len(steps_s) / audio_s:.1f} | {1000 * sum(steps_s) / audio_s:.0f} ms |"
    )


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    """Add options for the phrases that are said, and for the engine."""
    parser.add_argument("--voices", nargs="+", default=["m3", "f2"], help="espeak-ng's variants")
    parser.add_argument("--speeds", nargs="+", type=int, default=[160, 100], help="words a minute")
    parser.add_argument("--engine", choices=("canary", "canary-onnx"), default="canary")
    parser.add_argument("--model", default=str(MODEL), help="as --canary-model")


def chosen_engine(options: argparse.Namespace, heads: str = DEFAULT_HEADS) -> Ast:
    """Return the engine that these options name; `heads` only matter to Canary through NeMo."""
    if options.engine == "canary-onnx":
        return create_onnx(EngineOptions(canary_model=options.model, threads=1))
    return _aligning(options.model, heads)


def _aligning(model: str, heads: str) -> Ast:
    """Return Canary through NeMo, which times its words by these heads."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of NeMo's libraries among each other
        from rtc_server.engines.canary.nemo_writer import NemoWriter  # noqa: PLC0415
    torch = import_module("torch")
    torch.set_num_threads(1)
    return CanaryAst(NemoWriter.load(model, "cpu", Path(), heads), "canary", "")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_engine_options(parser)
    parser.add_argument("--heads", nargs="+", default=[DEFAULT_HEADS], help="as --canary-heads")
    parser.add_argument("--choose", action="store_true", help="each head of the model by itself")
    parser.add_argument("--modes", nargs="+", type=Mode, default=list(PRESETS), help="of a session")
    options = parser.parse_args()
    if options.engine == "canary-onnx" and options.choose:
        parser.error("--choose: canary-onnx does not tell its heads; leave one of both out")
    logging.disable(logging.WARNING)
    heads = options.heads
    if options.choose:
        heads = ["-1", "-2", *(f"{layer}:{head}" for layer in (-2, -1) for head in range(4))]
    said = list(phrases(options.voices, options.speeds))
    print(
        "| policy | equal to `consecutive` | whole phrases right | first word earlier, p50 | "
        f"of phrases over {LONG_S} s, p50, and 0.7 s earlier | a step, p50, p95 | "
        "steps for 1 s of audio | processor time for it |\n" + "|---" * 8 + "|"
    )
    if options.engine == "canary-onnx":
        engine = chosen_engine(options)
    else:
        for each in heads:
            engine = chosen_engine(options, each)
            for mode in options.modes:
                outcomes = [interpret(engine, PRESETS[mode], one, has_times=True) for one in said]
                print(row(f"attention, `{mode}`, heads `{each}`", outcomes), flush=True)
    for mode in options.modes:
        outcomes = [interpret(engine, PRESETS[mode], one, has_times=False) for one in said]
        print(row(f"agreement, `{mode}`", outcomes), flush=True)


if __name__ == "__main__":
    main()
