"""Keys and client secrets over a real socket: who comes in, and to what."""

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from rtc_server.config import AccessSettings
from rtc_server.errors import UnsupportedPair
from rtc_server.signaling import auth
from rtc_server.signaling.keys import new_key, write_keys
from tests.support.access import KEY, SECRETS, bearer, mint
from tests.support.signaling_fakes import CALLS, FRAGMENT, OFFER, SDP, Served, problem, serve

TO_RUSSIAN = {
    "model": "gpt-realtime-translate",
    "audio": {
        "input": {"transcription": {"model": "whisper-1", "language": "en"}},
        "output": {"language": "ru"},
    },
}


async def call(server: Served, token: str, query: str = "", **headers: str) -> int:
    """Open a call; the status."""
    sent = {**bearer(token), **SDP, **headers}
    async with server.client.post(CALLS + query, data=OFFER, headers=sent) as response:
        if response.status != 201:
            body: Mapping[str, Any] = await response.json(content_type="application/problem+json")
            assert body["detail"].endswith(".")
        return response.status


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
            assert response.status == 200  # what its secrets open, a key may close


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


async def test_keys_of_a_file_are_separate_and_revoked_while_the_server_runs(
    tmp_path: Path,
) -> None:
    path = tmp_path / "keys.json"
    shop, shop_key = new_key("shop", "2026-01-01", {})
    bank, bank_key = new_key("bank", "2026-01-01", {})
    write_keys(path, [shop_key, bank_key])
    async with serve(access=AccessSettings(api_keys=str(path))) as server:
        secret = (await mint(server, shop))["value"]
        assert await call(server, shop) == await call(server, secret) == 201
        assert await call(server, bank) == 201
        async with server.client.delete(f"{CALLS}/sess_0", headers=bearer(bank)) as response:
            await problem(response, 404, "session_not_found")
        write_keys(path, [bank_key])
        await server.calls.changed.wait()
        assert server.calls.revoked == [shop_key.id]
        assert await call(server, shop) == await call(server, secret) == 401
        async with server.client.delete(f"{CALLS}/sess_1", headers=bearer(secret)) as response:
            await problem(response, 401, "invalid_api_key")
        assert await call(server, bank) == 201


async def test_requests_a_minute_are_counted_by_key(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    shop, shop_key = new_key("shop", "2026-01-01", {"requests_a_minute": 2})
    bank, bank_key = new_key("bank", "2026-01-01", {})
    write_keys(path, [shop_key, bank_key])
    async with serve(access=AccessSettings(api_keys=str(path))) as server:
        secret = (await mint(server, shop))["value"]
        assert await call(server, secret) == 201
        async with server.client.get("/v1/languages", headers=bearer(shop)) as response:
            await problem(response, 429, "rate_limit_exceeded")
            assert 0 < int(response.headers["Retry-After"]) <= 30
        assert await call(server, bank) == 201


async def test_ten_thousand_bad_tokens_are_slowed_and_fill_no_log(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No further try comes free between the last bad token and the key.
    monkeypatch.setattr(auth, "WRONG_KEYS", replace(auth.WRONG_KEYS, per_second=1e-6))
    caplog.set_level(logging.DEBUG)
    secret_words = "Tr0ub4dor"
    async with serve(api_key=KEY) as server:
        good = (await mint(server))["value"]
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        statuses: dict[bytes, int] = {}
        for at in range(0, 10_000, 100):
            writer.writelines(
                b"GET /v1/languages HTTP/1.1\r\nHost: localhost\r\n"
                b"Authorization: Bearer %s%d\r\n\r\n" % (secret_words.encode(), at + i)
                for i in range(100)
            )
            for _ in range(100):
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
                body = json.loads(await reader.readexactly(length))
                assert body["detail"].endswith(".")
                assert secret_words not in body["detail"]
                status = head.split(b" ")[1]
                statuses[status] = statuses.get(status, 0) + 1
                assert status == b"401" or b"retry-after: " in head.lower()
        writer.close()
        await writer.wait_closed()
        assert set(statuses) == {b"401", b"429"}
        assert sum(statuses.values()) == 10_000
        assert statuses[b"401"] == auth.WRONG_KEYS.burst
        # The key a person chose might be guessed: it waits too. What nobody can guess does not.
        assert await call(server, KEY) == 429
        assert await call(server, good) == 201
    text = caplog.text
    assert len(caplog.records) < 400
    for word in (secret_words, KEY, good):
        assert word not in text


async def test_neither_keys_nor_secrets_stand_in_logs_or_answers(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    path = tmp_path / "keys.json"
    key, record = new_key("shop", "2026-01-01", {})
    write_keys(path, [record])
    async with serve(access=AccessSettings(api_keys=str(path))) as server:
        secret = (await mint(server, key))["value"]
        answers = []
        for token in (key, secret, key + "x", secret + "x"):
            for method, target in (("POST", CALLS), ("GET", "/metrics"), ("PUT", "/nowhere")):
                async with server.client.request(
                    method, target, data=OFFER, headers={**bearer(token), **SDP}
                ) as response:
                    answers.append(await response.text() + str(response.headers))
            # A token in the URL does not count, and is not logged.
            async with server.client.get(f"/v1/languages?key={token}") as response:
                await problem(response, 401, "invalid_api_key")
        assert server.calls.opened
    said = caplog.text + "".join(answers)
    for token in (key, secret, key.split("_", 2)[2], secret.split(".")[1], record.sha256):
        assert token not in said


async def test_a_websocket_carries_its_secret_as_a_subprotocol() -> None:
    async with serve(api_key=KEY) as server:
        secret = (await mint(server))["value"]
        for offered, status in (
            (("realtime", f"openai-insecure-api-key.{secret}"), 503),  # in, to sessions that refuse
            (("realtime", f"openai-insecure-api-key.{secret}x"), 401),
            (("realtime",), 401),
        ):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
                await server.client.ws_connect("/ws/audio", protocols=offered)
            assert refusal.value.status == status


async def test_a_call_says_who_asks_and_from_where(tmp_path: Path) -> None:
    """Strangers with a secret count by address; who has the key may be calling for many."""
    access = AccessSettings(page_access="open", secret_sessions=7)
    async with serve(api_key=KEY, access=access, trusted_proxies=("127.0.0.1",)) as server:
        token = (await mint(server))["value"]
        forwarded = "X-Forwarded-For"
        for shown, address, source in (
            (token, "198.51.100.7", "198.51.100.7"),
            (token, "2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
            (KEY, "198.51.100.7", ""),
        ):
            assert await call(server, shown, **{forwarded: address}) == 201
            _, request = server.calls.opened.popitem()[1]
            assert request.claimant.source == source
            assert request.claimant.has_rivals  # the page
            assert request.claimant.limits.secret_sessions == 7
