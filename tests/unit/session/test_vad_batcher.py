"""Detection of many sessions together, after the tick, with the results of each alone."""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack

import pytest

from rtc_server.config import SegmenterSettings
from rtc_server.events.client import SessionPatch
from rtc_server.interpreter.audio_input import AudioInput
from rtc_server.interpreter.echo import EchoGuard
from rtc_server.interpreter.segments import SegmenterEvent
from rtc_server.interpreter.speech_segmenter import SpeechSegmenter
from rtc_server.pcm import FRAME_MS, SPEECH_RATE, Pcm, Samples
from rtc_server.session.vad_batcher import AT_ONCE, FEW, VadBatcher
from rtc_server.transport.media.tick import PERIOD_S
from rtc_server.transport.media_scheduler import MediaScheduler
from rtc_server.transport.transport_api import CloseReason
from tests.support.fakes import FakeAst, FakeTransport, LoudnessVad, joined, ok, silence, tone
from tests.support.session_bench import ALL, SessionBench, events, say, session_bench, speak

STEP = SPEECH_RATE * FRAME_MS // 1000
SPOKEN = joined([silence(0.3), tone(0.7), silence(1.5), tone(0.4), silence(1.5)])


class Person:
    """Both receivers of an audio input, which note its events."""

    wants_new_segment = False

    def __init__(self, batcher: VadBatcher) -> None:
        segmenter = SpeechSegmenter(LoudnessVad(), SegmenterSettings())
        self.audio = AudioInput(segmenter, EchoGuard(on=False), batcher.client(segmenter))
        self.audio.connect(self)
        self.audio.open(self)
        self.told: list[SegmenterEvent] = []
        self.positions: list[int] = []
        self.failures = 0

    def on_speech(self, event: SegmenterEvent) -> None:
        self.told.append(event)

    def on_audio(self) -> None:
        self.positions.append(self.audio.position_samples - STEP)

    def on_detected(self, events: Sequence[SegmenterEvent]) -> None:
        assert list(events) == self.told[-len(events) :]

    def on_detection_failed(self) -> None:
        self.failures += 1


def packet(samples: Samples, number: int) -> Pcm:
    return Pcm(samples[number * STEP : (number + 1) * STEP], number * STEP)


def crowd(count: int, scheduler: MediaScheduler | None = None) -> list[Person]:
    batcher = VadBatcher(scheduler or MediaScheduler())
    return [Person(batcher) for _ in range(count)]


async def test_few_sessions_are_judged_at_once() -> None:
    people = crowd(FEW - 1)
    for person in people:
        person.audio.feed(packet(SPOKEN, 0))
        assert person.positions == [0]


async def test_many_sessions_are_judged_after_the_tick_and_in_order() -> None:
    people = crowd(FEW)
    for number in range(3):
        for person in people:
            person.audio.feed(packet(SPOKEN, number))
    assert not any(person.positions for person in people)
    await asyncio.sleep(PERIOD_S)
    assert [person.positions for person in people] == [[0, STEP, 2 * STEP]] * FEW


