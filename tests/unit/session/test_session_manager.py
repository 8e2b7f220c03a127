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
from tests.support.house import ALL, events, house, say, speak


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


async def test_the_server_is_full_and_has_room_again() -> None:
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
        for _ in range(2):  # a check takes no place, nor any of the key's quota
            await h.manager.check_admission(SessionRequest(claimant=Claimant(Owner("key"), once)))
        await h.call()


async def test_no_more_come_in_than_the_engines_can_carry() -> None:
    async with house() as h:
        open_already = await h.call()
        h.readiness.retry_after_s = 7
        with pytest.raises(AdmissionRefused, match="as much as it can") as caught:
            await h.call()
        assert (caught.value.retry_after_s, caught.value.status) == (7, 503)
        assert h.manager.owner(open_already)  # connected callers stay
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


async def test_the_end_of_the_manager_closes_all() -> None:
    async with house() as h:
        await h.call()
        await h.call()
    assert all(wire.closed is CloseReason.LOCAL for wire in h.wires)
    assert all(events(wire)[-1]["type"] == "session.closed" for wire in h.wires)


async def test_nothing_follows_the_close() -> None:
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
