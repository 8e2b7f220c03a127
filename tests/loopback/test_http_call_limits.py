"""Size and time of a call's body over a real socket."""

import asyncio
import contextlib
import gzip
import json

import aiohttp
import pytest

from rtc_server.signaling import bodies
from rtc_server.signaling.request_bodies import OFFER_LIMIT_BYTES
from tests.support.signaling_fakes import (
    CALLS,
    OFFER,
    SDP,
    problem,
    serve,
)


async def hung_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Wait until the server has closed the connection, then close our end."""
    with contextlib.suppress(ConnectionError):
        await reader.read()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


async def test_the_largest_offer_passes_and_one_byte_more_does_not() -> None:
    largest = OFFER + "a" * (OFFER_LIMIT_BYTES - len(OFFER))
    async with serve() as server:
        async with server.client.post(CALLS, data=largest, headers=SDP) as response:
            assert response.status == 201
        async with server.client.post(CALLS, data=largest + "a", headers=SDP) as response:
            await problem(response, 413, "payload_too_large")
            assert response.headers["Connection"] == "close"
        async with server.client.post(CALLS, json={"sdp": largest + "a"}) as response:
            await problem(response, 413, "payload_too_large")


async def test_a_session_object_is_bounded_too() -> None:
    form = aiohttp.FormData(default_to_multipart=True)
    form.add_field("sdp", OFFER)
    form.add_field("session", json.dumps({"pad": "x" * bodies.SESSION_LIMIT_BYTES}))
    async with serve() as server, server.client.post(CALLS, data=form) as response:
        await problem(response, 413, "payload_too_large")


async def test_a_huge_body_is_refused_before_it_is_sent() -> None:
    async with serve() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(
            f"POST {CALLS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/sdp\r\n"
            "Content-Length: 1000000000\r\n\r\nv=0".encode()
        )
        assert (await reader.readline()).startswith(b"HTTP/1.1 413 ")
        await hung_up(reader, writer)


@pytest.mark.parametrize("content_type", ["application/sdp", "application/json"])
async def test_a_body_without_an_announced_length_is_bounded(content_type: str) -> None:
    """Chunked, and never ending: the refusal comes while the client still sends."""
    async with serve() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(
            f"POST {CALLS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {content_type}\r\n"
            "Transfer-Encoding: chunked\r\n\r\n".encode()
        )
        for _ in range(40):
            writer.write(b"1000\r\n" + b"a" * 4096 + b"\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 413 ")
        await hung_up(reader, writer)


async def test_a_body_that_unpacks_to_too_much_is_refused() -> None:
    async with (
        serve() as server,
        server.client.post(
            CALLS,
            data=gzip.compress(bytes(10_000_000)),
            headers={**SDP, "Content-Encoding": "gzip"},
        ) as response,
    ):
        await problem(response, 413, "payload_too_large")


async def test_a_body_that_only_claims_to_be_packed_is_refused() -> None:
    async with serve() as server:
        headers = {**SDP, "Content-Encoding": "gzip"}
        async with server.client.post(CALLS, data=b"v=0", headers=headers) as response:
            await problem(response, 400, "invalid_request")


async def test_a_slow_body_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_TIMEOUT_S", 0.05)
    async with serve() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(
            f"POST {CALLS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/sdp\r\n"
            "Content-Length: 100\r\n\r\nv=0".encode()
        )
        assert (await reader.readline()).startswith(b"HTTP/1.1 408 ")
        await hung_up(reader, writer)
        assert not server.calls.entered.is_set()
