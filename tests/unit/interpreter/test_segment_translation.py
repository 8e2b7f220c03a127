"""The two translators of segments by themselves, fed events and hypotheses by hand."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import numpy as np

from rtc_server.audio.playout import Playout
from rtc_server.config import SegmenterSettings
from rtc_server.engines.base import AstResult, AstStatus, Texts
from rtc_server.errors import EngineOverloaded
from rtc_server.events.segment_events import SegmentEvent, SegmentStatus
from rtc_server.events.server import ServerEvent, VadEvent, WarningEvent
from rtc_server.interpreter.audio_input import AudioInput
from rtc_server.interpreter.captions import Direction, SegmentCaptions
from rtc_server.interpreter.conclusion import Conclusions
from rtc_server.interpreter.echo import EchoGuard
from rtc_server.interpreter.modes import PRESETS, Mode
from rtc_server.interpreter.open_segment import OpenSegment
from rtc_server.interpreter.passes import Passes
from rtc_server.interpreter.publisher import Publisher
from rtc_server.interpreter.segment_spans import SegmentSpans
from rtc_server.interpreter.segment_translation import SegmentTranslation
from rtc_server.interpreter.segments import (
    ClosedSegment,
    EndCause,
    SpeechEnded,
    SpeechPaused,
    SpeechStarted,
)
from rtc_server.interpreter.simultaneous import SimultaneousText
from rtc_server.interpreter.simultaneous_translation import SimultaneousTranslation
from rtc_server.interpreter.speech_output import SpeechOutput
from rtc_server.interpreter.speech_segmenter import SpeechSegmenter
from rtc_server.metrics import Metrics
from rtc_server.pcm import SPEECH_RATE, Pcm
from rtc_server.tracing import NO_SPAN
from tests.support.fakes import FakeAst, FakeTts, LoudnessVad, ok, tone
from tests.support.talk import AGREEING

DIRECTION = Direction("ru", "en")
SECOND = SPEECH_RATE


def segment(*, is_own_voice: bool = False) -> ClosedSegment:
    """A second of speech."""
    return ClosedSegment(
        samples=np.zeros(SECOND, np.float32),
        start_samples=0,
        end_samples=SECOND,
        speech_end_samples=SECOND,
        cause=EndCause.SILENCE,
        concealed_samples=0,
        is_own_voice=is_own_voice,
    )


@dataclass
class Parts:
    """All objects around a translator."""

    ast: FakeAst
    events: list[ServerEvent] = field(default_factory=list)
    metrics: Metrics = field(default_factory=Metrics)
    gone_on: list[int] = field(default_factory=list)
    """Positions at which open segments were followed by others."""

    def __post_init__(self) -> None:
        clock = asyncio.get_running_loop().time
        spans = SegmentSpans(NO_SPAN, clock)
        self.audio = AudioInput(
            SpeechSegmenter(LoudnessVad(), SegmenterSettings()), EchoGuard(on=False)
        )
        self.output = SpeechOutput(
            session_id="s1",
            tts=FakeTts(),
            playout=Playout(30_000),
            emit=self.events.append,
            metrics=self.metrics,
            clock=clock,
            spans=spans,
        )
        publisher = Publisher(self.output, self.events.append, self.metrics, clock, spans)
        self.conclusions = Conclusions(
            self.output, publisher, self.events.append, self.metrics, clock
        )
        self.segments = SegmentTranslation(
            session_id="s1",
            direction=DIRECTION,
            ast=self.ast,
            audio=self.audio,
            publisher=publisher,
            conclusions=self.conclusions,
            emit=self.events.append,
            partial_interval_ms=500,
            metrics=self.metrics,
            clock=clock,
            spans=spans,
        )
        self.audio.connect(self.segments)
        passes = Passes(
            self.ast,
            "s1",
            clock,
            lambda *_args, **_kwargs: None,
            lambda _ms: None,
            spans=spans,
        )
        self.simultaneous = SimultaneousTranslation(
            self.audio,
            passes,
            publisher,
            self.conclusions,
            metrics=self.metrics,
            go_on=self._go_on,
        )

    def _go_on(self, opened: OpenSegment, at_samples: int, text: SimultaneousText) -> None:
        opened.close()
        self.gone_on.append(at_samples)

    def open(self) -> OpenSegment:
        """Open a segment that is translated while it goes on; a second of it was said."""
        preset = PRESETS[Mode.BALANCED]
        text = SimultaneousText(preset, AGREEING, DIRECTION.target, Texts())
        captions = SegmentCaptions("seg_1", DIRECTION, 0)
        opened = OpenSegment(captions, 0)
        opened.output = self.conclusions.output(captions, 0, text)
        self.audio.feed(Pcm(tone(1.0), 0))
        return opened

    def take(self, opened: OpenSegment, source: str, target: str) -> None:
        """Bring a hypothesis of all that was said."""
        self.simultaneous.take(opened, ok(source, target), 0, SECOND, is_pause=False)

    @property
    def captions(self) -> list[SegmentEvent]:
        return [event for event in self.events if isinstance(event, SegmentEvent)]

    def segments_counted(self, status: str) -> float:
        name, labels = "rtc_segments_total", {"status": status}
        return self.metrics.registry.get_sample_value(name, labels) or 0.0


@asynccontextmanager
async def parts(ast: FakeAst | None = None) -> AsyncIterator[Parts]:
    made = Parts(ast or FakeAst())
    work = asyncio.create_task(made.conclusions.run())
    try:
        yield made
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)


async def test_a_segment_is_translated_when_it_ends() -> None:
    async with parts(FakeAst([ok("Да.", "Yes.")])) as p:
        p.segments.on_speech(SpeechStarted(0, 0))
        p.segments.on_speech(SpeechPaused(segment()))
        p.segments.on_speech(SpeechEnded(segment(), SECOND))
        await p.conclusions.join()
    assert [e.state for e in p.events if isinstance(e, VadEvent)] == ["speech", "silence"]
    assert [(c.segment_id, c.target.text) for c in p.captions] == [("seg_1", "Yes.")]
    assert len(p.ast.guesses) == 1  # begun in the pause


async def test_our_own_voice_is_neither_asked_about_nor_shown() -> None:
    async with parts() as p:
        for _ in range(2):
            p.segments.on_speech(SpeechStarted(0, 0))
            p.segments.on_speech(SpeechPaused(segment(is_own_voice=True)))
            p.segments.on_speech(SpeechEnded(segment(is_own_voice=True), SECOND))
        await p.conclusions.join()
    assert (p.captions, p.ast.requests, p.ast.guesses) == ([], [], [])
    assert p.segments_counted("own_voice") == 2
    assert [e.code for e in p.events if isinstance(e, WarningEvent)] == ["own_voice"]  # once


async def test_a_segment_keeps_its_direction_and_wants_another_for_what_is_turned() -> None:
    async with parts() as p:
        assert not p.segments.wants_new_segment
        p.segments.on_speech(SpeechStarted(0, 0))
        assert not p.segments.wants_new_segment
        p.segments.direction = Direction("en", "ru")
        assert p.segments.wants_new_segment
        p.segments.on_speech(SpeechEnded(segment(), SECOND))
        await p.conclusions.join()
    assert p.ast.requests[0].source_language == "ru"


async def test_a_segment_that_the_engine_refuses_fails_in_its_caption() -> None:
    async with parts(FakeAst(refuse=EngineOverloaded("full"))) as p:
        p.segments.on_speech(SpeechStarted(0, 0))
        p.segments.on_speech(SpeechEnded(segment(), SECOND))
    assert [c.status for c in p.captions] == [SegmentStatus.FAILED]


async def test_a_phrase_that_is_said_is_a_segment_among_others() -> None:
    async with parts() as p:
        p.segments.on_speech(SpeechStarted(0, 0))
        p.segments.say("Спасибо.", "Thank you.")
        p.segments.on_speech(SpeechEnded(segment(), SECOND))
        await p.conclusions.join()
    assert [c.segment_id for c in p.captions if c.final] == ["seg_2", "seg_1"]


async def test_nothing_is_taken_while_an_earlier_segment_waits_for_its_last_words() -> None:
    async with parts() as p:
        opened = p.open()
        earlier = p.conclusions.output(SegmentCaptions("seg_0", DIRECTION, 0), 0)
        answer: asyncio.Future[AstResult] = asyncio.get_running_loop().create_future()
        p.conclusions.close(earlier, 0, 0, answer)
        p.take(opened, "раз два", "one two")
        assert p.captions == []
        answer.set_result(AstResult(AstStatus.NOT_UNDERSTOOD))
        await p.conclusions.join()
        p.take(opened, "раз два", "one two")
        assert [c.segment_id for c in p.captions] == ["seg_0", "seg_1"]


async def test_a_translation_that_is_lost_begins_afresh_and_is_asked_for_anew() -> None:
    async with parts(FakeAst([ok("раз", "one")])) as p:
        opened = p.open()
        p.take(opened, "раз", "на другом языке")
        assert p.gone_on == []  # one bad hypothesis has no effect
        p.take(opened, "раз", "на другом языке")
        [at_samples] = p.gone_on
        assert opened.is_closed
        assert [r.samples.size for r in p.ast.requests] == [at_samples]
        await p.conclusions.join()
    assert p.captions[-1].final and p.captions[-1].target.text == "one"
