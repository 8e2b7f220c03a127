"""No request occupies the event loop for longer than 50 ms of processor time, whatever it holds."""

import itertools
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from rtc_server.app.server import mountable
from rtc_server.config import Settings
from rtc_server.session.session_api import OpenedCall, SessionRequest
from rtc_server.signaling.bodies import (
    FRAGMENT_LIMIT_BYTES,
    SESSION_LIMIT_BYTES,
    WRAPPED_LIMIT_BYTES,
)
from rtc_server.signaling.request_bodies import OFFER_LIMIT_BYTES
from rtc_server.transport.sdp import parse_fragment, parse_offer
from tests.support.loop_time import HOLD_LIMIT_S, longest_hold
from tests.support.offers import AUDIO, SESSION
from tests.support.patient import QUICK
from tests.support.signaling_fakes import CALLS, FakeCalls, serve

SECRETS = "/v1/realtime/translations/client_secrets"
SDP = {"Content-Type": "application/sdp"}
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "multipart/form-data; boundary=b"}
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}
OFFER = (SESSION + AUDIO).replace("\n", "\r\n").encode()
PART = b'\r\nContent-Disposition: form-data; name="sdp"\r\n\r\nv=0\r\n'


def filled(piece: bytes, limit: int, before: bytes = b"", after: bytes = b"") -> bytes:
    """Return as many copies of a piece as fit into `limit` bytes."""
    return before + piece * ((limit - len(before) - len(after)) // len(piece)) + after


CANDIDATE = b"a=candidate:1 1 udp 1 192.0.2.1 5 typ host\r\n"
BODIES: Mapping[str, tuple[str, Mapping[str, str], bytes]] = {
    "empty parts": (CALLS, FORM, filled(b"--b\r\n\r\n", WRAPPED_LIMIT_BYTES)),
    "named parts": (CALLS, FORM, filled(b"--b" + PART, WRAPPED_LIMIT_BYTES, after=b"--b--\r\n")),
    "nested parts": (
        CALLS,
        FORM,
        filled(b"--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n", WRAPPED_LIMIT_BYTES),
    ),
    "a part of line ends": (CALLS, FORM, filled(b"\r\n", WRAPPED_LIMIT_BYTES, b"--b" + PART)),
    "almost boundaries": (CALLS, FORM, filled(b"\r\n--", WRAPPED_LIMIT_BYTES, b"--b" + PART)),
    "no boundary": (CALLS, FORM, bytes(WRAPPED_LIMIT_BYTES)),
    "a header without end": (CALLS, FORM, filled(b"a: b\r\n", WRAPPED_LIMIT_BYTES, b"--b\r\n")),
    "names": (
        CALLS,
        FORM,
        filled(b"; name=", 4000, b"--b\r\nContent-Disposition: form-data", b"\r\n\r\n\r\n--b--"),
    ),
    "deep JSON": (CALLS, JSON, b"[" * WRAPPED_LIMIT_BYTES),
    "JSON of many keys": (
        CALLS,
        JSON,
        json.dumps({"sdp": "v=0", "session": {f"k{n}": {} for n in range(8000)}}).encode(),
    ),
    "JSON of many numbers": (CALLS, JSON, filled(b"1,", WRAPPED_LIMIT_BYTES, b"[", b"1]")),
    "a JSON number": (CALLS, JSON, filled(b"9", WRAPPED_LIMIT_BYTES)),
    "many sections": (CALLS, SDP, filled(b"m=audio 9 X 0\r\n", OFFER_LIMIT_BYTES, OFFER)),
    "many whole sections": (
        CALLS,
        SDP,
        filled(AUDIO.replace("\n", "\r\n").encode(), OFFER_LIMIT_BYTES, OFFER),
    ),
    "many candidates": (CALLS, SDP, filled(CANDIDATE, OFFER_LIMIT_BYTES, OFFER)),
    "many lines": (CALLS, SDP, filled(b"a=x\r\n", OFFER_LIMIT_BYTES, OFFER)),
    "many payload types": (CALLS, SDP, filled(b"a=rtpmap:1 a/1\r\n", OFFER_LIMIT_BYTES, OFFER)),
    "one long line": (CALLS, SDP, filled(b"a", OFFER_LIMIT_BYTES, OFFER + b"a=")),
    "a fragment of candidates": (
        CALLS + "/sess_0",
        FRAGMENT,
        filled(CANDIDATE, FRAGMENT_LIMIT_BYTES, b"a=mid:0\r\n"),
    ),
    "a secret of many keys": (
        SECRETS,
        JSON,
        json.dumps({"session": {f"k{n}": {} for n in range(1300)}}).encode(),
    ),
    "a form of anything": ("/page/secret", FORM, filled(b"--b\r\n\r\n", WRAPPED_LIMIT_BYTES)),
}
HEADERS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "forwarded for": ("/healthz", {"X-Forwarded-For": ",".join(["127.0.0.1"] * 800)}),
    "subprotocols": (
        "/ws/audio",
        {"Upgrade": "websocket", "Sec-WebSocket-Protocol": "a" + ",a" * 4000},
    ),
    "boundary": (CALLS, {"Content-Type": "multipart/form-data" + ";  boundary =" * 600}),
    "a blank boundary": (CALLS, {"Content-Type": "multipart/form-data;" + " " * 8000 + "x"}),
    "etags": (CALLS + "/sess_0", {"If-Match": ",".join(['"a"'] * 2000)}),
    "a query": ("/v1/phrases?" + "&".join(f"a{n}=1" for n in range(1200)), {}),
    "a path": ("/static/" + "a/" * 3900, {}),
    "dots": ("/static/" + "b/../" * 1500, {}),
    "many headers": ("/healthz", {f"X-{n}": "a" * 60 for n in range(100)}),
    "a token": ("/v1/engines", {"Authorization": "Bearer ek_" + "." * 8000}),
    "an origin": ("/v1/engines", {"Origin": "http://" + "a." * 3900}),
}


