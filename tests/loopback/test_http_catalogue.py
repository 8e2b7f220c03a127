"""Catalogue of engines, languages and phrases over HTTP, readiness and metrics."""

import pytest

from rtc_server.signaling.info import CATALOGUE_RATE
from tests.support.signaling_fakes import AST, problem, serve


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
