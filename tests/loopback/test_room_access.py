"""Access to rooms: join links, secrets for one room, and what each of them opens."""

import aiohttp
import pytest

from rtc_server.config import (
    AccessSettings,
)
from rtc_server.limits import Rate
from tests.support.access import bearer
from tests.support.rooms import say, server, told
from tests.support.rtc_client import RtcClient


async def test_a_join_link_opens_its_own_room_to_listen_and_nothing_else() -> None:
    headers = {"Authorization": "Bearer the-key"}
    async with (
        server(api_key="the-key") as running_server,
        aiohttp.ClientSession(running_server.url) as http,
    ):
        whip = f"{running_server.url}/whip/hall?source=en"
        async with RtcClient(whip, channel=None, headers=headers) as spoken:
            async with http.post("/v1/rooms/hall/link", headers=headers) as made:
                link = await made.json()
            async with http.post("/v1/rooms/hall/link", headers=headers) as again:
                assert await again.json() == link  # and encoded once
            url, _, token = link["url"].partition("#")
            assert url == f"{running_server.url}/listen/hall"
            assert link["qr_svg"].startswith("<svg")
            joined = {"Authorization": f"Bearer {token}"}
            whep = f"{running_server.url}/whep/hall?language=de"
            async with RtcClient(whep, listens_only=True, headers=joined) as client:
                say(spoken, "yes")
                await told(client)
                async with http.delete(client.location, headers=joined) as left:
                    assert left.status == 200
            async with http.get("/v1/rooms/hall", headers=joined) as state:
                assert state.status == 200
            for method, path in (
                ("POST", "/whip/hall"),
                ("POST", "/whep/other"),
                ("GET", "/v1/rooms/other"),
                ("POST", "/v1/rooms/hall/link"),
                ("POST", "/v1/realtime/translations/calls"),
                ("GET", "/v1/engines"),
                ("GET", "/metrics"),
            ):
                async with http.request(method, path, headers=joined) as refused:
                    assert refused.status == 403, path
            async with http.delete(spoken.location, headers=joined) as refused:
                assert refused.status == 404
            async with http.get("/v1/rooms/hall") as refused:
                assert refused.status == 401


async def mint(http: aiohttp.ClientSession, room: object) -> tuple[int, str]:
    path = "/v1/realtime/translations/client_secrets"
    transcription = {"model": "whisper-1", "language": "en"}
    audio = {"input": {"transcription": transcription}, "output": {"language": "ru"}}
    body = {"session": {"model": "gpt-realtime-translate", "audio": audio}, "x": {"room": room}}
    async with http.post(path, json=body, headers=bearer("the-key")) as made:
        return made.status, (await made.json()).get("value", "")


async def test_a_secret_invites_to_no_room_of_another_secret() -> None:
    async with (
        server(api_key="the-key") as running_server,
        aiohttp.ClientSession(running_server.url) as http,
    ):
        (_, own), (_, other) = [await mint(http, None) for _ in range(2)]

        async def invite(token: str) -> int:
            async with http.post("/v1/rooms/hall/link", headers=bearer(token)) as answer:
                return answer.status

        assert await invite(other) == 200, "nobody has it yet"
        whip = f"{running_server.url}/whip/hall?source=en"
        async with RtcClient(whip, channel=None, headers=bearer(own)):
            assert [await invite(each) for each in (own, other, "the-key")] == [200, 403, 200]


async def test_a_secret_that_is_not_for_a_room_listens_in_on_none() -> None:
    async with (
        server(api_key="the-key") as running_server,
        aiohttp.ClientSession(running_server.url) as http,
    ):
        (_, own), (_, other) = [await mint(http, None) for _ in range(2)]
        whip, whep = f"{running_server.url}/whip/hall?source=en", "/whep/hall?language=de"
        async with RtcClient(whip, channel=None, headers=bearer(own)):
            for token, status in ((own, 200), ("the-key", 200), (other, 404)):
                async with http.get("/v1/rooms/hall", headers=bearer(token)) as answer:
                    assert answer.status == status
            async with http.get("/v1/rooms/hall/captions", headers=bearer(other)) as answer:
                assert answer.status == 404
            headers = {**bearer(other), "Content-Type": "application/sdp"}
            async with http.post(whep, data="v=0", headers=headers) as answer:
                assert answer.status == 404


