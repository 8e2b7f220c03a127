"""The transcript's address: real HTTP over set-up sessions, and a whole server."""

import json
from pathlib import Path

import aiohttp
import pytest

from rtc_server.app.server import running
from rtc_server.events.segment_events import SourceCaption, TargetCaption
from rtc_server.session.session_api import TranscriptEntry
from rtc_server.signaling.calls import TRANSCRIPT_RATE
from tests.support.access import bearer
from tests.support.loop_time import HOLD_LIMIT_S, longest_hold
from tests.support.rtc_client import RtcClient
from tests.support.server import CALLS, EVENTS, freed, said
from tests.support.signaling_fakes import OFFER, Served, serve
from tests.support.two_keys import two_keys

TYPES = {
    "txt": "text/plain",
    "srt": "application/x-subrip",
    "vtt": "text/vtt",
    "json": "application/json",
}
MANY = 3000
"""Segments of a long conference: to write them takes some tenths of a second."""
SPOKEN = TranscriptEntry(
    0.0, SourceCaption("ru", "<да>", 4, 200, 900), TargetCaption("en", "<yes>", 5)
)


async def opened(server: Served) -> str:
    headers = {"Content-Type": "application/sdp"}
    async with server.client.post(CALLS, data=OFFER, headers=headers) as response:
        return f"{response.headers['Location']}/transcript"


@pytest.mark.parametrize("form", TYPES)
async def test_each_format_says_what_it_is(form: str) -> None:
    async with serve() as server:
        server.calls.spoken.append(SPOKEN)
        url = await opened(server)
        async with server.client.get(url, params={"format": form}) as response:
            assert response.status == 200
            assert response.content_type == TYPES[form]
            assert response.charset == "utf-8"
            assert response.headers["Cache-Control"] == "no-store"
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert f'"transcript.{form}"' in response.headers["Content-Disposition"]
            assert "да" in await response.text()


@pytest.mark.parametrize("form", TYPES)
async def test_a_long_one_holds_up_nobody(form: str) -> None:
    async with serve() as server:
        words = "I would like to book a table for two people, please. " * 3
        server.calls.spoken += [
            TranscriptEntry(
                float(n),
                SourceCaption("en", words, len(words), 5000 * n, 5000 * n + 4000),
                TargetCaption("ru", words, len(words)),
            )
            for n in range(MANY)
        ]
        url = await opened(server)
        with longest_hold() as holding:
            async with server.client.get(url, params={"format": form}) as response:
                assert (await response.text()).count(words[:20]) >= 2 * MANY
        assert 0 < holding.longest_s < HOLD_LIMIT_S, holding


async def test_one_caller_may_not_ask_for_it_without_end() -> None:
    async with serve(trusted_proxies=("127.0.0.1",)) as server:
        url = await opened(server)
        greedy, other = ({"X-Forwarded-For": f"192.0.2.{n}"} for n in (1, 2))
        statuses: list[int] = []
        while 429 not in statuses and len(statuses) < 1000:
            async with server.client.get(url, headers=greedy) as response:
                statuses.append(response.status)
        assert len(statuses) > TRANSCRIPT_RATE.burst
        assert int(response.headers["Retry-After"]) > 0
        async with server.client.get(url, headers=other) as response:
            assert response.status == 200


async def test_text_of_both_is_the_default() -> None:
    async with serve() as server:
        server.calls.spoken.append(SPOKEN)
        url = await opened(server)
        async with server.client.get(url) as response:
            assert await response.text() == "<да>\n<yes>\n"
        async with server.client.get(url, params={"side": "target"}) as response:
            assert await response.text() == "<yes>\n"


@pytest.mark.parametrize("query", ["format=pdf", "side=left", "format=", "format=TXT"])
async def test_what_there_is_not_is_refused_with_what_there_is(query: str) -> None:
    async with serve() as server:
        url = await opened(server)
        async with server.client.get(f"{url}?{query}") as response:
            assert response.status == 400
            detail = (await response.json())["detail"]
            assert "txt, srt, vtt, json" in detail or "both, source, target" in detail


async def test_only_who_opened_a_session_reads_it(tmp_path: Path) -> None:
    settings, ours, theirs = two_keys(tmp_path)
    async with running(settings) as running_server, aiohttp.ClientSession() as http:
        async with RtcClient(
            running_server.url + CALLS,
            audio=said("thank you"),
            headers=bearer(ours),
            session=EVENTS,
        ) as client:
            final = await client.event("session.output_transcript.delta")
            url = f"{running_server.url}{client.location}/transcript?format=json"
            for headers, status in ((bearer(theirs), 404), ({}, 401), (bearer(ours), 200)):
                async with http.get(url, headers=headers) as response:
                    assert response.status == status
        await freed(running_server)
        async with http.get(url, headers=bearer(ours)) as response:
            [row] = json.loads(await response.text())["segments"]
        assert row["target"] == {"language": "en", "text": final["delta"]}
        [segment] = [e for e in client.events if e["type"] == "x.segment" and e["final"]]
        assert row["start_ms"] == segment["source"]["start_ms"]
        assert row["end_ms"] == segment["source"]["end_ms"]
        async with http.get(url, headers=bearer(theirs)) as response:
            assert response.status == 404
