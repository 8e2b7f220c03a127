"""The call endpoints over a real socket."""

import asyncio
import collections
import contextlib
import gzip
import json
import random
from typing import Any

import aiohttp
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
from rtc_server.signaling.request_bodies import OFFER_LIMIT_BYTES
from tests.support.signaling_fakes import (
    ANSWER,
    CALLS,
    FRAGMENT,
    OFFER,
    SDP,
    Served,
    problem,
    serve,
)

SESSION = {
    "model": "gpt-realtime-translate",
    "audio": {
        "input": {"transcription": {"model": "whisper-1", "language": "en-GB"}},
        "output": {"language": "ru"},
    },
    "x": {"vad": {"mode": "off", "hangover_ms": 500}, "voice": "anna", "x_events": ["segment"]},
    "something_new": True,
}
PATCH = SessionPatch(
    source_language="en",
    target_language="ru",
    transcription=True,
    x_events=frozenset({"segment"}),
    vad_mode="off",
    hangover_ms=500,
    voice="anna",
)


async def hung_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Wait until the server has closed the connection, then close our end."""
    with contextlib.suppress(ConnectionError):
        await reader.read()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()


async def post_json(server: Served, body: Any, status: int = 400) -> str:
    """Post and return the sentence of the refusal."""
    async with server.client.post(CALLS, json=body) as response:
        refusal = await problem(response, status, "invalid_request")
    assert not server.calls.opened
    return str(refusal["detail"])


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


async def test_json_carries_the_session() -> None:
    async with serve() as server:
        async with server.client.post(CALLS, json={"sdp": OFFER, "session": SESSION}) as response:
            assert response.status == 201
        offer, request = server.calls.opened["sess_0"]
        assert offer == OFFER
        assert request.model == "gpt-realtime-translate"
        assert request.settings == PATCH


@pytest.mark.parametrize("order", [("sdp", "session"), ("session", "sdp"), ("x", "session", "sdp")])
async def test_multipart_in_any_order(order: tuple[str, ...]) -> None:
    texts = {"sdp": OFFER, "session": json.dumps(SESSION), "x": "ignored"}
    form = aiohttp.FormData(default_to_multipart=True)
    for name in order:
        form.add_field(name, texts[name])
    async with serve() as server:
        async with server.client.post(CALLS, data=form) as response:
            assert response.status == 201
        offer, request = server.calls.opened["sess_0"]
        assert offer == OFFER
        assert request.settings == PATCH


async def test_the_query_wins_over_the_session() -> None:
    query = {"model": "canary", "source": "de-DE", "target": "FR", "unknown": "1"}
    async with serve() as server:
        body = {"sdp": OFFER, "session": SESSION}
        async with server.client.post(CALLS, json=body, params=query) as response:
            assert response.status == 201
        _, request = server.calls.opened["sess_0"]
        assert request.model == "canary"
        assert request.settings.source_language == "de"
        assert request.settings.target_language == "fr"
        assert request.settings.voice == "anna"


@pytest.mark.parametrize(
    ("session", "named"),
    [
        ([], "session must be an object"),
        ({"audio": 1}, "session.audio "),
        ({"audio": {"output": {"language": 5}}}, "session.audio.output.language"),
        ({"audio": {"input": {"transcription": "yes"}}}, "session.audio.input.transcription"),
        ({"model": 7}, "session.model"),
        ({"x": {"vad": {"mode": "loud"}}}, "session.x.vad.mode"),
        ({"x": {"vad": {"hangover_ms": True}}}, "session.x.vad.hangover_ms"),
        ({"x": {"x_events": "segment"}}, "session.x.x_events"),
        ({"x": {"voice": "v" * 129}}, "session.x.voice"),
    ],
)
async def test_a_wrong_type_is_named(session: Any, named: str) -> None:
    async with serve() as server:
        assert named in await post_json(server, {"sdp": OFFER, "session": session})


@pytest.mark.parametrize("body", [[], "sdp", 1, {"sdp": 1}, {"session": {}}, {"sdp": None}])
async def test_json_of_another_shape_is_refused(body: Any) -> None:
    async with serve() as server:
        await post_json(server, body)


@pytest.mark.parametrize("data", [b"", b"{", b'{"sdp": "\xff"}', b"[" * 100_000, b"NaN"])
async def test_what_is_not_json_is_refused(data: bytes) -> None:
    async with serve() as server:
        headers = {"Content-Type": "application/json"}
        async with server.client.post(CALLS, data=data, headers=headers) as response:
            await problem(response, 400, "invalid_request")


@pytest.mark.parametrize(
    ("content_type", "data"),
    [
        ("multipart/form-data", b"--b--\r\n"),
        ("multipart/form-data; boundary=", b"----\r\n"),
        ("multipart/form-data; boundary=" + "b" * 100, b"x"),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b"no boundary at all"),
        ("multipart/form-data; boundary=b", b"--b\r\n"),
        ("multipart/form-data; boundary=b", b"--b--\r\n"),
        ("multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="sdp"'),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="sdp"\r\n\r\nv=0\r\n',
        ),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="sdp"\r\n\r\n\xff\r\n--b--\r\n',
        ),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="sdp"\r\n\r\nv=0\r\n' * 2 + b"--b--\r\n",
        ),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="sdp"\r\n\r\nv=0\r\n'
            b'--b\r\nContent-Disposition: form-data; name="session"\r\n\r\n{\r\n--b--\r\n',
        ),
        (
            "multipart/form-data; boundary=b",
            b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n"
            b"--c\r\n\r\n--c--\r\n--b--\r\n",
        ),
    ],
)
async def test_broken_multipart_is_refused(content_type: str, data: bytes) -> None:
    async with serve() as server:
        headers = {"Content-Type": content_type}
        async with server.client.post(CALLS, data=data, headers=headers) as response:
            await problem(response, 400, "invalid_request")
        assert not server.calls.opened


async def test_damaged_bodies_are_read_or_refused_but_never_break_anything() -> None:
    """Seeded damage: bytes cut, doubled and changed, in the body and in its boundary."""
    form = (
        b'--bound\r\nContent-Disposition: form-data; name="sdp"\r\n'
        b"Content-Type: application/sdp\r\nContent-Transfer-Encoding: binary\r\n\r\n"
        + OFFER.encode()
        + b'\r\n--bound\r\nContent-Disposition: form-data; name="session"\r\n\r\n'
        + json.dumps(SESSION).encode()
        + b"\r\n--bound--\r\n"
    )
    whole = {
        "multipart/form-data; boundary=bound": form,
        "application/json": json.dumps({"sdp": OFFER, "session": SESSION}).encode(),
    }
    rng = random.Random(7)
    answers: collections.Counter[int] = collections.Counter()
    async with serve() as server:
        for _ in range(400):
            content_type, body = rng.choice(list(whole.items()))
            damaged = bytearray(body)
            for _ in range(rng.randint(0, 3)):
                at, length = rng.randrange(len(damaged)), rng.randint(1, 40)
                piece = bytes(damaged[at : at + length])
                damaged[at : at + length] = rng.choice([b"", piece * 2, rng.randbytes(length)])
            headers = {"Content-Type": content_type}
            async with server.client.post(CALLS, data=bytes(damaged), headers=headers) as response:
                answers[response.status] += 1
    assert set(answers) == {201, 400}
    assert min(answers.values()) > 50, answers


@pytest.mark.parametrize("data", [b"", b"  \r\n"])
async def test_an_empty_offer_is_refused(data: bytes) -> None:
    async with serve() as server, server.client.post(CALLS, data=data, headers=SDP) as response:
        await problem(response, 400, "bad_sdp")


@pytest.mark.parametrize(
    "body",
    [
        b'{"sdp": "v=0\\ud800"}',
        b'{"sdp": "v=0", "session": {"model": "\\ud800"}}',
        b'{"sdp": "v=0", "session": {"audio": {"output": {"language": "\\ud800"}}}}',
        b'{"sdp": "v=0", "session": {"x": {"x_events": ["\\ud800"]}}}',
    ],
)
async def test_what_json_can_spell_but_nothing_can_write_is_refused(body: bytes) -> None:
    async with serve() as server:
        headers = {"Content-Type": "application/json"}
        async with server.client.post(CALLS, data=body, headers=headers) as response:
            await problem(response, 400, "invalid_request")


async def test_an_offer_that_is_not_text_is_refused() -> None:
    bad = b"v=0\xff"
    async with serve() as server, server.client.post(CALLS, data=bad, headers=SDP) as response:
        await problem(response, 400, "invalid_request")


@pytest.mark.parametrize("content_type", ["text/plain", "application/octet-stream", "a", ""])
async def test_another_media_type_is_refused_and_told_what_fits(content_type: str) -> None:
    async with serve() as server:
        headers = {"Content-Type": content_type}
        async with server.client.post(CALLS, data=OFFER.encode(), headers=headers) as response:
            await problem(response, 415, "unsupported_media_type")
            accepted = response.headers["Accept-Post"]
    assert accepted == "application/sdp, multipart/form-data, application/json"


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
