"""Sessions and their manager in virtual time, on a transport without a network."""

import asyncio

import pytest

from rtc_server.errors import (
    AdmissionRefused,
    UnknownSession,
    UnsupportedPair,
)
from rtc_server.events.client import SessionPatch
from rtc_server.pcm import SPEECH_RATE
from rtc_server.session.session_api import SessionRequest
from rtc_server.transport.transport_api import CloseReason, TransportObserver
from tests.support.fakes import (
    FakeAst,
    FakeTransport,
    joined,
    ok,
    silence,
    tone,
)
from tests.support.session_bench import ALL, events, say, session_bench, speak


async def test_created_comes_first_and_tells_the_truth() -> None:
    async with session_bench() as bench:
        session_id = await bench.call(
            SessionPatch(transcription=True), model="gpt-realtime-translate"
        )
        first = events(bench.transports[0])[0]
        assert first["type"] == "session.created"
        assert first["session"]["id"] == session_id
        assert first["session"]["type"] == "translation"
        assert first["session"]["model"] == "gpt-realtime-translate"
        assert first["session"]["audio"] == {
            "input": {
                "transcription": {"model": "fake", "language": "ru"},
                "noise_reduction": None,
            },
            "output": {"language": "en"},
        }
        assert first["session"]["x"]["ast"] == "Fake AST 1.0"


async def test_a_compatible_client_never_sees_an_extension() -> None:
    async with session_bench(FakeAst([ok("да", "yes")])) as bench:
        await bench.call()
        bench.transports[0].observer.on_connected()
        await speak(bench.transports[0], joined([tone(1), silence(3)]))
        assert {e["type"] for e in events(bench.transports[0])} == {
            "session.created",
            "session.output_transcript.delta",
        }


async def test_extensions_go_to_whom_asked_with_one_monotonic_seq() -> None:
    async with session_bench(FakeAst([ok("да", "yes")])) as bench:
        await bench.call()
        transport = bench.transports[0]
        transport.observer.on_connected()
        say(transport, type="session.update", session={"x_events": sorted(ALL)}, event_id="u1")
        await speak(transport, joined([tone(1), silence(3)]))
        kinds = {e["type"] for e in events(transport, "x.")}
        assert kinds == {"x.segment", "x.playout", "x.vad", "x.metrics"}
        numbers = [e["seq"] for e in events(transport, "x.")]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len({e["event_id"] for e in events(transport)}) == len(transport.sent)
        metrics = events(transport, "x.metrics")
        assert len(metrics) == 4  # one a second
        assert metrics[-1]["first_audio_ms"] > 0


async def test_the_quality_of_the_transport_is_reported() -> None:
    async with session_bench() as bench:
        await bench.call(SessionPatch(x_events=frozenset({"metrics"})))
        transport = bench.transports[0]
        transport.observer.on_connected()
        (
            transport.stats.packets_received,
            transport.stats.packets_lost,
            transport.stats.packets_sent,
        ) = 75, 25, 40
        transport.stats.recovered_ms, transport.stats.concealed_ms = 300.0, 200.0
        transport.stats.jitter_ms, transport.stats.buffer_target_ms, transport.stats.drift_ppm = (
            12.5,
            60.0,
            -80.0,
        )
        await asyncio.sleep(1.5)
        told = events(transport, "x.metrics")[-1]
        assert (told["loss"], told["packets_received"], told["packets_sent"]) == (0.25, 75, 40)
        assert (told["recovered_ms"], told["concealed_ms"]) == (300, 200)
        assert (told["jitter_ms"], told["buffer_target_ms"], told["drift_ppm"]) == (12.5, 60, -80)


async def test_settings_change_and_what_cannot_be_is_refused() -> None:
    async with session_bench() as bench:
        await bench.call()
        transport = bench.transports[0]
        say(transport, type="x.session", source_language="en", target_language="ru", voice="c")
        assert events(transport, "session.updated")[-1]["session"]["x"]["voice"] == "c"
        say(transport, type="x.session", target_language="de", event_id="mine")
        error = events(transport, "error")[-1]["error"]
        assert error["code"] == "unsupported_language"
        assert error["event_id"] == "mine"
        assert "en to ru, ru to en" in error["message"]
        assert len(events(transport, "session.updated")) == 1
        transport.observer.on_message("{")
        assert events(transport, "error")[-1]["error"]["type"] == "invalid_request_error"
        transport.observer.on_bad_message("Binary messages are not understood.")
        assert "Binary" in events(transport, "error")[-1]["error"]["message"]


