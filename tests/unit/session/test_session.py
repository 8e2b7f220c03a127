"""Sessions and their manager in virtual time, on a wire without a network."""

import asyncio
from dataclasses import replace

import pytest

from rtc_server.errors import (
    AdmissionRefused,
    BadOffer,
    EtagMismatch,
    NotReady,
    RateLimited,
    UnknownSession,
    UnsupportedPair,
)
from rtc_server.events.client import SessionPatch
from rtc_server.pcm import FRAME_MS, SPEECH_RATE
from rtc_server.session.quota import DAY_S, RENEWED_BEFORE_S, KeyLimits
from rtc_server.session.session_api import Claimant, Owner, SessionRequest
from rtc_server.transport.transport_api import CloseReason, TransportObserver
from tests.support.fakes import (
    FakeAst,
    FakeTransport,
    FakeTts,
    LoudnessVad,
    joined,
    ok,
    silence,
    tone,
)
from tests.support.house import ALL, events, house, say, speak


async def test_created_comes_first_and_tells_the_truth() -> None:
    async with house() as h:
        session_id = await h.call(SessionPatch(transcription=True), model="gpt-realtime-translate")
        first = events(h.wires[0])[0]
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
    async with house(FakeAst([ok("да", "yes")])) as h:
        await h.call()
        h.wires[0].observer.on_connected()
        await speak(h.wires[0], joined([tone(1), silence(3)]))
        assert {e["type"] for e in events(h.wires[0])} == {
            "session.created",
            "session.output_transcript.delta",
        }


async def test_extensions_go_to_whom_asked_with_one_monotonic_seq() -> None:
    async with house(FakeAst([ok("да", "yes")])) as h:
        await h.call()
        wire = h.wires[0]
        wire.observer.on_connected()
        say(wire, type="session.update", session={"x_events": sorted(ALL)}, event_id="u1")
        await speak(wire, joined([tone(1), silence(3)]))
        kinds = {e["type"] for e in events(wire, "x.")}
        assert kinds == {"x.segment", "x.playout", "x.vad", "x.metrics"}
        numbers = [e["seq"] for e in events(wire, "x.")]
        assert numbers == list(range(1, len(numbers) + 1))
        assert len({e["event_id"] for e in events(wire)}) == len(wire.sent)
        metrics = events(wire, "x.metrics")
        assert len(metrics) == 4  # one a second
        assert metrics[-1]["first_audio_ms"] > 0


async def test_the_wires_quality_is_told() -> None:
    async with house() as h:
        await h.call(SessionPatch(x_events=frozenset({"metrics"})))
        wire = h.wires[0]
        wire.observer.on_connected()
        wire.stats.packets_received, wire.stats.packets_lost, wire.stats.packets_sent = 75, 25, 40
        wire.stats.recovered_ms, wire.stats.concealed_ms = 300.0, 200.0
        wire.stats.jitter_ms, wire.stats.buffer_target_ms, wire.stats.drift_ppm = 12.5, 60.0, -80.0
        await asyncio.sleep(1.5)
        told = events(wire, "x.metrics")[-1]
        assert (told["loss"], told["packets_received"], told["packets_sent"]) == (0.25, 75, 40)
        assert (told["recovered_ms"], told["concealed_ms"]) == (300, 200)
        assert (told["jitter_ms"], told["buffer_target_ms"], told["drift_ppm"]) == (12.5, 60, -80)


async def test_settings_change_and_what_cannot_be_is_refused() -> None:
    async with house() as h:
        await h.call()
        wire = h.wires[0]
        say(wire, type="x.session", source_language="en", target_language="ru", voice="c")
        assert events(wire, "session.updated")[-1]["session"]["x"]["voice"] == "c"
        say(wire, type="x.session", target_language="de", event_id="mine")
        error = events(wire, "error")[-1]["error"]
        assert error["code"] == "unsupported_language"
        assert error["event_id"] == "mine"
        assert "en to ru, ru to en" in error["message"]
        assert len(events(wire, "session.updated")) == 1
        wire.observer.on_message("{")
        assert events(wire, "error")[-1]["error"]["type"] == "invalid_request_error"
        wire.observer.on_bad_message("Binary messages are not understood.")
        assert "Binary" in events(wire, "error")[-1]["error"]["message"]


async def test_a_target_alone_finds_the_only_source_there_is_for_it() -> None:
    async with house() as h:
        await h.call()  # from Russian
        wire = h.wires[0]
        say(wire, type="session.update", session={"audio": {"output": {"language": "ru"}}})
        x = events(wire, "session.updated")[-1]["session"]["x"]
        assert (x["source_language"], x["target_language"]) == ("en", "ru")
        say(wire, type="x.session", source_language="ru", target_language="ru")
        assert events(wire, "error")[-1]["error"]["code"] == "unsupported_language"


