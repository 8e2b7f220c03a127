"""Delay of the voice behind a speaker who does not pause, by the rules alone.

    python -m bench.interpret_rules [--seconds 180]
    python -m bench.interpret_rules --seconds 1800 --longer 1.0 1.2
    python -m bench.interpret_rules --seconds 3600 --longer 1.2 --growth

The interpreter runs in virtual time with an oracle that answers after 150 ms and a voice that takes
0.9 times as long for a word as the speaker, or as often as `--longer` says, so that the figures are
the same on every machine, however busy: what `bench.interpret` shows through a real server comes on
top. A span is from the end of a clause's first word to its voice; "after" from the end of its last
one; LAAL and YAAL are those of the captions (`bench.lagging`), unaware and aware of the oracle's
delay. With `--growth` a second table shows what the talk's length may not change, and the captions,
which are kept for as long as somebody may want to read or save them; LAAL and YAAL are left out.
"""

import argparse
import asyncio
import gc
import resource
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from bench.harness import percentile
from bench.lagging import Lagging, Sentence, emissions, render_lagging
from rtc_server.config import InterpreterSettings, SegmenterSettings
from rtc_server.engines.base import AstCapabilities, AstRequest, AstResult, TtsRequest
from rtc_server.events.client import SessionPatch
from rtc_server.events.segment_events import SegmentEvent
from rtc_server.events.server import EXTENSION_GROUPS, PlayoutEvent, ServerEvent
from rtc_server.interpreter.interpreter import Interpreter
from rtc_server.interpreter.modes import Mode
from rtc_server.metrics import Metrics
from rtc_server.pcm import FRAME_MS, SPEECH_RATE, Pcm, Samples
from rtc_server.session.event_stream import EventStream
from rtc_server.session.preferences import Preferences
from rtc_server.session.services import Services
from rtc_server.session.usage import UsageMeter
from tests.support.fakes import TTS_CAPABILITIES, LoudnessVad
from tests.support.interpreting import running_interpreter
from tests.support.talk import AGREEING, ALIGNED, OracleAst, Word, audio, sentences
from tests.support.virtual_time import VirtualTimeLoop

WORD_MS, SENTENCE = 375, 8
"""Milliseconds for a word, 160 in a minute; words of a sentence."""
STEP = SPEECH_RATE * FRAME_MS // 1000
TAIL_MS = 30_000
"""Silence after the talk, in which the rest of it is played."""
GROWTHS = 6
"""Number of looks of `--growth`."""


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

    def expect(self, session_id: str) -> None:
        """Do nothing: nobody is refused."""

    def forget(self, session_id: str) -> None:
        """Do nothing: no request waits."""


class Growth(NamedTuple):
    """Memory held at one moment of the talk."""

    at_s: float
    memory_mb: float
    """Resident memory of the process."""
    longest_s: float
    """Audio of the longest pass since the last moment."""
    open_segments: int
    """Number of segments that were spoken and are not yet played to the end."""
    objects: int
    """Python objects alive, those of the bench included: three numbers for each clause."""
    transcript: int
    """Captions in the session's transcript."""
    transcript_chars: int
    """Characters of both their texts."""
    unfinished: int
    """Segments with a caption that is not final yet."""
    replayed: int
    """Number of events kept for a client that reconnects."""
    replayed_kb: float
    """Size of these."""
    page_kb: float
    """Size of the last caption of each segment, as JSON, which a page keeps to show and to save."""