async def test_a_target_alone_finds_the_only_source_there_is_for_it() -> None:
    async with session_bench() as bench:
        await bench.call()  # from Russian
        transport = bench.transports[0]
        say(transport, type="session.update", session={"audio": {"output": {"language": "ru"}}})
        x = events(transport, "session.updated")[-1]["session"]["x"]
        assert (x["source_language"], x["target_language"]) == ("en", "ru")
        say(transport, type="x.session", source_language="ru", target_language="ru")
        assert events(transport, "error")[-1]["error"]["code"] == "unsupported_language"


async def test_what_a_stream_asks_for_is_checked_before_it_connects() -> None:
    async with session_bench() as bench:

        async def connect(listener: TransportObserver) -> FakeTransport:
            pytest.fail("nobody was admitted")

        with pytest.raises(UnsupportedPair):
            request = SessionRequest(settings=SessionPatch(target_language="fr"))
            await bench.manager.run_stream(connect, request)
        bench.readiness.ready = False
        with pytest.raises(AdmissionRefused):
            await bench.manager.run_stream(connect, SessionRequest())


async def test_who_streams_a_recording_too_fast_is_warned() -> None:
    async with session_bench() as bench:
        await bench.call(SessionPatch(x_events=ALL))
        bench.transports[0].observer.on_audio_ahead()
        assert events(bench.transports[0], "x.warning")[-1]["code"] == "audio_ahead"
        assert not events(bench.transports[0], "error")


async def test_who_knows_no_warnings_is_told_by_an_error() -> None:
    """A client of OpenAI's API asks for no extensions, and would wait without knowing why."""
    async with session_bench() as bench:
        await bench.call(SessionPatch())
        bench.transports[0].observer.on_audio_ahead()
        assert events(bench.transports[0], "error")[-1]["error"]["code"] == "audio_ahead"
        assert not events(bench.transports[0], "x.warning")


async def test_a_stream_lasts_as_long_as_its_session_and_sends_stats() -> None:
    async with session_bench() as bench:

        async def connect(listener: TransportObserver) -> FakeTransport:
            bench.transports.append(FakeTransport(listener))
            return bench.transports[-1]

        stream = asyncio.create_task(bench.manager.run_stream(connect, SessionRequest(stats=True)))
        await asyncio.sleep(0.1)
        transport = bench.transports[0]
        transport.observer.on_connected()
        session_id = events(transport)[0]["session"]["id"]
        with pytest.raises(UnknownSession, match="WebSocket"):
            await bench.manager.trickle(session_id, "a=candidate", None)
        await speak(transport, joined([tone(1), silence(1)]))
        assert {"latency_ms", "queue_depth", "queue_drops"} < events(transport, "stats")[0].keys()
        await speak(transport, silence(2), start=2 * SPEECH_RATE)
        last = events(transport, "stats")[-1]
        assert last["latency_ms"] > 0
        assert (last["queue_depth"], last["queue_drops"]) == (0, 0)
        transport.observer.on_slow_reader()
        assert events(transport, "error")[-1]["error"]["code"] == "slow_reader"
        assert not stream.done()
        say(transport, type="session.close")
        await stream
        assert bench.manager.sessions == 0


async def test_a_stream_whose_handler_is_cancelled_frees_its_session() -> None:
    async with session_bench() as bench:

        async def connect(listener: TransportObserver) -> FakeTransport:
            bench.transports.append(FakeTransport(listener))
            return bench.transports[-1]

        stream = asyncio.create_task(bench.manager.run_stream(connect, SessionRequest()))
        await asyncio.sleep(0.1)
        assert bench.manager.sessions == 1
        stream.cancel()
        await asyncio.wait({stream})
        assert stream.cancelled()
        await asyncio.sleep(0)
        assert bench.manager.sessions == 0
        assert bench.transports[0].closed is CloseReason.LOCAL


async def test_ping_is_answered() -> None:
    async with session_bench() as bench:
        await bench.call()
        say(bench.transports[0], type="x.ping", event_id="p")
        assert events(bench.transports[0], "x.pong")[0]["ping_event_id"] == "p"
