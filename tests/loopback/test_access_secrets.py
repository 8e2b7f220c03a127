"""Client secrets over a real socket: what each may open."""

import pytest

from rtc_server.config import AccessSettings
from rtc_server.errors import UnsupportedPair
from tests.support.access import KEY, SECRETS, bearer, call, mint
from tests.support.signaling_fakes import CALLS, FRAGMENT, problem, serve

TO_RUSSIAN = {
    "model": "gpt-realtime-translate",
    "audio": {
        "input": {"transcription": {"model": "whisper-1", "language": "en"}},
        "output": {"language": "ru"},
    },
}


async def test_a_secret_has_the_published_shape() -> None:
    async with serve(api_key=KEY) as server:
        expires = {"anchor": "created_at", "seconds": 60}
        answer = await mint(server, expires_after=expires, session=TO_RUSSIAN)
        assert set(answer) == {"value", "expires_at", "session", "x"}
        assert answer["value"].startswith("ek_")
        session = answer["session"]
        assert session.pop("id").startswith("sess_")
        assert session == {
            "type": "translation",
            "expires_at": answer["expires_at"],
            "model": "gpt-realtime-translate",
            "audio": {
                "input": {
                    "transcription": {"model": "book", "language": "en"},
                    "noise_reduction": None,
                },
                "output": {"language": "ru"},
            },
        }
        shortest = await mint(server, expires_after={"seconds": 10}, session={})
        longest = await mint(server, expires_after={"seconds": 7200})
        assert 7180 <= longest["expires_at"] - shortest["expires_at"] <= 7200
        assert 580 <= (await mint(server))["expires_at"] - shortest["expires_at"] + 10 <= 620
        assert shortest["session"]["model"] == "book"


@pytest.mark.parametrize(
    "body",
    [
        [],
        "x",
        {"expires_after": 5},
        {"expires_after": {"anchor": "now", "seconds": 60}},
        {"expires_after": {"seconds": 9}},
        {"expires_after": {"seconds": 7201}},
        {"expires_after": {"seconds": 60.0}},
        {"expires_after": {"seconds": True}},
        {"session": {"audio": 1}},
        {"session": {"model": 1}},
        {"x": {"origin": "https://a.example/path"}},
        {"x": {"origin": "null"}},
        {"x": {"origin": 1}},
        {"x": "https://a.example"},
        {"x": {"origin": "https://" + "a" * 300}},
    ],
)
async def test_a_secret_that_cannot_be_made_is_refused_in_a_sentence(body: object) -> None:
    async with (
        serve(api_key=KEY) as server,
        server.client.post(SECRETS, json=body, headers=bearer(KEY)) as response,
    ):
        await problem(response, 400, "invalid_request")


async def test_other_ways_to_get_a_secret_wrong() -> None:
    async with serve(api_key=KEY) as server:
        json_type = bearer(KEY, **{"Content-Type": "application/json"})
        for data, headers, status, code in (
            ("{", json_type, 400, "invalid_request"),
            ("{}", bearer(KEY, **{"Content-Type": "text/plain"}), 415, "unsupported_media_type"),
            (" " * 17_000, json_type, 413, "payload_too_large"),
        ):
            async with server.client.post(SECRETS, data=data, headers=headers) as response:
                await problem(response, status, code)
        server.calls.refuse = UnsupportedPair("There is no Klingon.")
        async with server.client.post(SECRETS, json={}, headers=bearer(KEY)) as response:
            await problem(response, 422, "unsupported_language")


async def test_a_secret_opens_several_sessions_as_it_says() -> None:
    async with serve(api_key=KEY) as server:
        secret = (await mint(server, session=TO_RUSSIAN))["value"]
        assert await call(server, secret) == 201
        assert await call(server, secret, "?target=en&source=ru&model=other") == 201
        requests = [request for _, request in server.calls.opened.values()]
        assert len({request.owner for request in requests}) == 1
        for request in requests:  # languages are not the client's to choose
            assert request.model == "gpt-realtime-translate"
            assert request.settings.source_language == "en"
            assert request.settings.target_language == "ru"
            assert request.settings.transcription


