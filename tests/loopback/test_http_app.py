"""Everything over HTTP but the calls: catalogue, health, page, keys, what all answers share."""

import asyncio
import logging
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from rtc_server.config import HttpSettings, Settings
from rtc_server.metrics import Metrics
from rtc_server.resources import resource_folder
from rtc_server.signaling.access_log import AccessLog
from rtc_server.signaling.http_app import COMMON_HEADERS, make_http_app
from rtc_server.signaling.info import CATALOGUE_RATE
from tests.support.signaling_fakes import (
    AST,
    CALLS,
    OFFER,
    FakeCalls,
    FakeCatalogue,
    FakeReadiness,
    problem,
    serve,
)

KEY = "s3cret-ключ"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A folder to serve, with things beside it that must not be."""
    folder = tmp_path / "static"
    (folder / "deep").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>Page</title>")
    (folder / "app.js").write_text("export {};")
    (folder / "deep" / "worklet.mjs").write_text("export {};")
    (folder / "look.css").write_text("body{}")
    (folder / ".hidden.js").write_text("no")
    (folder / "notes.py").write_text("no")
    (tmp_path / "outside.js").write_text("no")
    (folder / "link.js").symlink_to(tmp_path / "outside.js")
    return folder


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/", "text/html"),
        ("/static/index.html", "text/html"),
        ("/static/app.js", "text/javascript"),
        ("/static/deep/worklet.mjs", "text/javascript"),
        ("/static/look.css", "text/css"),
    ],
)
async def test_files_come_with_their_type_and_are_kept(
    page: Path, path: str, media_type: str
) -> None:
    async with serve(page) as server:
        async with server.client.get(path) as response:
            assert response.status == 200
            assert response.headers["Content-Type"] == f"{media_type}; charset=utf-8"
            assert response.headers["Cache-Control"] == "no-cache"
            etag = response.headers["ETag"]
            assert await response.read()
        async with server.client.get(path, headers={"If-None-Match": etag}) as response:
            assert response.status == 304
        async with server.client.head(path) as response:
            assert response.status == 200
            assert await response.read() == b""


@pytest.mark.parametrize(
    "path",
    [
        "/static/../outside.js",
        "/static/%2e%2e/outside.js",
        "/static/..%2foutside.js",
        "/static/deep/../../outside.js",
        "/static/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "/static//etc/passwd",
        "/static/%2fetc/passwd",
        "/static/link.js",
        "/static/.hidden.js",
        "/static/notes.py",
        "/static/deep",
        "/static/",
        "/static/app.js%00.css",
        "/static/nothing.js",
        "/static/" + "a" * 5000 + ".js",
        "/static\\..\\outside.js",
    ],
)
async def test_nothing_else_is_served(page: Path, path: str) -> None:
    async with serve(page) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        writer.write(request.encode())
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        assert answer.startswith(b"HTTP/1.1 404 "), answer[:100]
        assert b"application/problem+json" in answer


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


async def test_the_page_that_comes_with_the_package_is_found() -> None:
    async with serve() as server, server.client.get("/") as response:
        assert response.status == 200
        assert response.content_type == "text/html"
    assert (resource_folder("static") / "index.html").is_file()


def test_a_missing_folder_is_a_broken_installation() -> None:
    with pytest.raises(FileNotFoundError, match="install it again"):
        resource_folder("no-such-folder")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 200), ("GET", "/healthz", 200), ("GET", "/no", 404), ("GET", CALLS, 405)],
)
async def test_every_answer_is_locked_down(page: Path, method: str, path: str, status: int) -> None:
    async with serve(page) as server, server.client.request(method, path) as response:
        assert response.status == status
        assert {name: response.headers[name] for name in COMMON_HEADERS} == COMMON_HEADERS
        policy = response.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert policy.startswith("default-src 'none'")


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


async def test_engines_say_which_are_in_use() -> None:
    async with serve() as server, server.client.get("/v1/engines") as response:
        assert response.status == 200
        body = await response.json()
    assert body["notes"] == ["A small book."]
    assert body["engine_set"] == "embedded"
    assert [(e["kind"], e["name"], e["in_use"]) for e in body["engines"]] == [
        ("ast", "book", True),
        ("ast", "big", False),
        ("tts", "robot", True),
    ]
    assert body["engines"][1]["missing"] == "Install big."
    assert body["engines"][2]["licence"] == "GPL-3.0"


async def test_languages_are_the_pairs_that_can_also_be_spoken() -> None:
    async with serve() as server, server.client.get("/v1/languages") as response:
        body = await response.json()
    assert body["pairs"] == [
        {"source": "en", "target": "ru", "voices": ["ru-a"]},
        {"source": "ru", "target": "en", "voices": ["en-a", "en-b"]},
    ]
    assert body["default"] == {"source": "ru", "target": "en"}
    assert body["modes"] == ["consecutive"]
    assert (body["ast"], body["tts"], body["engine_set"]) == ("Book 1", "Robot 1", "embedded")
    assert ("en", "xx") in AST.pairs


async def test_while_warming_up_nothing_is_promised() -> None:
    async with serve() as server:
        server.catalogue.ast = server.catalogue.tts = None
        server.readiness.ready, server.readiness.reason = False, "The engines are warming up."
        for path in ("/readyz", "/v1/languages"):
            async with server.client.get(path) as response:
                body = await problem(response, 503, "not_ready")
                assert body["detail"] == "The engines are warming up."
                assert int(response.headers["Retry-After"]) > 0
        async with server.client.get("/healthz") as response:
            assert response.status == 200
        async with server.client.get("/v1/engines") as response:
            assert not any(engine["in_use"] for engine in (await response.json())["engines"])


async def test_engines_chosen_one_by_one_are_no_set() -> None:
    async with serve() as server:
        server.catalogue.engine_set = ""
        for path in ("/v1/engines", "/v1/languages"):
            async with server.client.get(path) as response:
                assert (await response.json())["engine_set"] is None


async def test_ready_when_ready() -> None:
    async with serve() as server, server.client.get("/readyz") as response:
        assert response.status == 200


async def test_phrases_of_a_language() -> None:
    async with serve() as server:
        async with server.client.get("/v1/phrases?language=ru-RU") as response:
            body = await response.json()
            assert "Где вокзал?".encode() in await response.read()
        assert body["language"] == "ru"
        assert body["phrases"][0]["text"] == "Где вокзал?"
        async with server.client.get("/v1/phrases?language=zz") as response:
            assert (await response.json())["phrases"] == []
        for query in ("", "?language=", "?language=%00", "?language=" + "a" * 200):
            async with server.client.get("/v1/phrases" + query) as response:
                await problem(response, 400, "invalid_request")


@pytest.mark.parametrize("path", ["/v1/engines", "/v1/languages", "/v1/phrases?language=ru"])
async def test_the_catalogue_is_written_once_and_asked_for_again_by_its_etag(path: str) -> None:
    async with serve() as server:
        async with server.client.get(path) as first:
            etag, text = first.headers["ETag"], await first.text()
            assert first.headers["Cache-Control"] == "private, no-cache"
        server.catalogue.engine_set = "another"  # not looked at again
        async with server.client.get(path) as again:
            assert (again.headers["ETag"], await again.text()) == (etag, text)
        async with server.client.get(path, headers={"If-None-Match": etag}) as known:
            assert (known.status, await known.read()) == (304, b"")
            assert known.headers["ETag"] == etag
        async with server.client.get(path, headers={"If-None-Match": '"old"'}) as changed:
            assert (changed.status, await changed.text()) == (200, text)


async def test_one_caller_may_not_ask_for_the_catalogue_without_end() -> None:
    async with serve(trusted_proxies=("127.0.0.1",)) as server:
        greedy, other = ({"X-Forwarded-For": f"192.0.2.{n}"} for n in (1, 2))
        statuses: list[int] = []
        while 429 not in statuses and len(statuses) < 1000:
            async with server.client.get("/v1/engines", headers=greedy) as response:
                statuses.append(response.status)
        assert len(statuses) > CATALOGUE_RATE.burst
        assert int(response.headers["Retry-After"]) > 0
        async with server.client.get("/v1/engines", headers=other) as response:
            assert response.status == 200


async def test_metrics_are_prometheus_text() -> None:
    async with serve() as server, server.client.get("/metrics") as response:
        assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert "rtc_sessions 0.0" in await response.text()


async def test_metrics_say_whether_calls_are_taken() -> None:
    async with serve() as server:
        for ready, retry_after_s in ((True, 0), (False, 7)):
            server.readiness.ready, server.readiness.retry_after_s = ready, retry_after_s
            async with server.client.get("/metrics") as response:
                text = await response.text()
            assert f"rtc_ready {float(ready)}" in text
            assert f"rtc_retry_after_seconds {float(retry_after_s)}" in text


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


async def test_page_and_health_need_no_key(page: Path) -> None:
    async with serve(page, api_key=KEY) as server:
        for path in ("/", "/static/app.js", "/healthz", "/readyz"):
            async with server.client.get(path) as response:
                assert response.status == 200


async def test_below_a_prefix_the_page_works_and_keys_are_asked_for(page: Path) -> None:
    async with serve(page, api_key=KEY, prefix="/a/b") as server:
        async with server.client.get("/a/b/static/app.js") as response:
            assert response.status == 200
        async with server.client.get("/a/b/v1/engines") as response:
            await problem(response, 401, "invalid_api_key")


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
