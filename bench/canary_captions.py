"""Captions of Canary's fixture while a phrase is still being said: what of them is taken back.

    python -m bench.canary_captions --engine canary-onnx --model FOLDER --voices m7 f4

The phrases, the engine and the passes are those of `bench.canary_commit`, the captions those that
the interpreter makes of them, without a server and without computing time.

changed      characters of captions that changed although they were stable
taken back   words of shown texts that were taken back, for each final word: the erasure of captions
appears      audio that had not been heard yet when a word of the final text was first in its place,
             on average over its words: the more, the earlier
stable       the same, of its place in the stable text; and the words that were there before the end
"""

import argparse
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import fmean
from typing import NamedTuple

from bench.canary_commit import (
    BEFORE_MS,
    LEAST_MS,
    Phrase,
    add_engine_options,
    chosen_engine,
    phrases,
)
from rtc_server.config import InterpreterSettings
from rtc_server.engines.base import Ast, AstRequest, AstStatus, Texts
from rtc_server.events.segment_events import SegmentEvent
from rtc_server.interpreter.captions import Direction, SegmentCaptions
from rtc_server.interpreter.modes import PRESETS, Mode
from rtc_server.interpreter.simultaneous import SimultaneousText
from rtc_server.interpreter.words import bare
from rtc_server.pcm import SPEECH_RATE

SIDES = ("source", "target")


class Revision(NamedTuple):
    """Captions of a phrase after one pass."""

    heard_ms: int
    texts: Texts
    stable: Texts


def revisions(engine: Ast, mode: Mode, phrase: Phrase) -> Iterator[Revision]:
    """Yield the captions of a phrase from pass to pass; the last ones stay."""
    captions = SegmentCaptions("seg_1", Direction(*phrase.pair), 0)
    told = replace(engine.capabilities, word_times=False, alignment=False)
    text = (
        SimultaneousText(PRESETS[mode], told, phrase.pair[1], Texts()) if mode in PRESETS else None
    )
    step_ms = PRESETS[mode].least_interval_ms if text else InterpreterSettings().partial_interval_ms
    total_ms = len(phrase.samples) * 1000 // SPEECH_RATE
    for heard_ms in range(LEAST_MS, total_ms, step_ms):
        heard = phrase.samples[: heard_ms * SPEECH_RATE // 1000]
        committed = text.committed if text else Texts()
        request = AstRequest(
            heard, *phrase.pair, partial=True, wants_target=bool(text), committed=committed
        )
        (result,) = engine.translate([request])
        event = None
        if text is None:
            if result.source_text:
                event = captions.partial(result.source_text, heard_ms, result.open_chars)
        elif result.status is AstStatus.OK:
            text.feed(heard_ms, result)
            event = captions.hypothesis(text.shown, text.fixed, heard_ms)
        if event is not None:
            yield revision(event, heard_ms)
    committed = text.committed if text else Texts()
    (result,) = engine.translate([AstRequest(phrase.samples, *phrase.pair, committed=committed)])
    if text and result.status is AstStatus.OK:
        text.finish(total_ms, result)
        result = replace(result, target_text=text.committed.target)
    yield revision(captions.final(result, total_ms), total_ms)


def revision(event: SegmentEvent, heard_ms: int) -> Revision:
    """Return what a client shows by an event."""
    source, target = event.source, event.target
    return Revision(
        heard_ms,
        Texts(source.text, target.text),
        Texts(source.text[: source.stable_chars], target.text[: target.stable_chars]),
    )


class Side:
    """Captions in one language, over all phrases."""

    def __init__(self) -> None:
        self.changed_chars = self.taken_back = self.words = 0
        self.appears_ms: list[int] = []
        self.stable_ms: list[int] = []

    def add(self, shown: Sequence[tuple[int, str, str]]) -> None:
        """Take a phrase: audio heard, text and stable text of each revision."""
        for (_, text, stable), (_, later, _) in pairwise(shown):
            self.changed_chars += 0 if later.startswith(stable) else len(stable)
            words = text.split()
            self.taken_back += len(words) - alike(words, later.split())
        final, end_ms = shown[-1][1].split(), shown[-1][0]
        self.words += len(final)
        for count in range(1, len(final) + 1):
            at_ms = next(ms for ms, text, _ in shown if in_place(text.split(), final, count))
            self.appears_ms.append(end_ms - at_ms)
            at_ms = next(ms for ms, _, stable in shown if in_place(stable.split(), final, count))
            self.stable_ms.append(end_ms - at_ms)

    def cells(self) -> str:
        """Return the cells of its columns."""
        return (
            f"{self.changed_chars} | {self.taken_back / max(self.words, 1):.2f} | "
            f"{fmean(self.appears_ms or [0]) / 1000:.2f} s | "
            f"{fmean(self.stable_ms or [0]) / 1000:.2f} s, "
            f"{sum(ms > 0 for ms in self.stable_ms)} of {self.words}"
        )


def alike(one: Sequence[str], other: Sequence[str]) -> int:
    """Return how many words at the beginning of both are the same."""
    pairs = zip(one, other, strict=False)
    differs = next((n for n, (a, b) in enumerate(pairs) if a != b), None)
    return min(len(one), len(other)) if differs is None else differs


def in_place(words: Sequence[str], final: Sequence[str], count: int) -> bool:
    """Return whether the first `count` words are those of the final text, marks aside."""
    return [bare(word) for word in words[:count]] == [bare(word) for word in final[:count]]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    add_engine_options(parser)
    parser.add_argument("--modes", nargs="+", type=Mode, default=list(Mode), help="of a session")
    parser.add_argument("--log", action="store_true", help="each revision that takes words back")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    said = list(phrases(options.voices, options.speeds))
    engine = chosen_engine(options)
    print(
        f"{len(said)} phrases\n| mode | source: changed | taken back | appears | stable "
        "| translation: changed | taken back | appears | stable |\n" + "|---" * 9 + "|"
    )
    for mode in options.modes:
        sides = [Side(), Side()]
        for phrase in said:
            came = list(revisions(engine, mode, phrase))
            for side, name in zip(sides, SIDES, strict=True):
                side.add(
                    [(r.heard_ms, getattr(r.texts, name), getattr(r.stable, name)) for r in came]
                )
            if options.log and any(s.taken_back for s in sides):
                print_log(mode, phrase, came)
        print(f"| `{mode.value}` | {sides[0].cells()} | {sides[1].cells()} |", flush=True)


def print_log(mode: Mode, phrase: Phrase, came: Sequence[Revision]) -> None:
    """Print the revisions of a phrase."""
    print(f"\n{mode.value}: {phrase.source} ({phrase.speech_s:.1f} s after {BEFORE_MS} ms)")
    for each in came:
        print(f"  {each.heard_ms:5} {each.texts.source} | {each.texts.target}")


if __name__ == "__main__":
    main()
