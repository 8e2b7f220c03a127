"""The call endpoints over a real socket."""

import asyncio
import json

import pytest

from rtc_server.errors import (
    AdmissionRefused,
    BadOffer,
    EngineCrashed,
    EngineUnavailable,
    EtagMismatch,
    IceRestartRefused,
    RtcServerError,
    UnsupportedPair,
)
from rtc_server.events.client import SessionPatch
from rtc_server.signaling import bodies
from tests.support.signaling_fakes import (
    ANSWER,
    CALLS,
    FRAGMENT,
    OFFER,
    SDP,
    problem,
    serve,
)


async def test_a_raw_offer_is_answered() -> None:
    async with (
        serve(
            ice_servers=("stun:192.0.2.1:3478", "turn:7%3Aal%22ice:pa:ss@turn.example")
        ) as server,
        server.client.post(CALLS, data=OFFER, headers=SDP) as response,
    ):
        assert response.status == 201
        assert response.content_type == "application/sdp"
        assert await response.text() == ANSWER
        assert response.headers["Location"] == f"{CALLS}/sess_0"
        assert response.headers["ETag"] == '"ice-1"'
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers.getall("Link") == [
            '<stun:192.0.2.1:3478>; rel="ice-server"',
            '<turn:turn.example:3478?transport=udp>; rel="ice-server"; username="7:al\\"ice"; '
            'credential="pa:ss"; credential-type="password"',
        ]
        offer, request = server.calls.opened["sess_0"]
        assert offer == OFFER
        assert request.model is None
        assert request.settings == SessionPatch()


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        (BadOffer("There is no audio section."), 400, None),
        (UnsupportedPair("There is no Klingon; there are en, ru."), 422, None),
        (AdmissionRefused("All seats are taken.", 7), 503, "7"),
        (EngineCrashed("The engine is being restarted."), 503, "2"),
        (EngineUnavailable("The engine is not here."), 503, None),
    ],
)
async def test_a_refused_call_says_why(
    error: RtcServerError, status: int, retry_after: str | None
) -> None:
    async with serve() as server:
        server.calls.refuse = error
        async with server.client.post(CALLS, data=OFFER, headers=SDP) as response:
            body = await problem(response, status, error.code)
            assert body["detail"] == str(error)
            assert response.headers.get("Retry-After") == retry_after
        refused = server.metrics.calls_refused.labels(error.code)
        assert refused._value.get() == 1


async def test_our_own_fault_tells_nothing_about_the_inside(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serve() as server:
        server.calls.refuse = KeyError("secret detail")
        for _ in range(30):
            async with server.client.post(CALLS, data=OFFER, headers=SDP) as response:
                body = await problem(response, 500, "server_error")
                assert "secret" not in json.dumps(body)
    tracebacks = [r for r in caplog.records if r.name == "rtc_server.signaling.problems"]
    assert 10 <= len(tracebacks) < 30, "a flood is cut short, its beginning is not"
    assert "KeyError" in caplog.text
    assert "secret" not in caplog.text


async def test_trickle_takes_candidates() -> None:
    async with serve() as server:
        async with server.client.post(CALLS, data=OFFER, headers=SDP) as response:
            location = response.headers["Location"]
        for given, seen in ((None, None), ('"ice-1"', "ice-1"), ("*", None)):
            headers = FRAGMENT if given is None else {**FRAGMENT, "If-Match": given}
            async with server.client.patch(location, data="a=x", headers=headers) as response:
                assert response.status == 204
            assert server.calls.trickled.pop() == ("sess_0", "a=x", seen)


@pytest.mark.parametrize(
    ("error", "status"),
    [(EtagMismatch("That ICE session is over."), 412), (IceRestartRefused("Not by PATCH."), 422)],
)
async def test_a_refused_trickle_says_why(error: RtcServerError, status: int) -> None:
    async with serve() as server:
        server.calls.refuse = error
        async with server.client.patch(f"{CALLS}/x", data="a=x", headers=FRAGMENT) as response:
            await problem(response, status, error.code)


@pytest.mark.parametrize("tag", ["ice-1", 'W/"ice-1"', '"a", "b"', ""])
async def test_an_if_match_that_names_no_one_etag_is_refused(tag: str) -> None:
    async with serve() as server:
        headers = {**FRAGMENT, "If-Match": tag}
        async with server.client.patch(f"{CALLS}/x", data="a=x", headers=headers) as response:
            await problem(response, 400, "invalid_request")


async def test_a_fragment_is_bounded_and_typed() -> None:
    async with serve() as server:
        async with server.client.patch(f"{CALLS}/x", data="a=x", headers=SDP) as response:
            await problem(response, 415, "unsupported_media_type")
            assert response.headers["Accept-Patch"] == FRAGMENT["Content-Type"]
        huge = "a" * (bodies.FRAGMENT_LIMIT_BYTES + 1)
        async with server.client.patch(f"{CALLS}/x", data=huge, headers=FRAGMENT) as response:
            await problem(response, 413, "payload_too_large")


async def test_hanging_up_with_and_without_draining() -> None:
    async with serve() as server:
        for query in ("", "?drain=1", "?drain=0"):
            async with server.client.post(CALLS, data=OFFER, headers=SDP) as response:
                location = response.headers["Location"]
            async with server.client.delete(location + query) as response:
                assert response.status == 200
                assert await response.read() == b""
        assert server.calls.closed == [("sess_0", False), ("sess_1", True), ("sess_2", False)]
        async with server.client.delete(f"{CALLS}/sess_0?drain=maybe") as response:
            await problem(response, 400, "invalid_request")


async def test_a_session_that_is_not_there() -> None:
    async with serve() as server:
        async with server.client.delete(f"{CALLS}/nobody") as response:
            await problem(response, 404, "session_not_found")
        async with server.client.patch(f"{CALLS}/no", data="a=x", headers=FRAGMENT) as response:
            await problem(response, 404, "session_not_found")


@pytest.mark.parametrize("handler_cancellation", [False, True])
async def test_a_client_that_leaves_before_the_answer_leaves_no_session(
    handler_cancellation: bool,
) -> None:
    async with serve(handler_cancellation=handler_cancellation) as server:
        server.calls.hold = asyncio.Event()
        _, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(
            f"POST {CALLS} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/sdp\r\n"
            f"Content-Length: {len(OFFER)}\r\n\r\n{OFFER}".encode()
        )
        await server.calls.entered.wait()
        writer.transport.abort()
        async with server.client.get("/healthz") as response:  # the abort has been noticed
            assert response.status == 200
        server.calls.hold.set()
        if not handler_cancellation:  # else the opening itself was cancelled
            await server.calls.changed.wait()
            assert server.calls.closed == [("sess_0", False)]
        assert not server.calls.opened


async def test_below_a_prefix_the_location_has_it_too() -> None:
    async with serve(prefix="/interpreter") as server:
        async with server.client.post(f"/interpreter{CALLS}", data=OFFER, headers=SDP) as response:
            assert response.status == 201
            location = response.headers["Location"]
        assert location == f"/interpreter{CALLS}/sess_0"
        async with server.client.delete(location) as response:
            assert response.status == 200
        async with server.client.get("/interpreter/nothing") as response:
            await problem(response, 404, "not_found")
