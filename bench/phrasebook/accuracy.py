"""Accuracy of the phrasebook engine by speaker, and its speed.

    python -m bench.phrasebook [--set held-out|tuning] [--count 40]

Prints phrases right by voice and by condition, false accepts by kind of sound, and times. The
voices of ``held-out`` were never used to tune anything; quote those. Every segment has 0.3 s of
room before and after the speech, as the listener cuts it.
"""

import argparse
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from bench.phrasebook import other, sets, voices
from rtc_phrasebook import book as books
from rtc_phrasebook.engine import create
from rtc_server.engines.base import Ast, AstRequest, AstResult, AstStatus, EngineOptions
from rtc_server.pcm import SPEECH_RATE, Samples

ROOM = np.zeros(int(0.3 * SPEECH_RATE), np.float32)
SNR_DB = 15.0
OTHER = {"en": "ru", "ru": "en"}
CONDITIONS: tuple[tuple[str, Callable[[Samples, int], Samples]], ...] = (
    ("as spoken", lambda samples, _: samples),
    ("pitch", lambda samples, turn: voices.with_sox(samples, "pitch", str((-150, 150)[turn % 2]))),
    ("speed", lambda samples, turn: voices.with_sox(samples, "tempo", str((0.85, 1.2)[turn % 2]))),
    ("15 dB noise", lambda samples, turn: voices.with_noise(samples, SNR_DB, turn)),
)


@dataclass(frozen=True, slots=True)
class Trial:
    """One segment and its result."""

    language: str
    """Language that the engine is to expect."""
    voice: str
    """Speaker, or the kind of sound."""
    condition: str
    """Damage to the speech on the way."""
    said: str
    """The words, for the list of mistakes."""
    wanted: str
    """The right translation; empty if nothing may be translated."""
    result: AstResult
    """Answer of the engine."""
    audio_s: float
    """Length of the segment."""
    wall_s: float
    """Time the engine took, by the clock."""
    cpu_s: float
    """Processor time it took: the same on an idle machine."""

    @property
    def right(self) -> bool:
        """True if the translation is the right one, or rightly absent."""
        if not self.wanted:
            return self.result.status is AstStatus.NOT_UNDERSTOOD
        return self.result.target_text == self.wanted