@pytest.mark.parametrize("count", [FEW, AT_ONCE + 1, 3 * AT_ONCE])
async def test_many_sessions_are_judged_as_each_would_be_alone(count: int) -> None:
    people = crowd(count)
    alone = SpeechSegmenter(LoudnessVad(), SegmenterSettings())
    expected = [str(e) for n in range(SPOKEN.size // STEP) for e in alone.feed(packet(SPOKEN, n))]
    assert len(expected) >= 4
    for number in range(SPOKEN.size // STEP):
        for person in people:
            person.audio.feed(packet(SPOKEN, number))
        await asyncio.sleep(PERIOD_S)
    assert all([str(event) for event in person.told] == expected for person in people)


async def test_a_crowd_lets_others_have_their_turn() -> None:
    scheduler = MediaScheduler()
    people = crowd(2 * AT_ONCE + 1, scheduler)
    for person in people:
        person.audio.feed(packet(SPOKEN, 0))
    heard = list[int]()

    def look() -> None:
        heard.append(sum(bool(person.positions) for person in people))
        if heard[-1] < len(people):
            asyncio.get_running_loop().call_soon(look)

    scheduler.after(look)
    await asyncio.sleep(2 * PERIOD_S)
    assert heard == [0, AT_ONCE, 2 * AT_ONCE, len(people)]


async def test_catching_up_waits_for_no_tick_and_judges_nothing_twice() -> None:
    people = crowd(3 * AT_ONCE)
    for person in people:
        person.audio.feed(packet(SPOKEN, 0))
    people[0].audio.detect_waiting()
    people[0].audio.detect_waiting()
    await asyncio.sleep(2 * PERIOD_S)
    assert all(person.positions == [0] for person in people)


async def test_whoever_leaves_hears_nothing_more() -> None:
    people = crowd(FEW + 1)
    for person in people:
        person.audio.feed(packet(SPOKEN, 0))
    people[0].audio.close()
    people[0].audio.close()
    await asyncio.sleep(PERIOD_S)
    assert [len(person.positions) for person in people] == [0] + [1] * FEW


async def test_one_that_fails_silences_nobody_else(caplog: pytest.LogCaptureFixture) -> None:
    people = crowd(FEW)
    for number in range(4):
        for person in people:
            person.audio.feed(packet(SPOKEN, number))
    people[2].audio.feed(packet(SPOKEN, 99))  # a hole: no listener takes that
    with caplog.at_level(logging.ERROR):
        await asyncio.sleep(PERIOD_S)
    assert [person.failures for person in people] == [0, 0, 1, 0, 0, 0]
    assert all(len(person.positions) == 4 for person in people)
    assert len(caplog.records) == 1


# ---------------------------------------------------------------- sessions


async def many_talking(
    stack: AsyncExitStack, count: int = FEW, patch: SessionPatch | None = None
) -> SessionBench:
    """Return a manager with that many sessions, all connected."""
    bench = await stack.enter_async_context(
        session_bench(FakeAst([ok("да", "yes")] * 50), max_sessions=FEW)
    )
    for _ in range(count):
        await bench.call(patch or SessionPatch(x_events=ALL))
        bench.transports[-1].observer.on_connected()
    return bench


async def test_sessions_get_the_captions_they_would_get_alone() -> None:
    async with AsyncExitStack() as stack:
        bench = await many_talking(stack, 1)
        await speak(bench.transports[0], SPOKEN)
        alone = [
            (e["type"], e.get("start_ms"), e.get("end_ms"))
            for e in events(bench.transports[0], "x.s")
        ]
    assert len(alone) >= 2
    async with AsyncExitStack() as stack:
        bench = await many_talking(stack)
        await asyncio.gather(*(speak(transport, SPOKEN) for transport in bench.transports))
        for transport in bench.transports:
            found = [
                (e["type"], e.get("start_ms"), e.get("end_ms")) for e in events(transport, "x.s")
            ]
            assert found == alone


async def translated_samples(
    count: int, mode: str, end: Callable[[SessionBench, FakeTransport], object]
) -> Counter[int]:
    """Return the lengths of the segments when that many people speak at a time and all end after
    the last packet.
    """
    spoken = joined([silence(0.32), tone(0.704)])  # whole windows
    async with AsyncExitStack() as stack:
        bench = await many_talking(stack, count, SessionPatch(x_events=ALL, vad_mode=mode))
        await asyncio.sleep(PERIOD_S / 3)  # from now on always between two ticks
        for number in range(spoken.size // STEP):
            await asyncio.sleep(PERIOD_S)
            for transport in bench.transports:
                transport.observer.on_pcm(packet(spoken, number))
        for transport in bench.transports:  # with many sessions, the last packet waits for the tick
            end(bench, transport)
        await asyncio.sleep(1)
        return Counter(
            request.samples.size for request in bench.ast.requests if not request.partial
        )


async def hang_up(bench: SessionBench, transport: FakeTransport) -> None:
    await bench.manager.close_call(events(transport)[0]["session"]["id"], drain=True)


@pytest.mark.parametrize(
    ("mode", "end"),
    [
        ("off", lambda _, transport: say(transport, type="x.input.commit")),
        ("auto", lambda _, transport: say(transport, type="session.close")),
        ("auto", lambda _, transport: transport.observer.on_closed(CloseReason.PEER_LOST)),
        ("auto", lambda bench, transport: asyncio.ensure_future(hang_up(bench, transport))),
    ],
    ids=["push-to-talk", "close", "lost", "hung up"],
)
async def test_what_came_before_an_end_is_heard_before_it(
    mode: str, end: Callable[[SessionBench, FakeTransport], object]
) -> None:
    [alone] = await translated_samples(1, mode, end)
    assert alone >= tone(0.704).size
    assert await translated_samples(FEW, mode, end) == {alone: FEW}


async def test_a_session_that_fails_to_hear_ends_and_the_others_go_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with AsyncExitStack() as stack:
        bench = await many_talking(stack)
        bench.transports[0].observer.on_pcm(packet(SPOKEN, 0))
        with caplog.at_level(logging.ERROR):
            await asyncio.sleep(PERIOD_S)
            for transport in bench.transports:
                transport.observer.on_pcm(packet(SPOKEN, 0))  # to the first one it comes twice
            await asyncio.sleep(1)
        assert bench.transports[0].closed is CloseReason.FAILED
        assert [transport.closed for transport in bench.transports[1:]] == [None] * (FEW - 1)
        assert len(caplog.records) == 1
