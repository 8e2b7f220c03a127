"""Usage record of a session, for billing."""

import asyncio
from dataclasses import asdict

from rtc_server.session.session_api import Claimant, Owner, SessionRequest
from tests.support.fakes import joined, silence, tone
from tests.support.house import events, house, say, speak


async def test_a_session_leaves_one_account_and_no_text() -> None:
    async with house() as h:
        claimant = Claimant(Owner("key_1", "secret"))
        session = (await h.manager.open_call("offer", SessionRequest(claimant=claimant))).session_id
        (wire,) = h.wires
        await speak(wire, joined([tone(1), silence(1)]))
        say(wire, type="session.update", session={"audio": {"output": {"language": "ru"}}})
        await asyncio.sleep(0.1)
        await speak(wire, joined([tone(1), silence(1)]), start=32_000)
        (first, *_, last) = h.manager.transcript(session)
        assert not h.usage
        await asyncio.sleep(10)
        await h.manager.close_call(session, drain=False)
        await asyncio.sleep(1)
        (record,) = h.usage
        assert (record.session, record.key, record.reason) == (session, "key_1", "local")
        assert 14 < record.seconds < 15
        assert record.started.startswith("2027-01-15T08:00:0") and record.started.endswith("Z")
        assert record.started < record.ended
        for pair, said in zip(record.pairs, (first, last), strict=True):
            assert (pair.source, pair.target) == (said.source.language, said.target.language)
            assert pair.segments == 1
            assert pair.source_chars == len(said.source.text) > 0
            assert pair.target_chars == len(said.target.text) > 0
        assert first.source.text not in str(asdict(record))
        assert not events(wire, "error")


async def test_a_session_that_never_connects_has_an_account_too() -> None:
    async with house() as h:
        session = await h.call()
        await h.manager.close_call(session, drain=False)
        await asyncio.sleep(1)
        (record,) = h.usage
        assert record.session == session and not record.pairs