def phrase_trials(engine: Ast, cast: dict[str, tuple[voices.Voice, ...]], count: int,
                  seed: int) -> Iterator[Trial]:  # fmt: skip
    """Phrases of the book by every voice, the conditions in turn."""
    book = books.load()
    for language, speakers in cast.items():
        for number, voice in enumerate(speakers):
            said = sets.sayings(book, language, seed + 31 * number, count)
            spoken = voices.speak([saying.spoken for saying in said], voice)
            for turn, (saying, samples) in enumerate(zip(said, spoken, strict=True)):
                name, change = CONDITIONS[turn % len(CONDITIONS)]
                heard = change(np.concatenate([ROOM, samples, ROOM]), turn // len(CONDITIONS))
                yield trial(
                    engine,
                    language,
                    voice.name,
                    name,
                    said=saying.spoken,
                    wanted=saying.target_text,
                    heard=heard,
                )


def other_trials(engine: Ast, cast: dict[str, tuple[voices.Voice, ...]],
                 texts: dict[str, str], sounds: int, seed: int) -> Iterator[Trial]:  # fmt: skip
    """Sentences that are not in the book, other languages, and sounds that are not speech."""
    for language, speakers in cast.items():
        lines = other.sentences(texts[language])
        for number, voice in enumerate(speakers):
            chosen = lines[number % 2 :: 2]
            for text, samples in zip(chosen, voices.speak(chosen, voice), strict=True):
                heard = np.concatenate([ROOM, samples, ROOM])
                yield trial(
                    engine,
                    language,
                    "other sentences",
                    "as spoken",
                    said=text,
                    wanted="",
                    heard=heard,
                )
    for voice_name, spoken in other.ELSEWHERE.items():
        for text in spoken.split("|")[other.ELSEWHERE_TUNING :]:
            heard = np.concatenate([ROOM, voices.ESPEAK.speak(text, voice_name), ROOM])
            for language in cast:
                yield trial(
                    engine,
                    language,
                    "other languages",
                    "as spoken",
                    said=text,
                    wanted="",
                    heard=heard,
                )
    for kind, made in sets.sounds(seed, sounds).items():
        for heard in made:
            for language in cast:
                yield trial(engine, language, kind, "as made", said=kind, wanted="", heard=heard)


def trial(
    engine: Ast,
    language: str,
    voice: str,
    condition: str,
    *,
    said: str,
    wanted: str,
    heard: Samples,
) -> Trial:  # fmt: skip
    """Ask the engine once."""
    before, cpu_before = time.perf_counter(), time.process_time()
    (result,) = engine.translate([AstRequest(heard, language, OTHER[language])])
    took, cpu = time.perf_counter() - before, time.process_time() - cpu_before
    return Trial(
        language, voice, condition, said, wanted, result, len(heard) / SPEECH_RATE, took, cpu
    )


def share(trials: list[Trial], *, of: Callable[[Trial], bool]) -> str:
    """``17/20 (85 %)``."""
    counted = sum(map(of, trials))
    return f"{counted}/{len(trials)} ({100 * counted / len(trials):.1f} %)"


def print_table(phrases: list[Trial], others: list[Trial]) -> None:
    """Everything there is to say about the trials."""

    def is_ok(one: Trial) -> bool:
        return one.result.status is AstStatus.OK

    for language in OTHER:
        mine = [one for one in phrases if one.language == language]
        print(f"\n{language}: phrases right {share(mine, of=lambda one: one.right)}, "
              f"wrong {share(mine, of=lambda one: is_ok(one) and not one.right)}, "
              f"not understood {share(mine, of=lambda one: not is_ok(one))}")  # fmt: skip
        for heading in ("voice", "condition"):
            groups = defaultdict(list)
            for one in mine:
                groups[getattr(one, heading)].append(one)
            for name, members in groups.items():
                print(f"  {heading:<10} {name:<18} {share(members, of=lambda one: one.right)}")
        strangers = [one for one in others if one.language == language]
        print(f"{language}: false accepts {share(strangers, of=is_ok)}")
        groups = defaultdict(list)
        for one in strangers:
            groups[one.voice].append(one)
        for name, members in groups.items():
            print(f"  {name:<29} {share(members, of=is_ok)}")
    near = [one for one in phrases if 2.5 <= one.audio_s <= 3.5]
    for name, times in (
        ("processor", [1000 * one.cpu_s for one in near]),
        ("clock", [1000 * one.wall_s for one in near]),
    ):
        if len(times) > 1:
            print(f"segments of 2.5 to 3.5 s, {len(times)} of them, {name} time: "
                  f"median {statistics.median(times):.0f} ms, "
                  f"p95 {statistics.quantiles(times, n=20)[-1]:.0f} ms")  # fmt: skip


def main() -> int:
    """Print the table; exit code 2 when a voice is missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--set", choices=("held-out", "tuning"), default="held-out")
    parser.add_argument("--count", type=int, default=40, help="phrases a voice (default: 40)")
    parser.add_argument("--mistakes", action="store_true", help="list what went wrong")
    arguments = parser.parse_args()
    missing = voices.missing_packages()
    if missing:
        print(f"Voices are missing: apt-get install {' '.join(missing)}", file=sys.stderr)
        return 2
    held_out = arguments.set == "held-out"
    cast = voices.HELD_OUT if held_out else voices.TUNING
    texts = other.HELD_OUT if held_out else other.TUNING
    seed = 4242 if held_out else 1
    before = time.perf_counter()
    engine = create(EngineOptions())
    engine.warm_up()
    print(f"{time.strftime('%Y-%m-%d')}, {arguments.set} voices; "
          f"engine loaded and warm in {time.perf_counter() - before:.2f} s")  # fmt: skip
    phrases = list(phrase_trials(engine, cast, arguments.count, seed))
    others = list(other_trials(engine, cast, texts, sounds=15, seed=seed))
    print_table(phrases, others)
    if arguments.mistakes:
        for one in phrases + others:
            if not one.right:
                print(f"{one.language} {one.voice}, {one.condition}: “{one.said}” → "
                      f"“{one.result.source_text}”")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