async def test_what_a_stream_asks_for_is_checked_before_it_connects() -> None:
    async with house() as h:

        async def connect(listener: TransportObserver) -> FakeTransport:
            pytest.fail("nobody was admitted")

        with pytest.raises(UnsupportedPair):
            request = SessionRequest(settings=SessionPatch(target_language="fr"))
            await h.manager.run_stream(connect, request)
        h.readiness.ready = False
        with pytest.raises(AdmissionRefused):
            await h.manager.run_stream(connect, SessionRequest())


async def test_who_streams_a_recording_too_fast_is_warned() -> None:
    async with house() as h:
        await h.call(SessionPatch(x_events=ALL))
        h.wires[0].observer.on_audio_ahead()
        assert events(h.wires[0], "x.warning")[-1]["code"] == "audio_ahead"
        assert not events(h.wires[0], "error")


async def test_who_knows_no_warnings_is_told_by_an_error() -> None:
    """A client of OpenAI's API asks for no extensions, and would wait without knowing why."""
    async with house() as h:
        await h.call(SessionPatch())
        h.wires[0].observer.on_audio_ahead()
        assert events(h.wires[0], "error")[-1]["error"]["code"] == "audio_ahead"
        assert not events(h.wires[0], "x.warning")


async def test_a_stream_lasts_as_long_as_its_session_and_sends_stats() -> None:
    async with house() as h:

        async def connect(listener: TransportObserver) -> FakeTransport:
            h.wires.append(FakeTransport(listener))
            return h.wires[-1]

        stream = asyncio.create_task(h.manager.run_stream(connect, SessionRequest(stats=True)))
        await asyncio.sleep(0.1)
        wire = h.wires[0]
        wire.observer.on_connected()
        session_id = events(wire)[0]["session"]["id"]
        with pytest.raises(UnknownSession, match="WebSocket"):
            await h.manager.trickle(session_id, "a=candidate", None)
        await speak(wire, joined([tone(1), silence(1)]))
        assert {"latency_ms", "queue_depth", "queue_drops"} < events(wire, "stats")[0].keys()
        await speak(wire, silence(2), start=2 * SPEECH_RATE)
        last = events(wire, "stats")[-1]
        assert last["latency_ms"] > 0
        assert (last["queue_depth"], last["queue_drops"]) == (0, 0)
        wire.observer.on_slow_reader()
        assert events(wire, "error")[-1]["error"]["code"] == "slow_reader"
        assert not stream.done()
        say(wire, type="session.close")
        await stream
        assert h.manager.sessions == 0


async def test_a_stream_whose_handler_is_cancelled_frees_its_session() -> None:
    async with house() as h:

        async def connect(listener: TransportObserver) -> FakeTransport:
            h.wires.append(FakeTransport(listener))
            return h.wires[-1]

        stream = asyncio.create_task(h.manager.run_stream(connect, SessionRequest()))
        await asyncio.sleep(0.1)
        assert h.manager.sessions == 1
        stream.cancel()
        await asyncio.wait({stream})
        assert stream.cancelled()
        await asyncio.sleep(0)
        assert h.manager.sessions == 0
        assert h.wires[0].closed is CloseReason.LOCAL


async def test_ping_is_answered() -> None:
    async with house() as h:
        await h.call()
        say(h.wires[0], type="x.ping", event_id="p")
        assert events(h.wires[0], "x.pong")[0]["ping_event_id"] == "p"


async def test_close_speaks_what_is_pending_first() -> None:
    async with house(FakeAst([ok("да", "yes")], delay_s=1), FakeTts(seconds=1)) as h:
        await h.call(SessionPatch(x_events=ALL))
        wire = h.wires[0]
        await speak(wire, tone(1))
        say(wire, type="session.close")
        for _ in range(200):
            wire.observer.next_frame()
            await asyncio.sleep(FRAME_MS / 1000)
        kinds = [(e["type"], e.get("state")) for e in events(wire)]
        assert ("x.playout", "finished") in kinds
        assert kinds[-1] == ("session.closed", None)
        assert wire.closed is CloseReason.LOCAL
        assert h.manager.sessions == 0


async def test_a_peer_that_leaves_while_its_session_drains_frees_it_at_once() -> None:
    async with house(FakeAst(delay_s=1000)) as h:
        await h.call()
        wire = h.wires[0]
        await speak(wire, joined([tone(1), silence(1)]))
        say(wire, type="session.close")
        await asyncio.sleep(0.1)
        assert h.manager.sessions == 1
        wire.observer.on_closed(CloseReason.REMOTE)
        await asyncio.sleep(0.1)
        assert h.manager.sessions == 0