EVERYTHING = (
    ("POST", "/whip/hall"),
    ("POST", "/whip/other"),
    ("POST", "/whep/hall"),
    ("POST", "/whep/other"),
    ("GET", "/v1/rooms/hall"),
    ("GET", "/v1/rooms/other"),
    ("GET", "/v1/rooms/hall/captions"),
    ("POST", "/v1/rooms/hall/link"),
    ("POST", "/v1/realtime/translations/calls"),
    ("DELETE", "/v1/realtime/translations/calls/sess_1"),
    ("POST", "/v1/realtime/translations/client_secrets"),
    ("GET", "/ws/audio"),
    ("GET", "/v1/realtime/translations"),
    ("GET", "/v1/languages"),
    ("GET", "/metrics"),
)


async def test_a_speakers_secret_only_speaks_and_a_listeners_only_listens() -> None:
    async with (
        server(api_key="the-key") as running_server,
        aiohttp.ClientSession(running_server.url) as http,
    ):
        secrets = {}
        for role in ("speaker", "listener"):
            status, secrets[role] = await mint(http, {"name": "hall", "role": role})
            assert status == 200
        whip, whep = (
            f"{running_server.url}/whip/hall?source=en",
            f"{running_server.url}/whep/hall?language=de",
        )
        speaks, listens = bearer(secrets["speaker"]), bearer(secrets["listener"])
        async with (
            RtcClient(whip, channel=None, headers=speaks) as spoken,
            RtcClient(whep, listens_only=True, headers=listens) as heard_by,
        ):
            say(spoken, "yes")
            await told(heard_by)
            opens = {"speaker": 1, "listener": 3}
            for role, token in secrets.items():
                refused = 0
                for method, path in EVERYTHING:
                    async with http.request(method, path, headers=bearer(token)) as answer:
                        refused += answer.status == 403
                assert refused == len(EVERYTHING) - opens[role], role
            async with http.delete(spoken.location, headers=listens) as no:
                assert no.status == 404
            async with http.delete(heard_by.location, headers=speaks) as no:
                assert no.status == 404
            # Who comes back with a fresh secret is the same speaker.
            _, fresh = await mint(http, {"name": "hall", "role": "speaker"})
            async with RtcClient(whip, channel=None, headers=bearer(fresh)) as again:
                await spoken.closed.wait()
                say(again, "thank you")
                await told(heard_by, 2)
                async with http.delete(again.location, headers=bearer(fresh)) as left:
                    assert left.status == 200


async def test_a_room_that_no_secret_can_be_for_is_refused() -> None:
    async with (
        server(api_key="the-key") as running_server,
        aiohttp.ClientSession(running_server.url) as http,
    ):
        for room in (
            "hall",
            {},
            {"name": "hall"},
            {"name": "hall", "role": "both"},
            {"name": "a/b", "role": "speaker"},
            {"name": "hall\n", "role": "speaker"},
            {"name": "a" * 65, "role": "listener"},
            {"name": ["hall"], "role": "listener"},
            {"name": "hall", "role": ["speaker"]},
        ):
            assert (await mint(http, room))[0] == 400, room


async def test_an_audience_does_not_use_up_the_requests_of_the_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rtc_server.signaling.auth.LINK", Rate(burst=3, per_second=0.001))
    async with (
        server(api_key="the-key", access=AccessSettings(key_requests_a_minute=1)) as running_server,
        aiohttp.ClientSession(running_server.url) as http,
    ):
        async with http.post("/v1/rooms/hall/link", headers=bearer("the-key")) as made:
            ticket = (await made.json())["url"].partition("#")[2]
        for status in (404, 404, 404, 429):
            async with http.get("/v1/rooms/hall", headers=bearer(ticket)) as answer:
                assert answer.status == status
                assert status == 404 or "Retry-After" in answer.headers


async def test_a_link_that_no_qr_code_holds_is_refused() -> None:
    async with server() as running_server, aiohttp.ClientSession(running_server.url) as http:
        host = {"Host": "a" * 2000 + ".localhost"}
        async with http.post("/v1/rooms/hall/link", headers=host) as refused:
            assert refused.status == 400
            assert "2000 characters" in (await refused.json())["detail"]
