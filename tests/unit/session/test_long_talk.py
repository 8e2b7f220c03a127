"""Growth of what the server keeps of a session, over a talk without a pause, in virtual time."""

import asyncio
from dataclasses import replace

import pytest

from rtc_server.config import InterpreterSettings, SegmenterSettings
from rtc_server.engines.base import AstCapabilities, AstRequest, AstResult, AstStatus
from rtc_server.events.client import SessionPatch
from rtc_server.events.segment_events import SegmentEvent
from rtc_server.events.server import EXTENSION_GROUPS, ServerEvent
from rtc_server.interpreter.modes import Mode
from rtc_server.metrics import Metrics
from rtc_server.session.event_log import MAX_BYTES, MAX_EVENTS
from rtc_server.session.event_stream import EventStream
from rtc_server.session.preferences import Preferences
from rtc_server.session.services import Services
from rtc_server.session.usage import UsageMeter
from tests.support.fakes import LoudnessVad
from tests.support.interpreting import Harness, WordTts, running_interpreter
from tests.support.talk import AGREEING, ALIGNED, OracleAst, audio, sentences

SENTENCES = 16


def often_nothing(request: AstRequest, result: AstResult) -> AstResult:
    """Answers of an engine that understands no whole segment of an even length."""
    if request.partial or len(result.source_text) % 2:
        return result
    return replace(result, status=AstStatus.NOT_UNDERSTOOD)


@pytest.mark.parametrize("understands", [True, False])
@pytest.mark.parametrize(
    ("mode", "engine"),
    [(Mode.BALANCED, ALIGNED), (Mode.BALANCED, AGREEING), (Mode.CONSECUTIVE, ALIGNED)],
)
@pytest.mark.unmeasured
async def test_a_long_talk_leaves_its_transcript_and_the_newest_events(
    mode: Mode, engine: AstCapabilities, understands: bool
) -> None:
    talk = sentences(SENTENCES)
    ast = OracleAst(talk, engine)
    if not understands:
        ast.twist = often_nothing
    settings, metrics, tts = InterpreterSettings(mode=mode.value), Metrics(), WordTts()
    clock = asyncio.get_running_loop().time
    services = Services(
        ast=ast,
        tts=tts,
        make_vad=LoudnessVad,
        segmenter=SegmenterSettings(),
        interpreter=settings,
        metrics=metrics,
        clock=clock,
    )
    patch = SessionPatch(x_events=EXTENSION_GROUPS, transcription=True)
    stream = EventStream(
        Preferences(patch, services, None),
        UsageMeter("sess_1", "", 0.0),
        metrics,
        over=asyncio.Event(),
        clock=clock,
        wall=clock,
    )
    events: list[ServerEvent] = []

    def emit(event: ServerEvent) -> None:
        events.append(event)
        stream.emit(event)
        assert len(stream.log) <= MAX_EVENTS
        assert stream.log.size_bytes <= MAX_BYTES
        assert stream.transcript.unfinished <= 3

    async with running_interpreter(ast, tts, emit, settings=settings, metrics=metrics) as running:
        harness = Harness(running, events)
        await harness.hear(audio(talk, tail_ms=6000))
    assert stream.transcript.unfinished == 0
    ids = {event.segment_id for event in events if isinstance(event, SegmentEvent)}
    assert {event.segment_id for event in harness.finals} == ids
    said = [(each.source, each.target) for each in stream.transcript.segments]
    assert said == [(e.source, e.target) for e in harness.finals if e.status.value == "final"]
    assert 0 < len(said) <= SENTENCES + 1