@dataclass
class Run:
    """One talk in one mode."""

    talk: list[Word]
    mode: Mode
    engine: AstCapabilities
    word_s: float
    keeps_little: bool = False
    """Without the captions of the whole talk, which would hide what the session keeps."""
    heard_s: list[float] = field(default_factory=list)
    spans_s: list[float] = field(default_factory=list)
    after_s: list[float] = field(default_factory=list)
    growth: list[Growth] = field(default_factory=list)
    captions: list[dict[str, Any]] = field(default_factory=list)
    """`x.segment` events, in order."""
    captioned_s: list[float] = field(default_factory=list)
    """Times of these."""
    began_s: float = 0.0
    passes: int = 0
    skipped: int = 0
    tempo: float = 1.0
    _longest_samples: int = 0
    """Longest pass since the last row of `growth`, in samples."""
    _page_chars: int = 0

    def __post_init__(self) -> None:
        services = Services(
            ast=OracleAst([], self.engine),
            tts=SteadyVoice(self.word_s),
            make_vad=LoudnessVad,
            segmenter=SegmenterSettings(),
            interpreter=InterpreterSettings(),
            metrics=(metrics := Metrics()),
            clock=(clock := asyncio.get_running_loop().time),
        )
        self._stream = EventStream(
            Preferences(
                SessionPatch(x_events=EXTENSION_GROUPS, transcription=True), services, None
            ),
            UsageMeter("sess_1", "", 0.0),
            metrics,
            over=asyncio.Event(),
            clock=clock,
            wall=clock,
        )

    async def go(self) -> None:
        """Interpret the talk, and wait until all is played."""
        ast = OracleAst(self.talk, self.engine, delay_s=0.15)

        def count(request: AstRequest, result: AstResult) -> AstResult:
            self.passes += 1
            self._longest_samples = max(self._longest_samples, len(request.samples))
            ast.requests.clear()  # an hour's passes are gigabytes
            return result

        ast.twist = count
        async with running_interpreter(
            ast,
            SteadyVoice(self.word_s),
            self._take,
            settings=InterpreterSettings(mode=self.mode.value, own_voice_guard=False),
            metrics=Metrics(),
        ) as interpreter:
            samples = audio(self.talk, tail_ms=TAIL_MS)
            self.began_s = asyncio.get_running_loop().time()
            every, last = (len(samples) // GROWTHS) // STEP * STEP, interpreter.last_delays
            for start in range(0, len(samples), STEP):
                interpreter.audio.feed(Pcm(samples[start : start + STEP], start))
                interpreter.next_frame()
                if interpreter.last_delays is not last:
                    last = interpreter.last_delays
                    assert last and last.first_audio_s and last.ear_voice_ms and last.first_audio_ms
                    self.heard_s.append(last.first_audio_s)
                    self.spans_s.append(last.ear_voice_ms / 1000)
                    self.after_s.append(last.first_audio_ms / 1000)
                if start and start % every == 0:
                    self._grow(start / SPEECH_RATE, interpreter)
                await asyncio.sleep(FRAME_MS / 1000)

    def _take(self, event: ServerEvent) -> None:
        self._stream.emit(event)
        if isinstance(event, SegmentEvent) and event.final:
            self._page_chars += len(msgspec.json.encode(event))
        if isinstance(event, SegmentEvent) and not self.keeps_little:
            self.captions.append(msgspec.to_builtins(event))
            self.captioned_s.append(asyncio.get_running_loop().time())
        elif isinstance(event, PlayoutEvent):
            self.skipped += event.state == "skipped"
            self.tempo = max(self.tempo, event.tempo)

    def _grow(self, at_s: float, interpreter: Interpreter) -> None:
        gc.collect()
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        memory_mb = pages * resource.getpagesize() / 2**20
        longest_s = self._longest_samples / SPEECH_RATE
        objects, queued = len(gc.get_objects()), interpreter.queue_depth
        said, log = self._stream.transcript, self._stream.log
        self.growth.append(
            Growth(
                at_s,
                memory_mb,
                longest_s,
                queued,
                objects,
                len(said.segments),
                sum(len(one.source.text) + len(one.target.text) for one in said.segments),
                said.unfinished,
                len(log),
                log.size_bytes / 1000,
                self._page_chars / 1000,
            )
        )
        self._longest_samples = 0

    def lagging(self) -> Lagging | None:
        """Return the lagging of the captions; None if their words are not those of the talk."""
        came = emissions(self.captions, self.captioned_s, self.began_s)
        if [each.word for each in came] != [word.target for word in self.talk]:
            return None
        parts = []
        for first in range(0, len(self.talk), SENTENCE):
            words = self.talk[first : first + SENTENCE]
            start_ms, end_ms = words[0].start_ms, words[-1].end_ms
            reference = tuple(word.target for word in words)
            mine = tuple(came[first : first + SENTENCE])
            parts.append(Sentence(start_ms, end_ms - start_ms, reference, mine))
        return Lagging.of(parts, self.talk[-1].end_ms + TAIL_MS)

    def row(self, name: str) -> str:
        """Return one line of the table."""
        half = len(self.heard_s) // 2  # the first half holds the way to the pace
        slope = float(np.polyfit(self.heard_s[half:], self.spans_s[half:], 1)[0]) * 60
        seconds = self.talk[-1].end_ms / 1000
        longest_s = max(each.longest_s for each in self.growth)
        return (
            f"| {name} | `{self.mode.value}` | {percentile(self.spans_s, 50):.2f} s | "
            f"{percentile(self.spans_s, 90):.2f} | {max(self.spans_s):.2f} | "
            f"{percentile(self.after_s, 95):.2f} | {slope:+.3f} | {self.skipped} | "
            f"{self.tempo:.2f} | {self.passes / seconds:.2f} | {longest_s:.1f} s | "
            f"{render_lagging(self.lagging())} |"
        )


async def main(seconds: float, longer: list[float], *, growth: bool, word_ms: int) -> None:
    """Print the table."""
    talk = sentences(round(seconds * 1000 / word_ms / SENTENCE), SENTENCE, word_ms=word_ms)
    word_s = word_ms / 1000
    runs = [
        (f"with word times, voice {times} times as long", Mode.BALANCED, ALIGNED, times * word_s)
        for times in longer or [1.2]
    ]
    if not longer:
        some = (Mode.FAST, Mode.BALANCED, Mode.ACCURATE)
        agreement = "by agreement, no pause to cut at"
        usual = [("with word times", mode, ALIGNED, 0.9 * word_s) for mode in some]
        usual.append(("any", Mode.CONSECUTIVE, ALIGNED, 0.9 * word_s))
        usual += [(agreement, mode, AGREEING, 0.9 * word_s) for mode in some]
        runs = usual + runs
    print(
        "| engine | mode | span p50 | p90 | max | after p95 | slope, s/min | left out | tempo "
        "| passes/s | longest pass | LAAL, s | YAAL, s |\n|---|---|" + "---|" * 11
    )
    for name, mode, engine, voice_s in runs:
        run = Run(talk, mode, engine, voice_s, keeps_little=growth)
        await run.go()
        print(run.row(name), flush=True)
        if growth:
            print(
                "\n| after | memory | longest pass | segments on their way | objects "
                "| captions kept, characters | not final | events to send again | page |\n"
                + "|---" * 9
                + "|"
            )
            for each in run.growth:
                print(
                    f"| {each.at_s / 60:.0f} min | {each.memory_mb:.0f} MB "
                    f"| {each.longest_s:.1f} s | {each.open_segments} | {each.objects} "
                    f"| {each.transcript}, "
                    f"{each.transcript_chars} | {each.unfinished} | {each.replayed}, "
                    f"{each.replayed_kb:.0f} kB | {each.page_kb:.0f} kB |"
                )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=180.0, help="length of the talk")
    parser.add_argument("--longer", type=float, nargs="+", default=[], help="only these voices")
    parser.add_argument("--growth", action="store_true", help="what is held, as time goes on")
    parser.add_argument("--word-ms", type=int, default=WORD_MS, help="time for a word and a space")
    options = parser.parse_args()
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(
            main(options.seconds, options.longer, growth=options.growth, word_ms=options.word_ms)
        )
