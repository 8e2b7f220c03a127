"""Push-to-talk whose release overtakes the last word, in virtual time."""

import asyncio

import numpy as np
import pytest

from rtc_server.events.client import SessionPatch
from rtc_server.pcm import Samples
from tests.support.fakes import FakeTransport, joined, silence, tone
from tests.support.session_bench import ALL, SessionBench, events, say, session_bench, speak

PRESSED = 4800
"""Position of the audio at the press."""
LATENCY = 3200
"""Samples that a slow microphone holds back: 200 ms."""


async def pressed(bench: SessionBench, mode: str = "off") -> FakeTransport:
    await bench.call(SessionPatch(x_events=ALL, vad_mode=mode))
    transport = bench.transports[0]
    transport.in_order = False
    transport.observer.on_connected()
    await speak(transport, silence(0.3))
    say(transport, type="x.input.start")
    return transport


async def talk(transport: FakeTransport, *parts: Samples, behind: int = 0) -> int:
    """Speak that many samples after the press; return how many have been spoken by then."""
    said = joined(list(parts))
    await speak(transport, said, PRESSED + behind)
    return behind + said.size


def engine_voiced_s(bench: SessionBench) -> float:
    return float(sum(np.sum(np.abs(r.samples) > 0.2) for r in bench.ast.requests)) / float(
        np.sum(np.abs(tone(1)) > 0.2)
    )


@pytest.mark.parametrize("mode", ["off", "auto"])
@pytest.mark.parametrize("tail", [{}, {"tail_ms": 200}, {"tail_ms": None}])
async def test_all_that_was_said_before_the_release_reaches_the_engine(
    mode: str, tail: dict[str, object]
) -> None:
    async with session_bench() as bench:
        transport = await pressed(bench, mode)
        said = tone(1.5)
        at = await talk(transport, said[:-LATENCY])
        say(transport, type="x.input.commit", **tail)
        assert not bench.ast.requests
        await talk(transport, said[-LATENCY:], silence(0.5), behind=at)
        assert len(bench.ast.requests) == 1
        assert engine_voiced_s(bench) == pytest.approx(1.5, abs=0.001)


async def test_translation_begins_before_the_tail_is_over() -> None:
    async with session_bench() as bench:
        transport = await pressed(bench)
        at = await talk(transport, tone(1), silence(0.5))
        say(transport, type="x.input.commit")
        at = await talk(transport, silence(0.06), behind=at)
        assert len(bench.ast.guesses) == 1 and not bench.ast.requests
        await talk(transport, silence(0.1), behind=at)
        (request,), (guess,) = bench.ast.requests, bench.ast.guesses
        assert request.samples is guess.samples


async def test_a_client_that_sends_everything_first_waits_for_nothing() -> None:
    async with session_bench() as bench:
        transport = await pressed(bench)
        transport.in_order = True
        await talk(transport, tone(1))
        say(transport, type="x.input.commit")
        assert len(bench.ast.requests) == 1


async def test_a_client_that_stops_sending_is_waited_for_and_then_translated() -> None:
    async with session_bench() as bench:
        transport = await pressed(bench)
        await talk(transport, tone(1))
        say(transport, type="x.input.commit")
        await asyncio.sleep(0.45)
        assert not bench.ast.requests
        await asyncio.sleep(0.1)
        assert engine_voiced_s(bench) == pytest.approx(1, abs=0.001)


async def test_whoever_presses_again_is_one_phrase() -> None:
    async with session_bench() as bench:
        transport = await pressed(bench)
        at = await talk(transport, tone(1))
        say(transport, type="x.input.commit")
        at = await talk(transport, silence(0.08), behind=at)
        say(transport, type="x.input.start")
        await talk(transport, tone(1), behind=at)
        await asyncio.sleep(1)
        assert not bench.ast.requests
        say(transport, type="x.input.commit", tail_ms=0)
        assert engine_voiced_s(bench) == pytest.approx(2, abs=0.001)


async def test_two_people_who_take_turns_at_once_keep_their_words() -> None:
    async with session_bench() as bench:
        transport = await pressed(bench)
        at = await talk(transport, tone(1)[:-LATENCY])
        say(transport, type="x.input.commit")
        say(transport, type="x.session", source_language="en", target_language="ru")
        say(transport, type="x.input.start")
        await talk(transport, tone(1)[-LATENCY:], silence(0.25), tone(0.5), behind=at)
        say(transport, type="x.input.commit", tail_ms=0)
        first, second = bench.ast.requests
        assert (first.source_language, second.source_language) == ("ru", "en")
        one = float(np.sum(np.abs(first.samples) > 0.2))
        assert one == pytest.approx(float(np.sum(np.abs(tone(1)) > 0.2)), rel=0.001)


async def test_a_tail_that_is_no_time_is_refused() -> None:
    async with session_bench() as bench:
        transport = await pressed(bench)
        await talk(transport, tone(1))
        say(transport, type="x.input.commit", tail_ms=1001, event_id="long")
        error = events(transport, "error")[0]["error"]
        assert error["event_id"] == "long"
        assert error["message"] == "x.input.commit.tail_ms must be a number from 0 to 1000."
        assert not bench.ast.requests
