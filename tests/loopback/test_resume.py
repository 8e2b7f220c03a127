"""Resuming a session over real HTTP, DTLS and Opus; and the route itself."""

import asyncio
import json
import logging
from pathlib import Path

import aiohttp
import numpy as np
import pytest

from rtc_server.app.server import running
from rtc_server.pcm import PLAYOUT_RATE, SPEECH_RATE, Samples, to_int16
from rtc_server.session.session_api import LastSeen
from tests.support.access import bearer
from tests.support.rtc_client import RtcClient
from tests.support.server import CALLS, call, freed, of, said, server
from tests.support.signaling_fakes import ANSWER, OFFER, serve
from tests.support.signals import english
from tests.support.two_keys import two_keys
from tests.support.until import until

SDP = {"Content-Type": "application/sdp"}
LOUD = 0.02


def resuming(url: str, location: str, *, seen: str = "", audio: Samples | None = None) -> RtcClient:
    return RtcClient(f"{url}{location}/resume{seen}", audio=audio)


def loud_s(client: RtcClient) -> float:
    """Return the length of the received speech, in seconds."""
    frames = client.heard()
    frames = frames[: len(frames) // 960 * 960].reshape(-1, 960)
    return float(np.count_nonzero(np.sqrt(np.mean(frames**2, axis=1)) > LOUD)) * 960 / PLAYOUT_RATE


async def test_a_phrase_that_the_network_cut_off_is_answered_once_on_the_next_peer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    async with server(dead_peer_timeout_s=2.0) as running_server:
        first = call(
            running_server, said("thank you", "please call a taxi for tomorrow morning", pause_s=4)
        )
        async with first:
            await first.until(lambda: len(of(first, "x.playout", state="finished")) == 1)
            await first.until(lambda: len(of(first, "x.vad", state="speech")) == 2)
            first.vanish()
            await until(lambda: "its client is gone" in caplog.text)
        assert running_server.manager.sessions == 1
        last = max(event["seq"] for event in first.events if "seq" in event)
        async with resuming(running_server.url, first.location, seen=f"?last_seq={last}") as second:
            assert second.location == first.location
            await until(lambda: loud_s(second) > 0.8 * loud_s(first))
            [final] = of(second, "x.segment", final=True)
            assert (final["status"], final["target"]["text"]) == ("final", "one two three")
            assert final["segment_id"] == "seg_2"
            await asyncio.sleep(1.0)  # long enough for a second beginning to be noticed
            assert 0.3 < loud_s(second) < 1.2 * loud_s(first)
            assert running_server.manager.sessions == 1
            numbers = [e["seq"] for e in first.events + second.events if "seq" in e]
            assert numbers == sorted(set(numbers))
        await freed(running_server)


async def test_a_new_peer_takes_the_place_of_one_that_lives() -> None:
    async with server() as running_server:
        async with call(running_server, said("thank you", pause_s=0.2)) as first:
            await first.event("session.created")
            async with resuming(
                running_server.url, first.location, audio=said("where is the train station")
            ) as second:
                await first.closed.wait()
                await second.until(
                    lambda: (
                        bool(of(second, "x.segment", status="final"))
                        and len(of(second, "x.playout", state="finished")) > 0
                    )
                )
                assert running_server.manager.sessions == 1
        await freed(running_server)


async def test_the_route_takes_what_a_call_takes() -> None:
    async with serve() as s:
        async with s.client.post(CALLS, data=OFFER, headers=SDP) as response:
            location = response.headers["Location"]
        form = aiohttp.FormData({"sdp": OFFER, "session": "{}"}, default_to_multipart=True)
        for body in ({"data": OFFER, "headers": SDP}, {"json": {"sdp": OFFER}}, {"data": form}):
            query = {"last_seq": "17", "last_event_id": "event_40"}
            async with s.client.post(f"{location}/resume", params=query, **body) as response:
                assert response.status == 201
                assert await response.text() == ANSWER
                assert response.headers["Location"] == location
                assert response.headers["ETag"] == '"ice-2"'
        assert s.calls.resumed == [("sess_0", OFFER, LastSeen(17, 40))] * 3


@pytest.mark.parametrize(
    "query",
    [
        "last_seq=-1",
        "last_seq=x",
        "last_seq=1e3",
        "last_seq=" + "9" * 16,
        "last_event_id=17",
        "last_event_id=event_x",
        "last_seq=%D9%A1",
    ],
)
async def test_numbers_that_no_event_has_are_refused(query: str) -> None:
    async with serve() as s:
        async with s.client.post(CALLS, data=OFFER, headers=SDP) as response:
            location = response.headers["Location"]
        async with s.client.post(f"{location}/resume?{query}", data=OFFER, headers=SDP) as response:
            assert response.status == 400
        assert not s.calls.resumed


async def test_only_who_opened_a_session_resumes_it(tmp_path: Path) -> None:
    settings, ours, theirs = two_keys(tmp_path)
    async with running(settings) as running_server, aiohttp.ClientSession() as http:
        async with RtcClient(running_server.url + CALLS, headers=bearer(ours)) as first:
            url = f"{running_server.url}{first.location}/resume"
            for headers, status in ((bearer(theirs), 404), ({}, 401)):
                async with http.post(url, data=OFFER, headers=SDP | headers) as response:
                    assert response.status == status
                    assert "sess_" not in json.dumps(await response.json())
            unknown = f"{running_server.url}{CALLS}/sess_none/resume"
            async with http.post(unknown, data=OFFER, headers=SDP | bearer(ours)) as response:
                assert response.status == 404
            bad = {"data": "v=0", "headers": SDP | bearer(ours)}
            async with http.post(url, **bad) as response:  # type: ignore[arg-type]
                assert response.status == 400
            assert first.pc.connectionState == "connected"
            async with RtcClient(url, headers=bearer(ours)) as second:
                await first.closed.wait()
                assert second.location == first.location
        await freed(running_server)


async def test_a_websocket_whose_network_died_comes_back_on_another(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    phrase = to_int16(english("where is the train station")).astype("<i2").tobytes()
    async with (
        server(dead_peer_timeout_s=2.0) as running_server,
        aiohttp.ClientSession(running_server.url) as http,
    ):
        # does not answer pings: for the server its network is gone from the start
        dead = await http.ws_connect("/ws/audio?source=en&target=ru", autoping=False)
        created = await dead.receive_json()
        session_id = created["session"]["id"]
        await dead.send_bytes(phrase)
        await until(lambda: "its client is gone" in caplog.text)
        async with http.ws_connect(f"/ws/audio?resume={session_id}&last_event_id=event_1") as back:
            pcm = b""
            texts: list[str] = []
            async with asyncio.timeout(60):
                while len(pcm) < SPEECH_RATE // 2 or not texts:
                    message = await back.receive()
                    if message.type is aiohttp.WSMsgType.BINARY:
                        pcm += message.data
                    elif (event := message.json())["type"] == "session.output_transcript.delta":
                        texts.append(event["delta"])
            assert texts == ["one two three"]
            assert running_server.manager.sessions == 1
            await back.send_json({"type": "session.close"})
            async with asyncio.timeout(60):
                last = [m.json()["type"] async for m in back if m.type is aiohttp.WSMsgType.TEXT]
            assert last[-1] == "session.closed"
            assert back.close_code == aiohttp.WSCloseCode.OK
        await freed(running_server)
        with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
            await http.ws_connect(f"/ws/audio?resume={session_id}")
        assert refusal.value.status == 404
        await dead.close()