async def test_a_drain_that_never_ends_is_ended() -> None:
    async with house(FakeAst(delay_s=1000)) as h:
        session_id = await h.call()
        await speak(h.wires[0], joined([tone(1), silence(1)]))
        await h.manager.close_call(session_id, drain=True)
        assert h.manager.sessions == 0
        assert events(h.wires[0])[-1]["type"] == "session.closed"


@pytest.mark.parametrize("reason", [CloseReason.PEER_LOST, CloseReason.CONNECT_TIMEOUT])
async def test_a_lost_peer_frees_everything(reason: CloseReason) -> None:
    async with house(FakeAst(delay_s=1000)) as h:
        await h.call()
        await speak(h.wires[0], joined([tone(1), silence(1)]))
        h.wires[0].observer.on_closed(reason)
        await asyncio.sleep(0.1)
        assert h.manager.sessions == 0
        assert h.wires[0].closed is reason
        assert h.ast.forgotten and h.tts.forgotten


async def test_the_house_is_full_and_has_room_again() -> None:
    async with house(max_sessions=2) as h:
        first = await h.call()
        await h.call()
        with pytest.raises(AdmissionRefused, match="All 2 sessions") as caught:
            await h.call()
        with pytest.raises(AdmissionRefused, match="All 2 sessions"):
            await h.manager.check_admission(SessionRequest())
        assert caught.value.retry_after_s > 0
        await h.manager.close_call(first, drain=False)
        once = KeyLimits(sessions=1)
        for _ in range(2):  # being asked takes no place, nor anything of the key's share
            await h.manager.check_admission(SessionRequest(claimant=Claimant(Owner("key"), once)))
        await h.call()


async def test_no_more_come_in_than_the_engines_can_carry() -> None:
    async with house() as h:
        open_already = await h.call()
        h.readiness.retry_after_s = 7
        with pytest.raises(AdmissionRefused, match="as much as it can") as caught:
            await h.call()
        assert (caught.value.retry_after_s, caught.value.status) == (7, 503)
        assert h.manager.owner(open_already)  # whoever is there stays
        h.readiness.retry_after_s = 0
        await h.call()


async def test_a_storm_of_calls_takes_no_more_than_there_is() -> None:
    async with house(max_sessions=3) as h:
        came = await asyncio.gather(*(h.call() for _ in range(20)), return_exceptions=True)
        assert sum(isinstance(c, str) for c in came) == 3
        assert sum(isinstance(c, AdmissionRefused) for c in came) == 17


async def test_an_offer_is_read_before_anything_of_a_session_is_built() -> None:
    made: list[LoudnessVad] = []

    def make_vad() -> LoudnessVad:
        made.append(LoudnessVad())
        return made[-1]

    async with house(make_vad=make_vad) as h:
        with pytest.raises(BadOffer):
            await h.manager.open_call("bad", SessionRequest())
        with pytest.raises(UnsupportedPair):  # as ever, that is found first
            await h.manager.open_call(
                "bad", SessionRequest(None, SessionPatch(target_language="fr"))
            )
        assert made == []
        await h.call()
        assert len(made) == 1


async def test_refused_calls_leave_nothing() -> None:
    async with house() as h:
        with pytest.raises(BadOffer):
            await h.manager.open_call("bad", SessionRequest())
        with pytest.raises(UnsupportedPair, match="does not translate 'ru' to 'fr'"):
            await h.call(SessionPatch(target_language="fr"))
        with pytest.raises(UnsupportedPair, match="engine fake, not 'canary'"):
            await h.call(SessionPatch(engine="canary"))
        with pytest.raises(UnsupportedPair, match="no voice 'z' for en"):
            await h.call(SessionPatch(voice="z"))
        h.readiness.ready = False
        with pytest.raises(AdmissionRefused, match="warming up"):
            await h.call()
        assert h.manager.sessions == 0
        assert not h.wires


async def test_a_caller_who_gives_up_leaves_nothing() -> None:
    async with house() as h:
        call = asyncio.create_task(h.call())
        await asyncio.sleep(0.005)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        assert h.manager.sessions == 0


async def test_trickle_knows_its_session_and_its_etag() -> None:
    async with house() as h:
        opened = await h.manager.open_call("offer", SessionRequest())
        await h.manager.trickle(opened.session_id, "a=candidate", opened.etag)
        await h.manager.trickle(opened.session_id, "a=candidate", None)
        assert len(h.wires[0].fragments) == 2
        with pytest.raises(EtagMismatch):
            await h.manager.trickle(opened.session_id, "a=candidate", "other")
        with pytest.raises(UnknownSession):
            await h.manager.trickle("sess_none", "a=candidate", None)


