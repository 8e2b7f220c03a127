"""Sessions without a client: how long they wait, who may resume them, and what ends them."""

import asyncio

import pytest

from rtc_server.errors import BadOffer, EtagMismatch, RateLimited, UnknownSession
from rtc_server.session.quota import KeyLimits
from rtc_server.session.session_api import Claimant, Owner, SessionRequest
from rtc_server.transport.transport_api import CloseReason
from tests.support.fakes import FakeAst, joined, ok, silence, tone
from tests.support.resuming import NOTHING, connected, heard, lose, resumed, texts
from tests.support.session_bench import events, say, session_bench, speak
from tests.support.virtual_time import watched

GOODBYES = (CloseReason.REMOTE, CloseReason.LOCAL)


LOSSES = (CloseReason.PEER_LOST, CloseReason.FAILED)


@pytest.mark.parametrize("reason", LOSSES)
async def test_nobody_comes_back(reason: CloseReason) -> None:
    async with session_bench() as bench:
        session_id, first = await connected(bench)
        lose(first, reason)
        await asyncio.sleep(29)
        assert bench.manager.sessions == 1
        await asyncio.sleep(2)
        assert bench.manager.sessions == 0
        assert set(bench.ast.forgotten) == {session_id}
        closed = bench.metrics.registry.get_sample_value
        assert closed("rtc_sessions_closed_total", {"reason": reason.value}) == 1
        with pytest.raises(UnknownSession):
            await resumed(bench, session_id)


@pytest.mark.parametrize("reason", GOODBYES)
async def test_a_client_that_closed_is_not_waited_for(reason: CloseReason) -> None:
    async with session_bench() as bench:
        _, first = await connected(bench)
        lose(first, reason)
        await asyncio.sleep(0.1)
        assert bench.manager.sessions == 0


async def test_without_a_resume_time_the_session_ends_with_its_transport() -> None:
    async with session_bench(resume_s=0) as bench:
        _, first = await connected(bench)
        lose(first)
        await asyncio.sleep(0.1)
        assert bench.manager.sessions == 0


async def test_a_client_may_come_back_as_much_later_as_the_server_stood_still() -> None:
    async with watched() as loop, session_bench(resume_s=30) as bench:
        session_id, first = await connected(bench)
        lose(first)
        await asyncio.sleep(20)
        loop.stand_still(60)
        await asyncio.sleep(5)
        await resumed(bench, session_id)
        lose(bench.transports[1])
        await asyncio.sleep(31)
        assert bench.manager.sessions == 0


async def test_a_peer_that_does_not_connect_leaves_the_session_for_the_next() -> None:
    async with session_bench(FakeAst([ok("да", "yes")])) as bench:
        session_id, first = await connected(bench)
        await speak(first, tone(1))
        lose(first)
        await bench.manager.resume_call(session_id, "offer", NOTHING)
        await asyncio.sleep(15)
        lose(bench.transports[1], CloseReason.CONNECT_TIMEOUT)
        with pytest.raises(BadOffer):
            await bench.manager.resume_call(session_id, "bad", NOTHING)
        third = await resumed(bench, session_id)
        assert texts(third) == ["yes"]
        assert len(await heard(third, 2)) == 50


async def test_of_many_that_come_back_at_once_the_last_one_has_the_session() -> None:
    async with session_bench(FakeAst([ok("да", "yes")])) as bench:
        session_id, first = await connected(bench)
        await asyncio.gather(
            *(bench.manager.resume_call(session_id, "offer", NOTHING) for _ in range(5))
        )
        await asyncio.sleep(1)
        assert [transport.closed for transport in (first, *bench.transports[1:5])] == [
            CloseReason.LOCAL
        ] * 5
        last = bench.transports[-1]
        assert last.closed is None
        last.observer.on_connected()
        await speak(last, joined([tone(1), silence(2)]))
        assert texts(last) == ["yes"]
        assert bench.manager.sessions == 1
    assert last.closed is CloseReason.LOCAL


async def test_a_session_on_its_way_out_is_not_resumed() -> None:
    async with session_bench(FakeAst(delay_s=5)) as bench:
        session_id, first = await connected(bench)
        await speak(first, tone(1))
        say(first, type="session.close")
        with pytest.raises(UnknownSession):
            await resumed(bench, session_id)
        lose(first)
        await asyncio.sleep(0.1)
        assert bench.manager.sessions == 0
        with pytest.raises(UnknownSession):
            await bench.manager.resume_call("sess_none", "offer", NOTHING)


async def test_a_session_that_ends_while_its_new_peer_is_made_frees_that_peer() -> None:
    async with session_bench() as bench:
        session_id, _ = await connected(bench)
        coming_back = asyncio.create_task(resumed(bench, session_id))
        await asyncio.sleep(0.005)
        await bench.manager.close_call(session_id, drain=False)
        with pytest.raises(UnknownSession):
            await coming_back
        assert all(transport.closed is not None for transport in bench.transports)


async def test_a_new_peer_that_comes_too_late_does_not_cut_off_the_last_words() -> None:
    async with session_bench(FakeAst([ok("да", "yes")])) as bench:
        session_id, first = await connected(bench)
        await speak(first, tone(1))
        coming_back = asyncio.create_task(resumed(bench, session_id))
        await asyncio.sleep(0.005)
        say(first, type="session.close")
        with pytest.raises(UnknownSession):
            await coming_back
        assert bench.transports[1].closed is CloseReason.LOCAL
        assert len(await heard(first, 3)) == 50
        assert events(first)[-1]["type"] == "session.closed"


async def test_a_session_without_a_client_can_be_ended() -> None:
    async with session_bench() as bench:
        session_id, first = await connected(bench)
        lose(first)
        await bench.manager.close_call(session_id, drain=True)
        assert bench.manager.sessions == 0


async def test_it_is_one_session_to_its_key() -> None:
    async with session_bench() as bench:
        request = SessionRequest(claimant=Claimant(Owner("key"), KeyLimits(sessions=1)))
        opened = await bench.manager.open_call("offer", request)
        bench.transports[0].observer.on_connected()
        lose(bench.transports[0])
        again = await bench.manager.resume_call(opened.session_id, "offer", NOTHING)
        assert bench.manager.sessions == 1
        assert (again.session_id, again.etag != opened.etag) == (opened.session_id, True)
        with pytest.raises(EtagMismatch):
            await bench.manager.trickle(opened.session_id, "a=candidate", opened.etag)
        await bench.manager.trickle(opened.session_id, "a=candidate", again.etag)
        assert bench.transports[1].fragments
        lose(bench.transports[1], CloseReason.REMOTE)
        await asyncio.sleep(0.1)
        await bench.manager.open_call("offer", request)
        with pytest.raises(RateLimited):
            await bench.manager.open_call("offer", request)
