"""Usage record of a session, for billing."""

import asyncio
from dataclasses import asdict

from rtc_server.session.session_api import Claimant, Owner, SessionRequest
from tests.support.fakes import joined, silence, tone
from tests.support.session_bench import events, say, session_bench, speak


async def test_a_session_leaves_one_account_and_no_text() -> None:
    async with session_bench() as bench:
        claimant = Claimant(Owner("key_1", "secret"))
        session = (
            await bench.manager.open_call("offer", SessionRequest(claimant=claimant))
        ).session_id
        (transport,) = bench.transports
        await speak(transport, joined([tone(1), silence(1)]))
        say(transport, type="session.update", session={"audio": {"output": {"language": "ru"}}})
        await asyncio.sleep(0.1)
        await speak(transport, joined([tone(1), silence(1)]), start=32_000)
        (first, *_, last) = bench.manager.transcript(session)
        assert not bench.usage
        await asyncio.sleep(10)
        await bench.manager.close_call(session, drain=False)
        await asyncio.sleep(1)
        (record,) = bench.usage
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
        assert not events(transport, "error")


async def test_a_session_that_never_connects_has_an_account_too() -> None:
    async with session_bench() as bench:
        session = await bench.call()
        await bench.manager.close_call(session, drain=False)
        await asyncio.sleep(1)
        (record,) = bench.usage
        assert record.session == session and not record.pairs
