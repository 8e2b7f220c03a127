"""Manager of sessions in virtual time: admission, closing and freeing."""

import asyncio
from dataclasses import replace

import pytest

from rtc_server.errors import (
    AdmissionRefused,
    BadOffer,
    EtagMismatch,
    NotReady,
    UnknownSession,
    UnsupportedPair,
)
from rtc_server.events.client import SessionPatch
from rtc_server.pcm import FRAME_MS, SPEECH_RATE
from rtc_server.session.quota import DAY_S, RENEWED_BEFORE_S, KeyLimits
from rtc_server.session.session_api import Claimant, Owner, SessionRequest
from rtc_server.transport.transport_api import CloseReason
from tests.support.fakes import (
    FakeAst,
    FakeTts,
    LoudnessVad,
    joined,
    ok,
    silence,
    tone,
)
from tests.support.session_bench import ALL, events, say, session_bench, speak


async def test_close_speaks_what_is_pending_first() -> None:
    async with session_bench(FakeAst([ok("да", "yes")], delay_s=1), FakeTts(seconds=1)) as bench:
        await bench.call(SessionPatch(x_events=ALL))
        transport = bench.transports[0]
        await speak(transport, tone(1))
        say(transport, type="session.close")
        for _ in range(200):
            transport.observer.next_frame()
            await asyncio.sleep(FRAME_MS / 1000)
        kinds = [(e["type"], e.get("state")) for e in events(transport)]
        assert ("x.playout", "finished") in kinds
        assert kinds[-1] == ("session.closed", None)
        assert transport.closed is CloseReason.LOCAL
        assert bench.manager.sessions == 0


async def test_a_peer_that_leaves_while_its_session_drains_frees_it_at_once() -> None:
    async with session_bench(FakeAst(delay_s=1000)) as bench:
        await bench.call()
        transport = bench.transports[0]
        await speak(transport, joined([tone(1), silence(1)]))
        say(transport, type="session.close")
        await asyncio.sleep(0.1)
        assert bench.manager.sessions == 1
        transport.observer.on_closed(CloseReason.REMOTE)
        await asyncio.sleep(0.1)
        assert bench.manager.sessions == 0


async def test_a_drain_that_never_ends_is_ended() -> None:
    async with session_bench(FakeAst(delay_s=1000)) as bench:
        session_id = await bench.call()
        await speak(bench.transports[0], joined([tone(1), silence(1)]))
        await bench.manager.close_call(session_id, drain=True)
        assert bench.manager.sessions == 0
        assert events(bench.transports[0])[-1]["type"] == "session.closed"


@pytest.mark.parametrize("reason", [CloseReason.PEER_LOST, CloseReason.CONNECT_TIMEOUT])
async def test_a_lost_peer_frees_everything(reason: CloseReason) -> None:
    async with session_bench(FakeAst(delay_s=1000)) as bench:
        await bench.call()
        await speak(bench.transports[0], joined([tone(1), silence(1)]))
        bench.transports[0].observer.on_closed(reason)
        await asyncio.sleep(0.1)
        assert bench.manager.sessions == 0
        assert bench.transports[0].closed is reason
        assert bench.ast.forgotten and bench.tts.forgotten


async def test_the_server_is_full_and_has_room_again() -> None:
    async with session_bench(max_sessions=2) as bench:
        first = await bench.call()
        await bench.call()
        with pytest.raises(AdmissionRefused, match="All 2 sessions") as caught:
            await bench.call()
        with pytest.raises(AdmissionRefused, match="All 2 sessions"):
            await bench.manager.check_admission(SessionRequest())
        assert caught.value.retry_after_s > 0
        await bench.manager.close_call(first, drain=False)
        once = KeyLimits(sessions=1)
        for _ in range(2):  # a check takes no place, nor any of the key's quota
            await bench.manager.check_admission(
                SessionRequest(claimant=Claimant(Owner("key"), once))
            )
        await bench.call()


async def test_no_more_come_in_than_the_engines_can_carry() -> None:
    async with session_bench() as bench:
        open_already = await bench.call()
        bench.readiness.retry_after_s = 7
        with pytest.raises(AdmissionRefused, match="as much as it can") as caught:
            await bench.call()
        assert (caught.value.retry_after_s, caught.value.status) == (7, 503)
        assert bench.manager.owner(open_already)  # connected callers stay
        bench.readiness.retry_after_s = 0
        await bench.call()


async def test_a_storm_of_calls_takes_no_more_than_there_is() -> None:
    async with session_bench(max_sessions=3) as bench:
        came = await asyncio.gather(*(bench.call() for _ in range(20)), return_exceptions=True)
        assert sum(isinstance(c, str) for c in came) == 3
        assert sum(isinstance(c, AdmissionRefused) for c in came) == 17


