"""Pauses in the middle of sentences: how many of them end the segment, by the rules alone.

    python -m bench.pauses [--sentences 200] [--seed 1]

Each sentence has one pause of 300 to 500 ms at a random place, and 1 s follows it. An oracle
answers after 150 ms: with marks at the end of sentences, and without any, with times of its words
and without. In virtual time; the audio is not speech, so the detector makes no mistakes of its own.
"""

import argparse
import asyncio
import random
from dataclasses import replace
from statistics import median

from rtc_server.engines.base import AstCapabilities
from rtc_server.events.server import VadEvent
from rtc_server.interpreter.modes import Mode
from tests.support.interpreting import interpreting
from tests.support.talk import AGREEING, ALIGNED, OracleAst, Word, audio, sentences, unmarked
from tests.support.virtual_time import VirtualTimeLoop

WORDS, PAUSE_MS, BETWEEN_MS = 8, (300, 500), 1000
ENGINES = (
    ("with marks", replace(ALIGNED, punctuates=True)),
    ("without", ALIGNED),
    ("without, by agreement", AGREEING),
)


def talk_with_pauses(count: int, seed: int) -> list[Word]:
    """Sentences with one pause inside each."""
    rng, talk, shift_ms = random.Random(seed), [], 0
    for number, word in enumerate(sentences(count, WORDS, pause_ms=BETWEEN_MS)):
        if number % WORDS == 0:
            pause_at = number + rng.randrange(1, WORDS)
        if number == pause_at:
            shift_ms += round(rng.uniform(*PAUSE_MS))
        start_ms, end_ms = word.start_ms + shift_ms, word.end_ms + shift_ms
        talk.append(replace(word, start_ms=start_ms, end_ms=end_ms))
    return talk


async def row(name: str, engine: AstCapabilities, mode: Mode, talk: list[Word]) -> str:
    """Return one line of the table."""
    ends_ms = [word.end_ms for word in talk if word.source.endswith(".")]
    if not engine.punctuates:
        talk = unmarked(talk)
    ast = OracleAst(talk, engine, delay_s=0.15)
    async with interpreting(talk, mode, ast) as b:
        await b.hear(audio(talk, tail_ms=5000))
        known_ms = [
            event.audio_ms
            for event in b.events
            if isinstance(event, VadEvent) and event.state == "silence"
        ]
    late_ms = [min(ms for ms in known_ms if ms >= end_ms) - end_ms for end_ms in ends_ms]
    ended = len(known_ms) - len(ends_ms)
    return (
        f"| {name} | `{mode.value}` | {ended} of {len(ends_ms)} | {ended / len(ends_ms):.0%} | "
        f"{median(late_ms):.0f} ms |"
    )


async def main(count: int, seed: int) -> None:
    """Print the table."""
    talk = talk_with_pauses(count, seed)
    print("| engine | mode | pauses that ended a sentence | | a sentence's end is known after |")
    print("|---|---|---|---|---|")
    for name, engine in ENGINES:
        for mode in (Mode.CONSECUTIVE, Mode.BALANCED):
            print(await row(name, engine, mode, talk), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sentences", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(main(options.sentences, options.seed))
