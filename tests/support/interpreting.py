"""An interpreter in virtual time, and the results of a talk that it interpreted."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from rtc_server.audio.playout import Playout
from rtc_server.config import InterpreterSettings, SegmenterSettings
from rtc_server.events.segment_events import SegmentEvent
from rtc_server.events.server import (
    InputTranscriptDelta,
    OutputTranscriptDelta,
    PlayoutEvent,
    ServerEvent,
)
from rtc_server.interpreter.audio_input import AudioInput
from rtc_server.interpreter.captions import Direction
from rtc_server.interpreter.echo import EchoGuard
from rtc_server.interpreter.interpreter import Interpreter
from rtc_server.interpreter.modes import Mode
from rtc_server.interpreter.ports import AstPort, TtsPort
from rtc_server.interpreter.speech_segmenter import SpeechSegmenter
from rtc_server.metrics import Metrics
from rtc_server.pcm import FRAME_MS, SPEECH_RATE, Pcm, Samples
from tests.support.fakes import FakeTts, LoudnessVad
from tests.support.talk import OracleAst, Word

STEP = SPEECH_RATE * FRAME_MS // 1000


class WordTts(FakeTts):
    """Takes `word_s` for each word; remembers when each text was asked for."""

    word_s: float = 0.25

    def synthesize(self, request, *, session_id):  # type: ignore[no-untyped-def]
        self.seconds = self.word_s * len(request.text.split()) / request.rate
        return super().synthesize(request, session_id=session_id)

    @property
    def words(self) -> list[str]:
        return " ".join(request.text for request in self.requests).split()


@dataclass
class Harness:
    """An interpreter with both its ends in the test's hands."""

    interpreter: Interpreter
    events: list[ServerEvent]
    played: list[Samples | None] = field(default_factory=list, init=False)
    """Each frame that was played; None for silence."""
    position: int = field(default=0, init=False)

    async def hear(self, samples: Samples) -> None:
        """Feed at the pace of speech, playing all the while."""
        for start in range(0, len(samples), STEP):
            step = samples[start : start + STEP]
            self.interpreter.audio.feed(Pcm(step, self.position))
            self.position += len(step)
            self.played.append(self.interpreter.next_frame())
            await asyncio.sleep(FRAME_MS / 1000)

    @property
    def segments(self) -> list[SegmentEvent]:
        return [event for event in self.events if isinstance(event, SegmentEvent)]

    @property
    def finals(self) -> list[SegmentEvent]:
        return [event for event in self.segments if event.final]


@asynccontextmanager
async def running_interpreter(
    ast: AstPort,
    tts: TtsPort,
    emit: Callable[[ServerEvent], None],
    *,
    settings: InterpreterSettings,
    metrics: Metrics,
    max_playout_s: float = 30.0,
) -> AsyncIterator[Interpreter]:
    """Run one from Russian into English with exact speech boundaries, on the loop's clock."""
    interpreter = Interpreter(
        session_id="s1",
        direction=Direction("ru", "en"),
        ast=ast,
        tts=tts,
        audio=AudioInput(
            SpeechSegmenter(LoudnessVad(), SegmenterSettings()),
            EchoGuard(on=settings.own_voice_guard),
        ),
        playout=Playout(max_playout_s * 1000),
        emit=emit,
        settings=settings,
        metrics=metrics,
        clock=asyncio.get_running_loop().time,
    )
    work = asyncio.create_task(interpreter.run())
    try:
        yield interpreter
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


@dataclass
class Interpreting(Harness):
    """The interpreter, its engines and its output."""

    ast: OracleAst
    tts: WordTts
    metrics: Metrics

    @property
    def voice_ms(self) -> int | None:
        """Position of the speaker when the voice began."""
        frames = enumerate(self.played, start=1)
        return next((n * FRAME_MS for n, frame in frames if frame is not None), None)

    @property
    def playout(self) -> list[PlayoutEvent]:
        return [event for event in self.events if isinstance(event, PlayoutEvent)]

    @property
    def longest_pass_s(self) -> float:
        return max(request.samples.size for request in self.ast.requests) / SPEECH_RATE

    def transcript(self, kind: type[InputTranscriptDelta] | type[OutputTranscriptDelta]) -> str:
        return "".join(event.delta for event in self.events if isinstance(event, kind))

    def metric(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0.0

    def check_captions(self) -> None:
        """Check that committed text of a segment stays, in both languages, to the end."""
        for _, events in itertools.groupby(self.segments, lambda event: event.segment_id):
            for before, after in itertools.pairwise(events):
                for one, two in ((before.source, after.source), (before.target, after.target)):
                    assert two.text.startswith(one.text[: one.stable_chars])
                    assert two.stable_chars >= one.stable_chars


@asynccontextmanager
async def interpreting(
    talk: Sequence[Word],
    mode: Mode = Mode.BALANCED,
    ast: OracleAst | None = None,
    word_s: float = 0.25,
    tts: WordTts | None = None,
) -> AsyncIterator[Interpreting]:
    """Interpret a talk; `word_s`: time that the voice takes for a word."""
    metrics = Metrics()
    ast, tts = ast or OracleAst(talk), tts or WordTts()
    tts.word_s = word_s
    events: list[ServerEvent] = []
    settings = InterpreterSettings(mode=mode.value, own_voice_guard=False)
    async with running_interpreter(
        ast, tts, events.append, settings=settings, metrics=metrics
    ) as interpreter:
        yield Interpreting(interpreter, events, ast, tts, metrics)
