"""Cost of the set ``laptop`` on this machine: start, memory, recognition, translation, sessions.

    python -m models.fixture.full_size FOLDER   # stand-ins of the real sizes, or the fetched models
    python -m bench.laptop FOLDER [--threads 1,2] [--sessions 1,2,4,8] [--seconds 60]

The engine alone runs in a process of its own; of each figure the least of three is shown, and the
processor time, which says more on a machine that is busy. Then sessions speak by WebRTC, half of
them each way, one joining after the other; a session that is refused is counted and stays away.
"delay" is from the last voiced sample of a sentence leaving the client to its final caption,
"behind" from a sample leaving the client to the partial caption that covers it, by the session's
audio clock: on a machine that is too slow for its clients that runs ahead of what they sent.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import psutil

from bench.harness import BenchServer, percentile, server, speaker
from rtc_server.engines.base import AstRequest, EngineOptions
from rtc_server.engines.cascade.engine import create
from rtc_server.engines.cascade.installed import TRANSLATION, installed, load_translation, pair_of
from rtc_server.engines.heap import return_memory
from rtc_server.pcm import FRAME_MS, PLAYOUT_FRAME_SAMPLES, PLAYOUT_RATE, SPEECH_RATE, Samples
from tests.support.rtc_client import RtcClient

TWELVE_WORDS = {
    "en": "we should meet before noon because my train leaves early and the",
    "ru": "нам лучше встретиться до полудня потому что мой поезд уходит рано а",
}
SENTENCES = {
    "en": "We should meet before noon, because my train leaves early.",
    "ru": "Нам лучше встретиться до полудня, потому что мой поезд уходит рано.",
}
SECONDS = (1, 3, 6, 10)
ROUNDS = 3
SESSION = {"x_events": ["segment"], "x": {"mode": "consecutive"}}
"""Settings with partials, which are not translated: the gate would reject translations of
stand-ins.
"""
PAUSE_S = 2.0
JOIN_S = 5.0
"""Time from one session's start to the next one's."""


def least_ms(action: Callable[[], object]) -> tuple[float, float]:
    """Return the least wall and processor times of `ROUNDS` runs, in ms."""
    times = []
    for _ in range(ROUNDS):
        wall, cpu = time.perf_counter(), time.process_time()
        action()
        times.append((time.perf_counter() - wall, time.process_time() - cpu))
    wall_s, cpu_s = (min(each) for each in zip(*times, strict=True))
    return wall_s * 1000, cpu_s * 1000


def alone(folder: Path, threads: int) -> dict[str, object]:
    """Return the figures of the engine in this process."""
    wall, cpu = time.perf_counter(), time.process_time()
    engine = create(EngineOptions(models_dir=folder, threads=threads))
    engine.warm_up()
    return_memory()
    figures: dict[str, object] = {
        "threads": threads,
        "start_s": (time.perf_counter() - wall, time.process_time() - cpu),
        "resident_mb": psutil.Process().memory_info().rss / 1e6,
    }
    chance = np.random.default_rng(0)
    for pair in engine.capabilities.pairs:
        for seconds in SECONDS:

            def recognise(pair: tuple[str, str] = pair, seconds: int = seconds) -> None:
                sound = 0.1 * chance.standard_normal(seconds * SPEECH_RATE)
                request = AstRequest(sound.astype(np.float32), *pair, partial=True)
                figures[f"{pair[0]} says"] = engine.translate([request])[0].source_text

            figures[f"{pair[0]} {seconds} s"] = least_ms(recognise)
    for model in installed(folder, TRANSLATION):
        text = TWELVE_WORDS[pair_of(model)[0]]
        translate = partial(load_translation(folder, model).translate_long, text)
        figures[f"{model.id} 12 words"] = least_ms(translate)
        figures[f"{model.id} says"] = translate()
    figures["used_mb"] = psutil.Process().memory_info().rss / 1e6
    return figures


@dataclass
class Heard:
    """Delays of the captions that came, in ms, and sessions that were refused or broke off."""

    delays_ms: list[float] = field(default_factory=list)
    behind_ms: list[float] = field(default_factory=list)
    failed: int = 0
    refused: int = 0
    lost: int = 0

    def note(self, client: RtcClient, sentence_samples: int) -> None:
        """Take what a client received that spoke one sentence after the other."""
        sent = client.track.sent_at_s
        finals = []
        for event, at_s in zip(client.events, client.event_at_s, strict=True):
            if event["type"] != "x.segment":
                continue
            if event["status"] == "partial":
                index = min(int(event["source"]["end_ms"]) // FRAME_MS, len(sent) - 1)
                self.behind_ms.append((at_s - sent[index]) * 1000)
            elif event["status"] == "failed":
                self.failed += 1
            else:
                finals.append(at_s)
        # Not by the session's audio clock, which runs ahead if packets were late.
        packets = sentence_samples // PLAYOUT_FRAME_SAMPLES
        ends = sent[packets::packets]
        for end_s, next_s in itertools.pairwise([*ends, float("inf")]):
            if after := [at_s for at_s in finals if end_s <= at_s < next_s]:
                self.delays_ms.append((after[-1] - end_s) * 1000)


async def converse(
    bench: BenchServer, number: int, sentence: Samples, count: int, heard: Heard
) -> None:
    """Join in one's turn, speak, and note when captions come."""
    await asyncio.sleep(number * JOIN_S)
    pause = np.zeros(round(PAUSE_S * PLAYOUT_RATE), np.float32)
    speech = np.concatenate([np.tile(sentence, count), pause, pause])
    sentence_samples = len(sentence)
    source, target = ("en", "ru") if number % 2 == 0 else ("ru", "en")
    try:
        url = bench.call_url(source, target)
        async with RtcClient(url, audio=speech, session=SESSION) as client:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(client.closed.wait(), len(speech) / PLAYOUT_RATE)
            heard.lost += client.closed.is_set()
            heard.note(client, sentence_samples)
    except ConnectionError as error:
        if not str(error).startswith(("429", "503")):
            raise
        heard.refused += 1