async def test_a_secret_reads_the_catalogue_and_nothing_that_is_the_operators() -> None:
    async with serve(api_key=KEY) as server:
        token = bearer((await mint(server))["value"])
        for path in ("/v1/languages", "/v1/engines", "/v1/phrases?language=ru"):
            async with server.client.get(path, headers=token) as response:
                assert response.status == 200
        async with server.client.get("/metrics", headers=token) as response:
            await problem(response, 403, "forbidden")
        async with server.client.post(SECRETS, json={}, headers=token) as response:
            await problem(response, 403, "forbidden")


async def test_a_secret_of_a_server_without_keys_says_what_its_sessions_are() -> None:
    async with serve() as server:
        secret = (await mint(server, "whatever", session=TO_RUSSIAN))["value"]
        assert await call(server, secret) == 201
        assert server.calls.opened["sess_0"][1].settings.target_language == "ru"
        assert await call(server, "ek_.e30.AAAA") == 401
        assert await call(server, "anything else") == 201


async def test_no_token_a_wrong_one_and_one_that_is_nearly_right() -> None:
    async with serve(api_key=KEY) as server:
        secret = (await mint(server))["value"]
        head, payload, signature = secret.split(".")
        for token in (
            "",
            "x",
            KEY + "x",
            KEY[:-1],
            "ek_",
            "ek_..",
            "ek_settings.e30.",
            f"{head}.{payload}.",
            f"{head}.{payload}.{signature[:-2]}",
            f"{head}.{payload[:-2]}.{signature}",
            f"ek_page.{payload}.{signature}",
            f"{head}.{payload}x.{signature}",
            secret + "." * 5000,
            "rk_00000000_" + "a" * 43,
        ):
            assert await call(server, token) == 401, token
        assert not server.calls.opened
        assert await call(server, KEY) == await call(server, secret) == 201


async def test_an_expired_secret_opens_nothing_but_ends_what_it_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now_s = 1_000.0
    monkeypatch.setattr("rtc_server.signaling.http_app.wall", lambda: now_s)
    async with serve(api_key=KEY) as server:
        answer = await mint(server, expires_after={"seconds": 10})
        assert answer["expires_at"] == 1_010
        now_s = 1_009.9
        assert await call(server, answer["value"]) == 201
        now_s = 1_010.0
        assert await call(server, answer["value"]) == 401
        headers = bearer(answer["value"])
        async with server.client.get("/v1/languages", headers=headers) as response:
            assert "expired" in (await problem(response, 401, "invalid_api_key"))["detail"]
        async with server.client.delete(f"{CALLS}/sess_0", headers=headers) as response:
            assert response.status == 200


async def test_a_session_is_its_openers() -> None:
    async with serve(api_key=KEY) as server:
        mine, other = [(await mint(server))["value"] for _ in range(2)]
        await call(server, mine)
        await call(server, KEY)
        for token, name in ((other, "sess_0"), (mine, "sess_1"), (mine, "sess_9")):
            headers = bearer(token)
            async with server.client.delete(f"{CALLS}/{name}", headers=headers) as response:
                await problem(response, 404, "session_not_found")
            async with server.client.patch(
                f"{CALLS}/{name}", data="a=x", headers={**headers, **FRAGMENT}
            ) as response:
                await problem(response, 404, "session_not_found")
        assert not server.calls.closed
        assert not server.calls.trickled
        for token, name in ((mine, "sess_0"), (KEY, "sess_1")):
            async with server.client.delete(f"{CALLS}/{name}", headers=bearer(token)) as response:
                assert response.status == 200
        await call(server, mine)
        async with server.client.delete(f"{CALLS}/sess_2", headers=bearer(KEY)) as response:
            assert response.status == 200  # a key may close sessions that its secrets opened


async def test_a_secret_cannot_be_replayed_from_another_origin() -> None:
    ours, theirs = "https://app.example", "https://evil.example"
    async with serve(api_key=KEY, access=AccessSettings(cors_origins=(ours, theirs))) as server:
        secret = (await mint(server, x={"origin": ours}))["value"]
        assert await call(server, secret, Origin=ours) == 201
        assert await call(server, secret, Origin=theirs) == 403
        assert await call(server, secret) == 403
        async with server.client.get("/v1/languages", headers=bearer(secret)) as response:
            assert response.status == 200  # a page reading from its own server sends no Origin
        headers = bearer(secret, Origin=theirs)
        async with server.client.get("/v1/languages", headers=headers) as response:
            await problem(response, 403, "forbidden")
