"""Bodies of a call's offer over a real socket: JSON, multipart, and invalid ones."""

import collections
import json
import random
from typing import Any

import aiohttp
import pytest

from rtc_server.events.client import SessionPatch
from tests.support.signaling_fakes import (
    CALLS,
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


async def post_json(server: Served, body: Any, status: int = 400) -> str:
    """Post and return the sentence of the refusal."""
    async with server.client.post(CALLS, json=body) as response:
        refusal = await problem(response, status, "invalid_request")
    assert not server.calls.opened
    return str(refusal["detail"])


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
