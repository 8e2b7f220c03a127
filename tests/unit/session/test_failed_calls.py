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
from tests.support.house import house


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


@pytest.mark.parametrize("offer", ["no port", "offer"])
async def test_the_engines_do_not_expect_a_call_that_never_began(offer: str) -> None:
    async with house() as h:
        opening = asyncio.create_task(h.manager.open_call(offer, SessionRequest()))
        await asyncio.sleep(0.005)
        assert len(h.ast.expected) == 1 and h.ast.expected == h.tts.expected
        if offer == "offer":
            opening.cancel()  # its caller gives up while it connects
        await asyncio.wait([opening])
        assert opening.cancelled() or isinstance(opening.exception(), AdmissionRefused)
        assert h.ast.forgotten == h.tts.forgotten == h.ast.expected


async def test_the_engines_do_not_expect_a_call_that_ended_at_once() -> None:
    async with house() as h:
        session_id = await h.call()
        await h.manager.close_call(session_id, drain=False)  # before its tasks have begun
        assert session_id in h.ast.forgotten and session_id in h.tts.forgotten


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
