"""Origins and host names over a real socket."""

import asyncio

import aiohttp
import pytest

from rtc_server.config import AccessSettings, HttpSettings, Settings
from rtc_server.errors import ConfigError
from tests.support.signaling_fakes import CALLS, OFFER, SDP, Served, problem, serve

APP = "https://app.example"
EVIL = "https://evil.example"
KEY = "k"
SECRETS = "/v1/realtime/translations/client_secrets"


async def test_a_page_elsewhere_cannot_use_a_keyless_server_on_this_machine() -> None:
    async with serve() as server:
        for origin in (EVIL, "null", "http://127.0.0.1:1", "", "file://", "x" * 1000):
            headers = {**SDP, "Origin": origin}
            async with server.client.post(CALLS, data=OFFER, headers=headers) as response:
                await problem(response, 403, "forbidden")
                assert "Access-Control-Allow-Origin" not in response.headers
        assert not server.calls.opened
        own = {**SDP, "Origin": f"http://127.0.0.1:{server.port}"}
        async with server.client.post(CALLS, data=OFFER, headers=own) as response:
            assert response.status == 201


async def test_a_websocket_of_another_origin_is_refused() -> None:
    async with serve() as server:
        for path in ("/ws/audio", "/v1/realtime/translations"):
            with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
                await server.client.ws_connect(path, origin=EVIL)
            assert refusal.value.status == 403