async def sessions(folder: Path, count: int, seconds: float) -> Heard:
    """Let `count` sessions speak at once, each for `seconds`, with the default threads."""
    speak, pause = speaker(), np.zeros(round(PAUSE_S * PLAYOUT_RATE), np.float32)
    sentences = {
        language: np.concatenate([pause, speak(text, language)])
        for language, text in SENTENCES.items()
    }
    heard = Heard()
    options = ("--engines", "laptop", "--models-dir", str(folder), "--max-sessions", "64")
    async with (
        server(*options) as bench,
        asyncio.TaskGroup() as tasks,
    ):
        for number, sentence in zip(
            range(count), itertools.cycle(sentences.values()), strict=False
        ):
            times = round(seconds * PLAYOUT_RATE / len(sentence))
            tasks.create_task(converse(bench, number, sentence, times, heard))
    return heard


def report_alone(folder: Path, threads: int) -> None:
    """Print the figures of the engine alone."""
    asked = [sys.executable, "-m", "bench.laptop", str(folder), "--alone", str(threads)]
    figures = json.loads(subprocess.run(asked, check=True, stdout=subprocess.PIPE).stdout)
    for name, value in figures.items():
        if isinstance(value, list):
            wall, cpu = value
            print(f"{name:22} {wall:8.1f}  cpu {cpu:8.1f}")
        else:
            print(f"{name:22} {value if isinstance(value, str) else round(value)}")


def main() -> None:
    """Run what the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--threads", default="1,2", help="of the engine alone; 0 leaves it out")
    parser.add_argument("--sessions", default="1,2,4,8", help="0 for none")
    parser.add_argument("--seconds", type=float, default=60, help="that each session speaks")
    parser.add_argument("--alone", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        print(json.dumps(alone(options.folder, options.alone)))
        return
    every = [int(each) for each in options.threads.split(",") if int(each)]
    load = ", ".join(f"{each:.1f}" for each in psutil.getloadavg())
    print(f"{time.strftime('%Y-%m-%d %H:%M')}, {psutil.cpu_count()} cores, load {load}; ms")
    for threads in every:
        report_alone(options.folder, threads)
    print("| sessions | refused | lost | captions | failed | delay p50 | p95 | behind p50 | p95 |")
    print("|---|---|---|---|---|---|---|---|---|")
    for count in filter(None, map(int, options.sessions.split(","))):
        heard = asyncio.run(sessions(options.folder, count, options.seconds))
        row = [count, heard.refused, heard.lost, len(heard.delays_ms), heard.failed]
        for values in (heard.delays_ms, heard.behind_ms):
            row += [round(percentile(values, p)) if values else 0 for p in (50, 95)]
        print("| " + " | ".join(map(str, row)) + " |", flush=True)


if __name__ == "__main__":
    main()
