"""Routes, methods, keys, headers and log of the HTTP application as a whole."""

import asyncio
import logging

import pytest
from aiohttp.test_utils import TestClient, TestServer

from rtc_server.config import HttpSettings, Settings
from rtc_server.metrics import Metrics
from rtc_server.signaling.access_log import AccessLog
from rtc_server.signaling.http_app import make_http_app
from tests.support.access import KEY_BEYOND_ASCII as KEY
from tests.support.signaling_fakes import (
    CALLS,
    OFFER,
    FakeCalls,
    FakeCatalogue,
    FakeReadiness,
    problem,
    serve,
)


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("/v1/realtime", "/v1/realtime/translations."),
        ("/v1/realtime/", "/v1/realtime/translations."),
        ("/v1/realtime/calls", "/v1/realtime/translations/calls."),
        ("/v1/realtime/client_secrets", "/v1/realtime/translations/client_secrets."),
        ("/v1/realtime/sessions", "/v1/realtime/translations/client_secrets."),
        (f"{CALLS}/", "do not end with a slash."),
        ("/healthz/", "do not end with a slash."),
        ("/nowhere", "There is nothing at this address."),
    ],
)
@pytest.mark.parametrize("prefix", ["", "/interpreter"])
async def test_an_address_that_is_nearly_right_is_told_the_right_one(
    prefix: str, path: str, hint: str
) -> None:
    async with serve(prefix=prefix) as served:
        for method in ("GET", "POST"):
            response = await served.client.request(method, prefix + path)
            assert response.status == 404
            assert (await response.json())["detail"].endswith(hint)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", CALLS, {"POST"}),
        ("PUT", f"{CALLS}/x", {"DELETE", "PATCH"}),
        ("POST", "/healthz", {"GET", "HEAD"}),
        ("DELETE", "/", {"GET", "HEAD"}),
        ("OPTIONS", CALLS, {"POST"}),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(
    method: str, path: str, allowed: set[str]
) -> None:
    async with serve() as server, server.client.request(method, path) as response:
        body = await problem(response, 405, "method_not_allowed")
        assert set(response.headers["Allow"].split(",")) == allowed
        assert method in body["detail"]


@pytest.mark.parametrize("path", ["/nothing", "/v1/nothing", "/v1", CALLS + "/a/b", "/{}", "/%00"])
async def test_an_unknown_address(path: str) -> None:
    async with serve() as server, server.client.get(path) as response:
        await problem(response, 404, "not_found")


@pytest.mark.parametrize(
    ("authorization", "status"),
    [
        (None, 401),
        ("", 401),
        ("Bearer", 401),
        ("Bearer ", 401),
        ("Bearer wrong", 401),
        (f"Basic {KEY}", 401),
        (KEY, 401),
        (f"Bearer {KEY}x", 401),
        (f"Bearer {KEY[:-1]}", 401),
        (f"Bearer {KEY}", 200),
        (f"bearer  {KEY} ", 200),
    ],
)
async def test_a_key_opens_what_is_locked(authorization: str | None, status: int) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    async with serve(api_key=KEY) as server:
        for path in ("/v1/engines", "/v1/languages", "/v1/phrases?language=ru", "/metrics"):
            async with server.client.get(path, headers=headers) as response:
                assert response.status == status, path
                if status == 401:
                    body = await problem(response, 401, "invalid_api_key")
                    assert response.headers["WWW-Authenticate"].startswith("Bearer")
                    assert "wrong" not in body["detail"] or KEY not in body["detail"]


async def test_without_the_key_no_call_is_touched() -> None:
    async with serve(api_key=KEY) as server:
        for method, path in (("POST", CALLS), ("PATCH", f"{CALLS}/x"), ("DELETE", f"{CALLS}/x")):
            async with server.client.request(method, path, data=OFFER) as response:
                await problem(response, 401, "invalid_api_key")
        assert not server.calls.entered.is_set()


async def test_the_log_has_routes_and_neither_queries_nor_ids(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    async with serve(api_key=KEY) as server:
        headers = {"Authorization": f"Bearer {KEY}"}
        for path in ("/v1/languages?token=t0ken", f"{CALLS}/sess_t0ken", "/t0ken"):
            async with server.client.delete(path, headers=headers):
                pass
        async with server.client.get("/?token=t0ken"):
            pass
        for often in ("/healthz", "/readyz", "/static/app.js"):
            async with server.client.get(often) as response:
                assert response.status == 200
    lines = [r.getMessage() for r in caplog.records if r.name == "aiohttp.access"]
    assert any("GET / 200" in line for line in lines)
    assert not any("z 200" in line or "/static" in line for line in lines), "no news"
    assert any(f"DELETE {CALLS}/{{session_id}} 404" in line for line in lines)
    assert any("DELETE (no route) 404" in line for line in lines)
    assert not any("t0ken" in line or KEY in line for line in lines)


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"t0ken\r\n\r\n",
        b"GET / HTTP/1.1\r\nAuth\0orization: Bearer t0ken\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: t0ken\r\n\r\n",
        b"GET /?t0ken=" + b"a" * 10_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET http://[::1/t0ken HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_refused_and_not_quoted_in_the_log(
    caplog: pytest.LogCaptureFixture, request_bytes: bytes
) -> None:
    caplog.set_level(logging.INFO)
    async with serve() as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(request_bytes)
        assert (await reader.read()).startswith(b"HTTP/1.0 400 ")
        writer.close()
        await writer.wait_closed()
        async with server.client.get("/healthz") as response:
            assert response.status == 200
    assert "(not HTTP) 400" in caplog.text
    assert "t0ken" not in caplog.text
    assert "Traceback" not in caplog.text


async def test_a_flood_of_bad_requests_is_not_a_flood_of_lines(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    async with serve(api_key=KEY) as server:
        for _ in range(200):
            async with server.client.get("/v1/engines", headers={"Authorization": "Bearer no"}):
                pass
    lines = [r for r in caplog.records if r.name == "aiohttp.access"]
    assert 20 <= len(lines) < 100
    assert AccessLog(logging.getLogger("aiohttp.access"), "").enabled


@pytest.mark.parametrize(("certificate", "told"), [("cert.pem", True), ("", False)])
async def test_browsers_stay_with_https_where_the_server_speaks_it(
    certificate: str, told: bool
) -> None:
    settings = Settings(HttpSettings(tls_cert=certificate, tls_key=certificate))
    parts = FakeCalls(), FakeReadiness(), FakeCatalogue(), Metrics()
    async with (
        TestClient(TestServer(make_http_app(*parts, settings))) as client,
        client.get("/healthz") as response,
    ):
        assert response.status == 200
        assert ("Strict-Transport-Security" in response.headers) is told