async def status_for_host(server: Served, host: str) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(f"GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return int(answer.split(b" ")[1])


async def test_a_name_that_was_rebound_to_this_machine_is_refused() -> None:
    async with serve() as server:
        for host in (
            "localhost",
            "LOCALHOST:80",
            "a.localhost",
            "127.0.0.1:1",
            "[::1]",
            "127.1.2.3",
        ):
            assert await status_for_host(server, host) == 200, host
        for host in ("evil.example", "evil.example:8000", "localhost.evil.example", "10.0.0.1", ""):
            assert await status_for_host(server, host) == 403, host
        own = {**SDP, "Origin": "http://evil.example:8000", "Host": "evil.example:8000"}
        async with server.client.post(CALLS, data=OFFER, headers=own) as response:
            assert "--server-names" in (await problem(response, 403, "forbidden"))["detail"]
    async with serve(access=AccessSettings(server_names=("booth.example",))) as server:
        assert await status_for_host(server, "booth.example:8000") == 200
        assert await status_for_host(server, "evil.example") == 403


async def test_a_listed_origin_may_and_reads_what_it_needs() -> None:
    async with serve(api_key=KEY, access=AccessSettings(cors_origins=(APP,))) as server:
        headers = {**SDP, "Origin": APP, "Authorization": f"Bearer {KEY}"}
        async with server.client.post(CALLS, data=OFFER, headers=headers) as response:
            assert response.status == 201
            assert response.headers["Access-Control-Allow-Origin"] == APP
            exposed = response.headers["Access-Control-Expose-Headers"].split(", ")
            assert {"Location", "ETag", "Link", "Retry-After"} <= set(exposed)
            assert response.headers["Vary"] == "Origin"
            assert "Access-Control-Allow-Credentials" not in response.headers
            assert "Set-Cookie" not in response.headers
        async with server.client.post(CALLS, data=OFFER, headers={"Origin": APP}) as response:
            await problem(response, 401, "invalid_api_key")  # which the page can read, too
            assert response.headers["Access-Control-Allow-Origin"] == APP
        async with server.client.get("/") as response:
            assert response.headers["Vary"] == "Origin"
            assert "Access-Control-Allow-Origin" not in response.headers


@pytest.mark.parametrize(
    ("path", "methods"), [(CALLS, "POST"), (CALLS + "/sess_0", "DELETE, PATCH")]
)
async def test_a_preflight_needs_no_key(path: str, methods: str) -> None:
    async with serve(api_key=KEY, access=AccessSettings(cors_origins=(APP,))) as server:
        asked = {
            "Origin": APP,
            "Access-Control-Request-Method": methods.split(", ", maxsplit=1)[0],
            "Access-Control-Request-Headers": "authorization,baggage,content-type",
        }
        async with server.client.options(path, headers=asked) as response:
            assert response.status == 204
            assert response.headers["Access-Control-Allow-Origin"] == APP
            assert response.headers["Access-Control-Allow-Methods"] == methods
            allowed = response.headers["Access-Control-Allow-Headers"]
            assert allowed == "Authorization, Content-Type, If-Match, Last-Event-ID, baggage"
            assert "Link" not in response.headers  # RFC 9725: no credentials to a preflight
        async with server.client.options(path, headers={**asked, "Origin": EVIL}) as response:
            await problem(response, 403, "forbidden")


async def test_a_page_may_read_that_an_address_is_nearly_right() -> None:
    async with serve(api_key=KEY, access=AccessSettings(cors_origins=(APP,))) as server:
        wrong, origin = "/v1/realtime/calls", {"Origin": APP}
        asked = {**origin, "Access-Control-Request-Method": "POST"}
        async with server.client.options(wrong, headers=asked) as response:
            assert response.status == 204
            assert response.headers["Access-Control-Allow-Origin"] == APP
            assert "POST" in response.headers["Access-Control-Allow-Methods"]
        async with server.client.post(wrong, data=OFFER, headers={**SDP, **origin}) as response:
            assert CALLS in (await problem(response, 404, "not_found"))["detail"]
            assert response.headers["Access-Control-Allow-Origin"] == APP


@pytest.mark.parametrize(
    "origin",
    [
        "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
        "moz-extension://0f4c2c6e-58c5-4a3b-a3a2-2f3c63b5a1de",
        "safari-web-extension://0F4C2C6E-58C5-4A3B-A3A2-2F3C63B5A1DE",
        "capacitor://localhost",
        "ionic://localhost",
        "tauri://localhost",
        "app://.",
        "app://obsidian.md",
        "https://with_underscore.example",
    ],
)
async def test_extensions_and_apps_may_when_they_are_listed(origin: str) -> None:
    async with serve(api_key=KEY, access=AccessSettings(cors_origins=(origin,))) as server:
        key = {"Authorization": f"Bearer {KEY}"}
        bound = {"x": {"origin": origin}}
        async with server.client.post(SECRETS, json=bound, headers=key) as response:
            assert response.status == 200
            secret = (await response.json())["value"]
        headers = {**SDP, "Origin": origin, "Authorization": f"Bearer {secret}"}
        async with server.client.post(CALLS, data=OFFER, headers=headers) as response:
            assert response.status == 201
            assert response.headers["Access-Control-Allow-Origin"] == origin
        headers["Origin"] = origin + "x"
        async with server.client.post(CALLS, data=OFFER, headers=headers) as response:
            await problem(response, 403, "forbidden")


async def test_every_origin_may_where_keys_keep_the_door() -> None:
    async with serve(api_key=KEY, access=AccessSettings(cors_origins=("*",))) as server:
        headers = {**SDP, "Origin": EVIL, "Authorization": f"Bearer {KEY}"}
        async with server.client.post(CALLS, data=OFFER, headers=headers) as response:
            assert response.status == 201
            assert response.headers["Access-Control-Allow-Origin"] == EVIL
    with pytest.raises(ConfigError, match="every web page"):
        Settings(access=AccessSettings(cors_origins=("*",)))


async def test_the_page_asks_its_own_server_for_a_secret() -> None:
    page = AccessSettings(page_access="open", cors_origins=(APP,))
    async with serve(api_key=KEY, access=page) as server:
        own = f"http://127.0.0.1:{server.port}"
        async with server.client.post("/page/secret", headers={"Origin": own}) as response:
            assert response.status == 200
            assert response.headers["Cache-Control"] == "no-store"
            secret = (await response.json())["value"]
        headers = {**SDP, "Origin": own, "Authorization": f"Bearer {secret}"}
        async with server.client.post(CALLS, data=OFFER, headers=headers) as response:
            assert response.status == 201
        headers["Origin"] = APP  # where it was taken to
        async with server.client.post(CALLS, data=OFFER, headers=headers) as response:
            await problem(response, 403, "forbidden")
        for sent in ({"Origin": APP}, {"Origin": EVIL}, {}):
            async with server.client.post("/page/secret", headers=sent) as response:
                await problem(response, 403, "forbidden")
        for _ in range(40):
            async with server.client.post("/page/secret", headers={"Origin": own}) as response:
                if response.status != 200:
                    await problem(response, 429, "rate_limit_exceeded")
                    assert int(response.headers["Retry-After"]) > 0
                    break
        else:
            pytest.fail("One address was given secrets without end.")


async def test_the_page_gets_no_secret_unless_the_operator_says_so() -> None:
    async with serve(api_key=KEY) as server:
        own = f"http://127.0.0.1:{server.port}"
        async with server.client.post("/page/secret", headers={"Origin": own}) as response:
            assert "--page-access" in (await problem(response, 403, "forbidden"))["detail"]


@pytest.mark.parametrize(
    "name",
    [
        "https://a.example/",
        "a.example",
        "ftp://a.example",
        "wss://a.example",
        "file://",
        "file://a",
        "null",
        "https://",
        "app://",
        "://a",
        "a b://c",
        "chrome-extension://abc/page.html",
    ],
)
def test_an_origin_that_no_browser_sends_is_a_wrong_setting(name: str) -> None:
    with pytest.raises(ConfigError, match="--cors-origins"):
        AccessSettings(cors_origins=(name,))


@pytest.mark.parametrize("name", ["https://a.example", "a.example:80", "", "-"])
def test_a_name_with_more_than_a_name_is_a_wrong_setting(name: str) -> None:
    with pytest.raises(ConfigError, match="--server-names"):
        AccessSettings(server_names=(name,))


def test_keys_in_a_file_let_the_server_listen_publicly() -> None:
    settings = Settings(HttpSettings(host="0.0.0.0"), AccessSettings(api_keys="keys.json"))
    assert settings.needs_key()