ANYWHERE: Mapping[str, tuple[Mapping[str, str], bytes]] = {
    "empty parts": (FORM, filled(b"--b\r\n\r\n", WRAPPED_LIMIT_BYTES)),
    "deep JSON": (JSON, b"[" * SESSION_LIMIT_BYTES),
    "JSON of many keys": (JSON, json.dumps({f"k{n}": {} for n in range(1200)}).encode()),
    "many sections": (SDP, filled(b"m=audio 9 X 0\r\n", OFFER_LIMIT_BYTES, OFFER)),
    "a fragment of candidates": (
        {**FRAGMENT, "If-Match": "*"},
        filled(CANDIDATE, FRAGMENT_LIMIT_BYTES, b"a=mid:0\r\n"),
    ),
    "a query": ({}, b""),
}
"""Request that each route gets, wanted or not."""
LONG_QUERY = "?language=" + "x" * 3000 + "".join(f"&a{n}=1" for n in range(600))


class ReadingCalls(FakeCalls):
    """Calls whose requests are read as real sessions read them."""

    async def open_call(self, offer_sdp: str, request: SessionRequest) -> OpenedCall:
        parse_offer(offer_sdp)
        return await super().open_call(offer_sdp, request)

    async def trickle(self, session_id: str, fragment: str, etag: str | None) -> None:
        parse_fragment(fragment)


@pytest.mark.parametrize("name", BODIES)
async def test_no_body_holds_the_loop(name: str) -> None:
    path, headers, body = BODIES[name]
    async with serve(calls=ReadingCalls()) as server:
        async with server.client.post(CALLS, data=OFFER, headers=SDP) as response:
            assert response.status == 201
        method = "PATCH" if headers is FRAGMENT else "POST"
        with longest_hold() as holding:
            async with server.client.request(method, path, data=body, headers=headers) as response:
                assert response.status < 500
    assert 0 < holding.longest_s < HOLD_LIMIT_S, holding


@pytest.mark.parametrize("name", HEADERS)
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
async def test_no_header_holds_the_loop(name: str, method: str) -> None:
    path, headers = HEADERS[name]
    async with serve(api_key="k" * 32, trusted_proxies=("127.0.0.1",)) as server:
        with longest_hold() as holding:
            async with server.client.request(method, path, headers=headers, data=b"") as response:
                assert response.status < 500
    assert 0 < holding.longest_s < HOLD_LIMIT_S, holding


@asynccontextmanager
async def whole_server() -> AsyncIterator[tuple[web.Application, str]]:
    """The application with sessions, rooms and engines as they are, and its URL."""
    app = mountable(Settings(engines=QUICK))
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield app, f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def test_no_route_holds_the_loop() -> None:
    """All routes are requested, one after the other, while there is a session and a speaker."""
    async with whole_server() as (app, url), aiohttp.ClientSession(url) as client:
        places = []
        for path in (CALLS, "/whip/hall"):
            async with client.post(path, data=OFFER, headers=SDP) as response:
                assert response.status == 201
                places.append(response.headers["Location"].rpartition("/")[2])
        names = {"session_id": places[0], "peer": places[1], "room": "hall", "path": "app.js"}
        routes = {
            (route.method, re.sub(r"{(\w+).*?}(?=/|$)", lambda name: names[name[1]], path))
            for route in app.router.routes()
            if route.resource is not None and (path := route.resource.canonical)
        }
        # What ends the session and the room comes last.
        ordered = sorted(routes, key=lambda route: (route[0] == "DELETE", route))
        with longest_hold() as holding:
            for (method, path), name in itertools.product(ordered, ANYWHERE):
                headers, body = ANYWHERE[name]
                target = path + LONG_QUERY * (name == "a query")
                async with client.request(
                    method, target, data=body or None, headers=headers
                ) as response:
                    assert response.status < 500, (method, path, name)
                assert holding.longest_s < HOLD_LIMIT_S, (method, path, name, holding)
