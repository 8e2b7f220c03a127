"""Quotas of a key with real sessions: the whole server, over WebSockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from rtc_server.app.server import RunningServer, running
from rtc_server.config import AccessSettings, HttpSettings, Settings
from rtc_server.signaling.keys import new_key, write_keys
from tests.support.access import bearer
from tests.support.patient import QUICK
from tests.support.server import freed
from tests.support.until import until

TRANSLATIONS = "/v1/realtime/translations"
SECRETS = TRANSLATIONS + "/client_secrets"
OTHER_KEY = new_key("other", "2026-01-01", {})


@dataclass
class KeyedServer:
    server: RunningServer
    http: aiohttp.ClientSession
    key: str
    file: Path


@asynccontextmanager
async def keyed_server(folder: Path, **limits: int) -> AsyncIterator[KeyedServer]:
    key, record = new_key("ours", "2026-01-01", limits)
    file = folder / "keys.json"
    write_keys(file, [record, OTHER_KEY[1]])
    settings = Settings(
        http=HttpSettings(port=0),
        access=AccessSettings(api_keys=str(file)),
        engines=QUICK,
    )
    async with running(settings) as server, aiohttp.ClientSession(server.url) as http:
        yield KeyedServer(server, http, key, file)


async def kinds_until_closed(ws: aiohttp.ClientWebSocketResponse) -> list[str]:
    async with asyncio.timeout(60):
        return [message.json()["type"] async for message in ws]


async def test_a_key_revoked_while_its_session_runs(tmp_path: Path) -> None:
    async with keyed_server(tmp_path) as keyed:
        async with (
            keyed.http.ws_connect(TRANSLATIONS, headers=bearer(keyed.key)) as ours,
            keyed.http.ws_connect(TRANSLATIONS, headers=bearer(OTHER_KEY[0])) as other,
        ):
            write_keys(keyed.file, [OTHER_KEY[1]])
            assert (await kinds_until_closed(ours))[-1] == "session.closed"
            await until(lambda: keyed.server.manager.sessions == 1)
            assert not other.closed
            with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
                await keyed.http.ws_connect(TRANSLATIONS, headers=bearer(keyed.key))
            assert refusal.value.status == 401
        await freed(keyed.server)


async def test_a_key_has_its_sessions_and_no_more(tmp_path: Path) -> None:
    async with keyed_server(tmp_path, sessions=1) as keyed:
        async with keyed.http.ws_connect(TRANSLATIONS, headers=bearer(keyed.key)):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
                await keyed.http.ws_connect(TRANSLATIONS, headers=bearer(keyed.key))
            assert refusal.value.status == 429
            assert refusal.value.headers and int(refusal.value.headers["Retry-After"]) > 0
            async with keyed.http.ws_connect(TRANSLATIONS, headers=bearer(OTHER_KEY[0])):
                assert keyed.server.manager.sessions == 2
        await freed(keyed.server)
        async with keyed.http.ws_connect(TRANSLATIONS, headers=bearer(keyed.key)):
            assert keyed.server.manager.sessions == 1


async def test_a_session_says_when_it_will_end(tmp_path: Path) -> None:
    async with (
        keyed_server(tmp_path, session_minutes=1) as keyed,
        keyed.http.ws_connect(TRANSLATIONS, headers=bearer(keyed.key)) as ws,
    ):
        created = (await ws.receive_json())["session"]
        assert isinstance(created["expires_at"], int)


async def test_a_browsers_websocket_is_what_its_secret_says(tmp_path: Path) -> None:
    session = {"model": "gpt-realtime-translate", "audio": {"output": {"language": "ru"}}}
    async with keyed_server(tmp_path) as keyed:
        async with keyed.http.post(
            SECRETS, json={"session": session}, headers=bearer(keyed.key)
        ) as made:
            secret = await made.json()
        assert secret["session"]["audio"]["output"] == {"language": "ru"}
        protocols = ("realtime", f"openai-insecure-api-key.{secret['value']}")
        async with keyed.http.ws_connect(
            TRANSLATIONS + "?target=en", protocols=protocols, origin=keyed.server.url
        ) as ws:
            created = (await ws.receive_json())["session"]
            assert created["audio"]["output"] == {"language": "ru"}
            assert created["model"] == "gpt-realtime-translate"


async def test_an_expired_secret_resumes_the_session_it_opened_and_opens_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = 1_000.0
    monkeypatch.setattr("rtc_server.signaling.http_app.wall", lambda: now_s)
    async with keyed_server(tmp_path) as keyed:
        body = {"expires_after": {"seconds": 10}}
        secrets = []
        for _ in range(2):
            async with keyed.http.post(SECRETS, json=body, headers=bearer(keyed.key)) as made:
                secrets.append((await made.json())["value"])
        ours, other = map(bearer, secrets)
        for path in ("/ws/audio", TRANSLATIONS):
            now_s = 1_000.0
            async with keyed.http.ws_connect(path, headers=ours) as first:
                session_id = (await first.receive_json())["session"]["id"]
                now_s = 1_010.0
                for query, headers, status in (
                    ("", ours, 401),
                    ("?resume=", ours, 401),
                    (f"?resume={session_id}", other, 404),
                ):
                    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
                        await keyed.http.ws_connect(path + query, headers=headers)
                    assert refusal.value.status == status
                again = f"{path}?resume={session_id}"
                async with keyed.http.ws_connect(again, headers=ours) as second:
                    updated = await second.receive_json()
                    assert updated["type"] == "session.updated"
                    assert updated["session"]["id"] == session_id
        await freed(keyed.server)
