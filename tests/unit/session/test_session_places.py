"""Sessions that end by themselves, and places that change hands, in virtual time."""

import asyncio

import pytest

from rtc_server.errors import RateLimited, UnknownSession
from rtc_server.events.client import SessionPatch
from rtc_server.session.quota import KeyLimits
from rtc_server.session.session_api import Claimant, LastSeen, Owner, SessionRequest
from rtc_server.transport.transport_api import CloseReason
from tests.support.fakes import joined, silence, tone
from tests.support.session_bench import events, say, session_bench, speak

ONE_BY_SECRET = Claimant(Owner("key", "secret"), KeyLimits(secret_sessions=1))


async def test_a_session_in_which_nobody_speaks_is_warned_then_closed_and_says_why() -> None:
    async with session_bench() as bench:
        claimant = Claimant(limits=KeyLimits(idle_minutes=2))
        patch = SessionPatch(x_events=frozenset({"segment"}))
        await bench.manager.open_call("offer", SessionRequest(settings=patch, claimant=claimant))
        (transport,) = bench.transports
        await asyncio.sleep(90)
        assert [told["reason"] for told in events(transport, "x.expiring")] == ["idle"]
        await speak(transport, joined([tone(1), silence(1)]))
        await asyncio.sleep(61)
        say(transport, type="x.ping")  # a sign of life is no speech
        await asyncio.sleep(90)
        told = events(transport, "x.expiring")
        assert [event["in_ms"] == 0 for event in told] == [False, False, True]
        assert events(transport)[-1]["type"] == "session.closed"
        assert bench.manager.sessions == 0


async def test_a_request_of_the_client_keeps_a_silent_session() -> None:
    async with session_bench() as bench:
        claimant = Claimant(limits=KeyLimits(idle_minutes=2))
        await bench.manager.open_call("offer", SessionRequest(claimant=claimant))
        for _ in range(5):
            await asyncio.sleep(100)
            say(bench.transports[0], type="x.output.clear")
        assert bench.manager.sessions == 1


async def test_a_secret_gets_the_place_back_of_a_client_that_is_gone() -> None:
    """A page that was reloaded: its first session waits for a client that will not come."""
    async with session_bench() as bench:
        first = await bench.manager.open_call("offer", SessionRequest(claimant=ONE_BY_SECRET))
        bench.transports[0].observer.on_connected()
        with pytest.raises(RateLimited):
            await bench.manager.open_call("offer", SessionRequest(claimant=ONE_BY_SECRET))
        bench.transports[0].observer.on_closed(CloseReason.PEER_LOST)
        await bench.manager.open_call("offer", SessionRequest(claimant=ONE_BY_SECRET))
        await asyncio.sleep(0.1)
        assert bench.manager.sessions == 1
        with pytest.raises(UnknownSession):
            await bench.manager.resume_call(first.session_id, "offer", LastSeen())


async def test_a_session_that_came_back_keeps_its_place() -> None:
    async with session_bench() as bench:
        first = await bench.manager.open_call("offer", SessionRequest(claimant=ONE_BY_SECRET))
        bench.transports[0].observer.on_connected()
        bench.transports[0].observer.on_closed(CloseReason.PEER_LOST)
        await bench.manager.resume_call(first.session_id, "offer", LastSeen())
        with pytest.raises(RateLimited):
            await bench.manager.open_call("offer", SessionRequest(claimant=ONE_BY_SECRET))


async def test_a_call_that_loses_its_place_while_it_is_opened_ends() -> None:
    async with session_bench() as bench:
        await asyncio.gather(
            *(
                bench.manager.open_call("offer", SessionRequest(claimant=ONE_BY_SECRET))
                for _ in range(3)
            )
        )
        await asyncio.sleep(0.1)
        assert bench.manager.sessions == 1
        assert [transport.closed is not None for transport in bench.transports] == [
            True,
            True,
            False,
        ]