async def test_the_end_of_the_house_closes_all() -> None:
    async with house() as h:
        await h.call()
        await h.call()
    assert all(wire.closed is CloseReason.LOCAL for wire in h.wires)
    assert all(events(wire)[-1]["type"] == "session.closed" for wire in h.wires)


async def test_nothing_follows_the_goodbye() -> None:
    async with house(tts=FakeTts(seconds=5)) as h:
        session_id = await h.call(SessionPatch(x_events=ALL))
        wire = h.wires[0]
        await speak(wire, joined([tone(1), silence(1)]))
        closing = asyncio.create_task(h.manager.close_call(session_id, drain=False))
        for _ in range(10):
            say(wire, type="x.ping")
            wire.observer.next_frame()
            await asyncio.sleep(0.005)
        await closing
        assert events(wire)[-1]["type"] == "session.closed"


async def test_segments_are_cut_before_they_are_too_long_for_the_engine() -> None:
    ast = FakeAst()
    ast.capabilities = replace(ast.capabilities, max_audio_s=4.0)
    async with house(ast) as h:
        await h.call()
        await speak(h.wires[0], joined([tone(11), silence(1)]))
        assert [r for r in ast.requests if len(r.samples) > 4 * SPEECH_RATE] == []
        assert sum(len(r.samples) for r in ast.requests) >= 11 * SPEECH_RATE
        assert h.manager.sessions == 1


async def test_a_broken_engine_seam_ends_one_session_only() -> None:
    async with house() as h:
        await h.call()
        await h.call()
        h.ast.script.append("not a result")  # type: ignore[arg-type]
        await speak(h.wires[0], joined([tone(1), silence(1)]))
        assert h.manager.sessions == 1
        assert h.wires[0].closed is not None
        assert h.wires[1].closed is None


@pytest.mark.unmeasured
async def test_a_session_without_an_end_says_when_it_is_renewed() -> None:
    async with house() as h:
        await h.call()
        (wire,) = h.wires
        first = events(wire)[0]["session"]["expires_at"]
        await asyncio.sleep(DAY_S)
        (renewed,) = events(wire, "session.updated")
        assert renewed["session"]["expires_at"] >= first + DAY_S - 2 * RENEWED_BEFORE_S
        assert wire.closed is None


async def test_a_session_is_told_that_its_time_is_nearly_up_then_closes() -> None:
    async with house() as h:
        limits = KeyLimits(session_minutes=2)
        patch = SessionPatch(x_events=frozenset({"segment"}))
        await h.manager.open_call(
            "offer", SessionRequest(settings=patch, claimant=Claimant(limits=limits))
        )
        wire = h.wires[0]
        assert isinstance(events(wire)[0]["session"]["expires_at"], int)
        await asyncio.sleep(59)
        assert not events(wire, "x.expiring")
        await asyncio.sleep(5)
        (told,) = events(wire, "x.expiring")
        assert 0 < told["in_ms"] <= 60_000 and told["reason"] == "limit"
        await asyncio.sleep(57)
        assert events(wire)[-1]["type"] == "session.closed"
        assert h.manager.sessions == 0


async def test_a_call_that_fails_gives_its_share_of_the_key_back() -> None:
    async with house() as h:
        limits, owner = KeyLimits(sessions=1), Owner("key")
        request = SessionRequest(claimant=Claimant(owner, limits))
        with pytest.raises(BadOffer):
            await h.manager.open_call("bad", request)
        unknown = SessionRequest(None, SessionPatch(target_language="xx"), request.claimant)
        with pytest.raises(UnsupportedPair):
            await h.manager.open_call("offer", unknown)
        opened = await h.manager.open_call("offer", request)
        assert h.manager.owner(opened.session_id) == owner
        with pytest.raises(RateLimited):
            await h.manager.open_call("offer", request)
        await h.manager.close_call(opened.session_id, drain=False)
        await h.manager.open_call("offer", request)


async def test_revoking_a_key_ends_its_sessions_and_no_others() -> None:
    async with house() as h:
        for key in ("one", "two"):
            await h.manager.open_call("offer", SessionRequest(claimant=Claimant(Owner(key))))
        h.manager.revoke("one")
        await asyncio.sleep(2)
        assert [events(wire)[-1]["type"] for wire in h.wires] == [
            "session.closed",
            "session.created",
        ]


async def test_settings_are_checked_before_there_is_a_session() -> None:
    async with house() as h:
        h.manager.check(SessionPatch(target_language="en"))
        with pytest.raises(UnsupportedPair):
            h.manager.check(SessionPatch(target_language="xx"))
        h.readiness.ready = False
        with pytest.raises(NotReady):
            h.manager.check(SessionPatch())
