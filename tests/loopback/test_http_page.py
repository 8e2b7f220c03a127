"""Files of the page over HTTP: which are served, with which headers, and to whom."""

import asyncio
from pathlib import Path

import pytest

from rtc_server.resources import resource_folder
from rtc_server.signaling.http_app import COMMON_HEADERS
from tests.support.access import KEY_BEYOND_ASCII as KEY
from tests.support.signaling_fakes import CALLS, problem, serve


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
