"""Sessions without a client: how long they wait, who may resume them, and what ends them."""

import asyncio

import pytest

from rtc_server.errors import BadOffer, EtagMismatch, RateLimited, UnknownSession
from rtc_server.session.quota import KeyLimits
from rtc_server.session.session_api import Claimant, Owner, SessionRequest
from rtc_server.transport.transport_api import CloseReason
from tests.support.fakes import FakeAst, joined, ok, silence, tone
from tests.support.house import events, house, say, speak
from tests.support.resuming import NOTHING, connected, heard, lose, resumed, texts
from tests.support.virtual_time import watched

GOODBYES = (CloseReason.REMOTE, CloseReason.LOCAL)


LOSSES = (CloseReason.PEER_LOST, CloseReason.FAILED)


@pytest.mark.parametrize("reason", LOSSES)
async def test_nobody_comes_back(reason: CloseReason) -> None:
    async with house() as h:
        session_id, first = await connected(h)
        lose(first, reason)
        await asyncio.sleep(29)
        assert h.manager.sessions == 1
        await asyncio.sleep(2)
        assert h.manager.sessions == 0
        assert set(h.ast.forgotten) == {session_id}
        closed = h.metrics.registry.get_sample_value
        assert closed("rtc_sessions_closed_total", {"reason": reason.value}) == 1
        with pytest.raises(UnknownSession):
            await resumed(h, session_id)


@pytest.mark.parametrize("reason", GOODBYES)
async def test_a_client_that_closed_is_not_waited_for(reason: CloseReason) -> None:
    async with house() as h:
        _, first = await connected(h)
        lose(first, reason)
        await asyncio.sleep(0.1)
        assert h.manager.sessions == 0


async def test_without_a_resume_time_the_session_ends_with_its_transport() -> None:
    async with house(resume_s=0) as h:
        _, first = await connected(h)
        lose(first)
        await asyncio.sleep(0.1)
        assert h.manager.sessions == 0


async def test_a_client_may_come_back_as_much_later_as_the_server_stood_still() -> None:
    async with watched() as loop, house(resume_s=30) as h:
        session_id, first = await connected(h)
        lose(first)
        await asyncio.sleep(20)
        loop.stand_still(60)
        await asyncio.sleep(5)
        await resumed(h, session_id)
        lose(h.wires[1])
        await asyncio.sleep(31)
        assert h.manager.sessions == 0


async def test_a_peer_that_does_not_connect_leaves_the_session_for_the_next() -> None:
    async with house(FakeAst([ok("да", "yes")])) as h:
        session_id, first = await connected(h)
        await speak(first, tone(1))
        lose(first)
        await h.manager.resume_call(session_id, "offer", NOTHING)
        await asyncio.sleep(15)
        lose(h.wires[1], CloseReason.CONNECT_TIMEOUT)
        with pytest.raises(BadOffer):
            await h.manager.resume_call(session_id, "bad", NOTHING)
        third = await resumed(h, session_id)
        assert texts(third) == ["yes"]
        assert len(await heard(third, 2)) == 50


async def test_of_many_that_come_back_at_once_the_last_one_has_the_session() -> None:
    async with house(FakeAst([ok("да", "yes")])) as h:
        session_id, first = await connected(h)
        await asyncio.gather(
            *(h.manager.resume_call(session_id, "offer", NOTHING) for _ in range(5))
        )
        await asyncio.sleep(1)
        assert [wire.closed for wire in (first, *h.wires[1:5])] == [CloseReason.LOCAL] * 5
        last = h.wires[-1]
        assert last.closed is None
        last.observer.on_connected()
        await speak(last, joined([tone(1), silence(2)]))
        assert texts(last) == ["yes"]
        assert h.manager.sessions == 1
    assert last.closed is CloseReason.LOCAL


async def test_a_session_on_its_way_out_is_not_resumed() -> None:
    async with house(FakeAst(delay_s=5)) as h:
        session_id, first = await connected(h)
        await speak(first, tone(1))
        say(first, type="session.close")
        with pytest.raises(UnknownSession):
            await resumed(h, session_id)
        lose(first)
        await asyncio.sleep(0.1)
        assert h.manager.sessions == 0
        with pytest.raises(UnknownSession):
            await h.manager.resume_call("sess_none", "offer", NOTHING)


async def test_a_session_that_ends_while_its_new_peer_is_made_frees_that_peer() -> None:
    async with house() as h:
        session_id, _ = await connected(h)
        coming_back = asyncio.create_task(resumed(h, session_id))
        await asyncio.sleep(0.005)
        await h.manager.close_call(session_id, drain=False)
        with pytest.raises(UnknownSession):
            await coming_back
        assert all(wire.closed is not None for wire in h.wires)


async def test_a_new_peer_that_comes_too_late_does_not_cut_off_the_last_words() -> None:
    async with house(FakeAst([ok("да", "yes")])) as h:
        session_id, first = await connected(h)
        await speak(first, tone(1))
        coming_back = asyncio.create_task(resumed(h, session_id))
        await asyncio.sleep(0.005)
        say(first, type="session.close")
        with pytest.raises(UnknownSession):
            await coming_back
        assert h.wires[1].closed is CloseReason.LOCAL
        assert len(await heard(first, 3)) == 50
        assert events(first)[-1]["type"] == "session.closed"


async def test_a_session_without_a_client_can_be_ended() -> None:
    async with house() as h:
        session_id, first = await connected(h)
        lose(first)
        await h.manager.close_call(session_id, drain=True)
        assert h.manager.sessions == 0


async def test_it_is_one_session_to_its_key() -> None:
    async with house() as h:
        request = SessionRequest(claimant=Claimant(Owner("key"), KeyLimits(sessions=1)))
        opened = await h.manager.open_call("offer", request)
        h.wires[0].observer.on_connected()
        lose(h.wires[0])
        again = await h.manager.resume_call(opened.session_id, "offer", NOTHING)
        assert h.manager.sessions == 1
        assert (again.session_id, again.etag != opened.etag) == (opened.session_id, True)
        with pytest.raises(EtagMismatch):
            await h.manager.trickle(opened.session_id, "a=candidate", opened.etag)
        await h.manager.trickle(opened.session_id, "a=candidate", again.etag)
        assert h.wires[1].fragments
        lose(h.wires[1], CloseReason.REMOTE)
        await asyncio.sleep(0.1)
        await h.manager.open_call("offer", request)
        with pytest.raises(RateLimited):
            await h.manager.open_call("offer", request)
