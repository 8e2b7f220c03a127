"""Delay of the voice behind a speaker who does not pause, by the rules alone.

    python -m bench.interpret_rules [--seconds 180]

The interpreter runs in virtual time with an oracle that answers after 150 ms and a voice that takes
as long for a word as the speaker (or 1.2 times as long), so that the figures are the same on every
machine, however busy: what `bench.interpret` shows through a real server comes on top. A span is
from the end of a clause's first word to its voice; "after" from the end of its last one.
"""

import argparse
import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

import numpy as np

from bench.harness import percentile
from rtc_server.audio.playout import Playout
from rtc_server.config import InterpreterSettings, ListenerSettings
from rtc_server.engines.base import AstCapabilities, TtsRequest
from rtc_server.events.server import PlayoutEvent, ServerEvent
from rtc_server.interpreter.captions import Direction
from rtc_server.interpreter.delays import Delays
from rtc_server.interpreter.interpreter import Interpreter
from rtc_server.interpreter.listener import Listener
from rtc_server.interpreter.modes import Mode
from rtc_server.metrics import Metrics
from rtc_server.pcm import FRAME_MS, SPEECH_RATE, Pcm, Samples
from tests.support.fakes import TTS_CAPABILITIES, LoudnessVad
from tests.support.talk import AGREEING, ALIGNED, OracleAst, Word, audio, sentences
from tests.support.virtual_time import VirtualTimeLoop

WORD_MS = 375
"""160 words a minute."""
STEP = SPEECH_RATE * FRAME_MS // 1000


@dataclass
class SteadyVoice:
    """Takes `word_s` for each word."""

    word_s: float
    capabilities = TTS_CAPABILITIES

    async def synthesize(
        self, request: TtsRequest, *, session_id: str
    ) -> AsyncGenerator[Samples, None]:
        """The whole clause after 50 ms."""
        await asyncio.sleep(0.05)
        seconds = self.word_s * len(request.text.split()) / request.rate
        yield np.full(round(seconds * self.capabilities.sample_rate), 0.25, np.float32)

    def forget(self, session_id: str) -> None:
        """Nothing waits."""


@dataclass
class Run:
    """One talk in one mode."""

    talk: list[Word]
    mode: Mode
    engine: AstCapabilities
    word_s: float
    delays: list[Delays] = field(default_factory=list)
    events: list[ServerEvent] = field(default_factory=list)
    passes: int = 0
    longest_s: float = 0.0

    async def go(self) -> None:
        """Interpret it, and wait until all is heard."""
        loop, ast = asyncio.get_running_loop(), OracleAst(self.talk, self.engine, delay_s=0.15)
        interpreter = Interpreter(
            session_id="bench",
            direction=Direction("ru", "en"),
            ast=ast,
            tts=SteadyVoice(self.word_s),
            listener=Listener(LoudnessVad(), ListenerSettings()),
            playout=Playout(30_000),
            emit=self.events.append,
            settings=InterpreterSettings(mode=self.mode.value, own_voice_guard=False),
            metrics=Metrics(),
            clock=loop.time,
        )
        work = asyncio.create_task(interpreter.run())
        samples = audio(self.talk, tail_ms=30_000)
        for start in range(0, len(samples), STEP):
            interpreter.feed(Pcm(samples[start : start + STEP], start))
            interpreter.next_frame()
            last = interpreter.last_delays
            if last is not None and (not self.delays or last is not self.delays[-1]):
                self.delays.append(last)
            await asyncio.sleep(FRAME_MS / 1000)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        self.passes = len(ast.requests)
        self.longest_s = max(len(request.samples) for request in ast.requests) / SPEECH_RATE

    def row(self, name: str) -> str:
        """One line of the table."""
        spans = [each.ear_voice_ms / 1000 for each in self.delays if each.ear_voice_ms is not None]
        after = [
            each.first_audio_ms / 1000 for each in self.delays if each.first_audio_ms is not None
        ]
        times = [each.heard_s for each in self.delays if each.heard_s is not None]
        half = len(times) // 2  # the first half holds the way to the pace
        slope = float(np.polyfit(times[half:], spans[half:], 1)[0]) * 60
        playout = [event for event in self.events if isinstance(event, PlayoutEvent)]
        skipped = sum(event.state == "skipped" for event in playout)
        tempo = max(event.tempo for event in playout)
        seconds = self.talk[-1].end_ms / 1000
        return (
            f"| {name} | {self.mode.value} | {percentile(spans, 50):.2f} | "
            f"{percentile(spans, 90):.2f} | {max(spans):.2f} | {percentile(after, 95):.2f} | "
            f"{slope:+.2f} | {skipped} | {tempo:.2f} | {self.passes / seconds:.2f} | "
            f"{self.longest_s:.1f} s |"
        )


async def main(seconds: float) -> None:
    """Print the table."""
    talk = sentences(round(seconds * 1000 / WORD_MS / 8), word_ms=WORD_MS)
    print("| engine, voice | mode | span p50, s | p90 | max | after p95 | slope, s/min | left out ")
    print("| tempo | passes/s | longest pass |\n|---|---|" + "---|" * 9)
    same, longer = 0.9 * WORD_MS / 1000, 1.2 * WORD_MS / 1000
    runs = [("word times", mode, ALIGNED, same) for mode in Mode]
    runs += [("agreement", mode, AGREEING, same) for mode in (Mode.FAST, Mode.BALANCED)]
    runs += [("agreement", Mode.ACCURATE, AGREEING, same)]
    runs += [("word times, voice 1.2 times longer", Mode.BALANCED, ALIGNED, longer)]
    for name, mode, engine, word_s in runs:
        run = Run(talk, mode, engine, word_s)
        await run.go()
        print(run.row(name), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=180.0, help="length of the talk")
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(main(parser.parse_args().seconds))
