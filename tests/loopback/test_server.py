"""The whole server over real HTTP, DTLS and Opus on loopback; engines in their own processes."""

import asyncio
import ctypes
import gc
import os
import signal
from typing import Any

import aiohttp
import psutil
import pytest

from tests.support.server import CALLS, call, engine_processes, freed, of, said, server
from tests.support.until import until


@pytest.mark.unmeasured
async def test_four_sessions_at_once_are_all_answered_in_order() -> None:
    """Four, for their clients share this process and its core; `bench.sessions` has more."""
    words = ("yes", "where is the train station", "thank you", "two coffees and a cold beer please")
    audio = said(*words)
    async with server() as running_server:

        async def converse() -> list[dict[str, Any]]:
            async with call(running_server, audio, "?source=en&target=ru") as client:
                await client.until(
                    lambda: len(of(client, "x.playout", state="finished")) == len(words),
                    timeout_s=200,  # tests share the machine
                )
                return of(client, "x.segment", final=True)

        conversations = await asyncio.gather(*(converse() for _ in range(4)))
        for finals in conversations:
            assert [e["status"] for e in finals] == ["final"] * len(words)
            starts = [e["source"]["start_ms"] for e in finals]
            assert starts == sorted(starts)
            lengths = [float(e["source"]["text"].removesuffix(" s")) for e in finals]
            assert lengths[0] < lengths[1] > lengths[2] < lengths[3]
        await freed(running_server)


async def test_a_killed_engine_fails_one_caption_and_comes_back() -> None:
    async with server("slow") as running_server:
        async with (
            call(running_server, said("where is the train station", pause_s=8)) as unlucky,
            call(running_server) as bystander,
        ):
            await unlucky.event("x.vad", count=2)  # the engine has been at work since the pause
            for process in engine_processes():
                process.send_signal(signal.SIGKILL)
            failed = await unlucky.event("x.segment")
            assert (failed["status"], failed["final"]) == ("failed", True)
            assert failed["message"]
            assert bystander.pc.connectionState == "connected"
            assert running_server.manager.sessions == 2
            await until(lambda: running_server.engines.ready)
            async with call(running_server, said("thank you")) as next_one:
                await next_one.event("x.playout", count=3)
                assert of(next_one, "x.segment", status="final")
        await freed(running_server)


async def test_a_client_that_vanishes_in_mid_sentence_is_freed_and_disturbs_nobody() -> None:
    async with (
        server(dead_peer_timeout_s=2.0, resume_s=0.0) as running_server,
        call(running_server, said("where is the train station", "thank you")) as other,
    ):
        async with call(running_server, said("please call a taxi for tomorrow morning")) as lost:
            await lost.until(lambda: len(lost.track.sent_at_s) > 60)
            lost.vanish()
            await until(lambda: running_server.manager.sessions == 1)
        await other.until(lambda: len(of(other, "x.segment", status="final")) == 2)


async def test_a_client_that_never_connects_is_freed() -> None:
    async with server(connect_timeout_s=1.0) as running_server, aiohttp.ClientSession() as http:
        silent = call(running_server)
        try:
            silent.pc.addTrack(silent.track)
            await silent.pc.setLocalDescription()
            sdp = silent.pc.localDescription.sdp
            headers = {"Content-Type": "application/sdp"}
            async with http.post(running_server.url + CALLS, data=sdp, headers=headers) as response:
                assert response.status == 201
            assert running_server.manager.sessions == 1
            await freed(running_server)
        finally:
            await silent.close()


NONSENSE: tuple[tuple[str | bytes, str], ...] = (
    ("{", "not JSON"),
    ('{"type": "no.such"}', "no event of type"),
    ('{"type": "x.session", "target_language": "xx"}', "does not translate"),
    (b"\x00\x01", "binary"),
    ("x" * 20_000, "16 kB"),
    ('{"type":"session.update","session":' + "[" * 5000 + "}", "not JSON"),
)


async def test_nonsense_on_the_data_channel_is_answered_and_changes_nothing() -> None:
    async with server() as running_server, call(running_server, said("thank you")) as client:
        for count, (message, says) in enumerate(NONSENSE, start=1):
            client.send(message)
            error = await client.event("error", count=count)
            assert says in error["error"]["message"]
        await client.event("x.playout", count=3)


VIDEO_ONLY = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 96\r\nc=IN IP4 0.0.0.0\r\na=mid:0\r\na=sendrecv\r\n"
    "a=rtpmap:96 VP8/90000\r\na=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n"
    "a=fingerprint:sha-256 " + ":".join(["AB"] * 32) + "\r\na=setup:actpass\r\na=rtcp-mux\r\n"
)


IMPOSSIBLE = (
    ("hello", "", 400, "bad_sdp"),
    ("", "", 400, "bad_sdp"),
    ("v=0\r\n", "", 400, "bad_sdp"),
    (VIDEO_ONLY, "", 400, "bad_sdp"),
    ("v=0\r\n" + "a=x\r\n" * 200_000, "", 413, "payload_too_large"),
    (VIDEO_ONLY.replace("video", "audio"), "?target=xx", 422, "unsupported_language"),
)


async def test_an_offer_that_cannot_be_is_a_clear_error_and_leaves_nothing() -> None:
    headers = {"Content-Type": "application/sdp"}
    async with server() as running_server, aiohttp.ClientSession(running_server.url) as http:
        for body, query, status, code in IMPOSSIBLE:
            async with http.post(CALLS + query, data=body, headers=headers) as response:
                assert response.status == status, body[:100]
                problem = await response.json(content_type="application/problem+json")
            assert problem["error"]["code"] == code
            assert problem["detail"].endswith(".")
            assert running_server.manager.sessions == 0


@pytest.mark.unmeasured
@pytest.mark.parametrize("calls", [pytest.param(140, marks=pytest.mark.slow), 40])
async def test_call_after_call_leaves_nothing_behind(calls: int) -> None:
    async with server() as running_server:

        async def visit(number: int) -> None:
            async with call(running_server) as client:
                await client.event("session.created")
                if number % 3 == 0:
                    async with (
                        aiohttp.ClientSession() as http,
                        http.delete(running_server.url + client.location) as response,
                    ):
                        assert response.status == 200
                elif number % 3 == 1:
                    client.send({"type": "session.close"})
                    await client.event("session.closed")

        async def visits(count: int) -> tuple[int, int, int, float]:
            for first in range(0, count, 5):
                await asyncio.gather(*(visit(first + n) for n in range(5)))
            await freed(running_server)
            await asyncio.sleep(0.5)
            gc.collect()
            ctypes.CDLL(None).malloc_trim(0)  # free memory goes back, so that the rest is in use
            process = psutil.Process(os.getpid())
            return (
                process.num_fds(),
                process.num_threads(),
                len(asyncio.all_tasks()),
                process.memory_info().rss / 2**20,
            )

        await visits(40)  # what is made once is made now
        before = await visits(20)
        after = await visits(calls)
        assert after[:3] == before[:3]
        assert after[3] - before[3] < 12, "the process grew by that many MB"
