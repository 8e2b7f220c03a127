"""Calls that come to nothing, or end at once: they leave nothing behind, in virtual time."""

import asyncio

import pytest

from rtc_server.errors import (
    AdmissionRefused,
    BadOffer,
    RateLimited,
    UnsupportedPair,
)
from rtc_server.events.client import SessionPatch
from rtc_server.session.quota import KeyLimits
from rtc_server.session.session_api import Claimant, Owner, SessionRequest
from tests.support.session_bench import session_bench


async def test_refused_calls_leave_nothing() -> None:
    async with session_bench() as bench:
        with pytest.raises(BadOffer):
            await bench.manager.open_call("bad", SessionRequest())
        with pytest.raises(UnsupportedPair, match="does not translate 'ru' to 'fr'"):
            await bench.call(SessionPatch(target_language="fr"))
        with pytest.raises(UnsupportedPair, match="engine fake, not 'canary'"):
            await bench.call(SessionPatch(engine="canary"))
        with pytest.raises(UnsupportedPair, match="no voice 'z' for en"):
            await bench.call(SessionPatch(voice="z"))
        bench.readiness.ready = False
        with pytest.raises(AdmissionRefused, match="warming up"):
            await bench.call()
        assert bench.manager.sessions == 0
        assert not bench.transports


async def test_a_caller_who_gives_up_leaves_nothing() -> None:
    async with session_bench() as bench:
        call = asyncio.create_task(bench.call())
        await asyncio.sleep(0.005)
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        assert bench.manager.sessions == 0


@pytest.mark.parametrize("offer", ["no port", "offer"])
async def test_the_engines_do_not_expect_a_call_that_never_began(offer: str) -> None:
    async with session_bench() as bench:
        opening = asyncio.create_task(bench.manager.open_call(offer, SessionRequest()))
        await asyncio.sleep(0.005)
        assert len(bench.ast.expected) == 1 and bench.ast.expected == bench.tts.expected
        if offer == "offer":
            opening.cancel()  # its caller gives up while it connects
        await asyncio.wait([opening])
        assert opening.cancelled() or isinstance(opening.exception(), AdmissionRefused)
        assert bench.ast.forgotten == bench.tts.forgotten == bench.ast.expected


async def test_the_engines_do_not_expect_a_call_that_ended_at_once() -> None:
    async with session_bench() as bench:
        session_id = await bench.call()
        await bench.manager.close_call(session_id, drain=False)  # before its tasks have begun
        assert session_id in bench.ast.forgotten and session_id in bench.tts.forgotten


async def test_a_call_that_fails_gives_its_share_of_the_key_back() -> None:
    async with session_bench() as bench:
        limits, owner = KeyLimits(sessions=1), Owner("key")
        request = SessionRequest(claimant=Claimant(owner, limits))
        with pytest.raises(BadOffer):
            await bench.manager.open_call("bad", request)
        unknown = SessionRequest(None, SessionPatch(target_language="xx"), request.claimant)
        with pytest.raises(UnsupportedPair):
            await bench.manager.open_call("offer", unknown)
        opened = await bench.manager.open_call("offer", request)
        assert bench.manager.owner(opened.session_id) == owner
        with pytest.raises(RateLimited):
            await bench.manager.open_call("offer", request)
        await bench.manager.close_call(opened.session_id, drain=False)
        await bench.manager.open_call("offer", request)
