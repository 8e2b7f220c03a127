"""Keys over a real socket: revoked, counted, slowed, never logged, and the owner of a call."""

import asyncio
import json
import logging
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from rtc_server.config import AccessSettings
from rtc_server.signaling import auth
from rtc_server.signaling.keys import new_key, write_keys
from tests.support.access import KEY, bearer, call, mint
from tests.support.signaling_fakes import CALLS, OFFER, SDP, problem, serve


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


@pytest.mark.unmeasured
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
    """Strangers with a secret are counted by address; the bearer of the key may call for many
    people.
    """
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