async def test_an_offer_is_read_before_anything_of_a_session_is_built() -> None:
    made: list[LoudnessVad] = []

    def make_vad() -> LoudnessVad:
        made.append(LoudnessVad())
        return made[-1]

    async with session_bench(make_vad=make_vad) as bench:
        with pytest.raises(BadOffer):
            await bench.manager.open_call("bad", SessionRequest())
        with pytest.raises(UnsupportedPair):  # as ever, that is found first
            await bench.manager.open_call(
                "bad", SessionRequest(None, SessionPatch(target_language="fr"))
            )
        assert made == []
        await bench.call()
        assert len(made) == 1


async def test_trickle_knows_its_session_and_its_etag() -> None:
    async with session_bench() as bench:
        opened = await bench.manager.open_call("offer", SessionRequest())
        await bench.manager.trickle(opened.session_id, "a=candidate", opened.etag)
        await bench.manager.trickle(opened.session_id, "a=candidate", None)
        assert len(bench.transports[0].fragments) == 2
        with pytest.raises(EtagMismatch):
            await bench.manager.trickle(opened.session_id, "a=candidate", "other")
        with pytest.raises(UnknownSession):
            await bench.manager.trickle("sess_none", "a=candidate", None)


async def test_the_end_of_the_manager_closes_all() -> None:
    async with session_bench() as bench:
        await bench.call()
        await bench.call()
    assert all(transport.closed is CloseReason.LOCAL for transport in bench.transports)
    assert all(events(transport)[-1]["type"] == "session.closed" for transport in bench.transports)


async def test_nothing_follows_the_close() -> None:
    async with session_bench(tts=FakeTts(seconds=5)) as bench:
        session_id = await bench.call(SessionPatch(x_events=ALL))
        transport = bench.transports[0]
        await speak(transport, joined([tone(1), silence(1)]))
        closing = asyncio.create_task(bench.manager.close_call(session_id, drain=False))
        for _ in range(10):
            say(transport, type="x.ping")
            transport.observer.next_frame()
            await asyncio.sleep(0.005)
        await closing
        assert events(transport)[-1]["type"] == "session.closed"


async def test_segments_are_cut_before_they_are_too_long_for_the_engine() -> None:
    ast = FakeAst()
    ast.capabilities = replace(ast.capabilities, max_audio_s=4.0)
    async with session_bench(ast) as bench:
        await bench.call()
        await speak(bench.transports[0], joined([tone(11), silence(1)]))
        assert [r for r in ast.requests if len(r.samples) > 4 * SPEECH_RATE] == []
        assert sum(len(r.samples) for r in ast.requests) >= 11 * SPEECH_RATE
        assert bench.manager.sessions == 1


async def test_a_broken_engine_seam_ends_one_session_only() -> None:
    async with session_bench() as bench:
        await bench.call()
        await bench.call()
        bench.ast.script.append("not a result")  # type: ignore[arg-type]
        await speak(bench.transports[0], joined([tone(1), silence(1)]))
        assert bench.manager.sessions == 1
        assert bench.transports[0].closed is not None
        assert bench.transports[1].closed is None


@pytest.mark.unmeasured
async def test_a_session_without_an_end_says_when_it_is_renewed() -> None:
    async with session_bench() as bench:
        await bench.call()
        (transport,) = bench.transports
        first = events(transport)[0]["session"]["expires_at"]
        await asyncio.sleep(DAY_S)
        (renewed,) = events(transport, "session.updated")
        assert renewed["session"]["expires_at"] >= first + DAY_S - 2 * RENEWED_BEFORE_S
        assert transport.closed is None


async def test_a_session_is_told_that_its_time_is_nearly_up_then_closes() -> None:
    async with session_bench() as bench:
        limits = KeyLimits(session_minutes=2)
        patch = SessionPatch(x_events=frozenset({"segment"}))
        await bench.manager.open_call(
            "offer", SessionRequest(settings=patch, claimant=Claimant(limits=limits))
        )
        transport = bench.transports[0]
        assert isinstance(events(transport)[0]["session"]["expires_at"], int)
        await asyncio.sleep(59)
        assert not events(transport, "x.expiring")
        await asyncio.sleep(5)
        (told,) = events(transport, "x.expiring")
        assert 0 < told["in_ms"] <= 60_000 and told["reason"] == "limit"
        await asyncio.sleep(57)
        assert events(transport)[-1]["type"] == "session.closed"
        assert bench.manager.sessions == 0


async def test_revoking_a_key_ends_its_sessions_and_no_others() -> None:
    async with session_bench() as bench:
        for key in ("one", "two"):
            await bench.manager.open_call("offer", SessionRequest(claimant=Claimant(Owner(key))))
        bench.manager.revoke("one")
        await asyncio.sleep(2)
        assert [events(transport)[-1]["type"] for transport in bench.transports] == [
            "session.closed",
            "session.created",
        ]


async def test_settings_are_checked_before_there_is_a_session() -> None:
    async with session_bench() as bench:
        bench.manager.check(SessionPatch(target_language="en"))
        with pytest.raises(UnsupportedPair):
            bench.manager.check(SessionPatch(target_language="xx"))
        bench.readiness.ready = False
        with pytest.raises(NotReady):
            bench.manager.check(SessionPatch())
