"""WHIP line by line: each MUST of RFC 9725 that a server can keep, named by its section."""

from collections.abc import Mapping

import aiohttp
import pytest

from tests.support.offers import (
    AUDIO,
    DATA,
    INACTIVE,
    RECVONLY,
    RESTART,
    SENDONLY,
    TRICKLE,
    VIDEO,
    offer,
    sections,
)
from tests.support.rooms import listener, server, speaker
from tests.support.signaling_fakes import FRAGMENT, SDP


@pytest.mark.parametrize("audio", [SENDONLY, AUDIO], ids=["sendonly", "sendrecv"])
async def test_an_offer_is_answered_recvonly_whole_and_at_once(audio: str) -> None:
    async with server() as running_server, aiohttp.ClientSession(running_server.url) as http:
        wanted = offer(audio, VIDEO, DATA)
        async with http.post("/whip/hall?source=en", data=wanted, headers=SDP) as answered:
            assert answered.status == 201  # §4.2
            assert answered.content_type == "application/sdp"
            location = answered.headers["Location"]
            assert location.startswith("/whip/hall/")
            etag = answered.headers["ETag"]
            assert etag.startswith('"') and etag.endswith('"')  # strong, §4.3.1
            spoken, *rejected = sections(await answered.text())
        assert "a=recvonly" in spoken  # §4.2
        assert {"a=rtcp-mux", "a=rtcp-mux-only"} <= set(spoken)  # §4.4.1
        assert "a=end-of-candidates" in spoken  # all of ours at once, §4.3.2
        assert any(line.startswith("a=candidate:") for line in spoken)
        assert "a=setup:actpass" not in spoken
        assert [each[0].split()[:2] for each in rejected] == [["video", "0"], ["application", "0"]]

        async with http.get(location) as read:
            assert (read.status, await read.read()) == (204, b"")  # §4
        async with http.delete(location, headers={"If-Match": '"other"'}) as ended:
            assert ended.status == 200  # §4.2; the entity tag is ignored, §4.3.1
        async with http.delete(location) as again:
            assert again.status == 404


async def test_candidates_follow_by_patch() -> None:
    async with server() as running_server, aiohttp.ClientSession(running_server.url) as http:
        async with http.post("/whip/hall?source=en", data=offer(SENDONLY), headers=SDP) as opened:
            location, etag = opened.headers["Location"], opened.headers["ETag"]

        async def patch(body: str, **headers: str) -> tuple[int, Mapping[str, str], bytes]:
            sent = FRAGMENT | {name.replace("_", "-"): value for name, value in headers.items()}
            async with http.patch(location, data=body, headers=sent) as answer:
                return answer.status, answer.headers, await answer.read()

        status, told, body = await patch(TRICKLE, If_Match=etag)
        assert (status, body) == (204, b"")  # §4.3.2
        assert "ETag" not in told
        unknown = TRICKLE.replace("udp", "tcp").replace("192.0.2.44", "elsewhere.invalid")
        assert (await patch(unknown, If_Match=etag))[0] == 204  # silently discarded
        assert (await patch(TRICKLE))[0] == 428  # a precondition is needed, §4.3.1
        assert (await patch(TRICKLE, If_Match='"stale"'))[0] == 412
        assert (await patch(TRICKLE, If_Match=f"W/{etag}"))[0] == 400
        assert (await patch(RESTART, If_Match="*"))[0] == 422  # no ICE restarts here, §4.3.1
        assert (await patch("", If_Match=etag))[0] == 400
        assert (await patch("rubbish", If_Match=etag))[0] == 400
        status, told, _ = await patch(TRICKLE, If_Match=etag, Content_Type="text/plain")
        assert (status, told["Accept-Patch"]) == (415, FRAGMENT["Content-Type"])
        assert (await patch(TRICKLE, If_Match=etag))[0] == 204  # refusals left it whole, §4.3.3


REFUSED = [
    (offer(SENDONLY), "text/plain", 415),
    (offer(SENDONLY), "application/json", 415),
    ("", "application/sdp", 400),
    ("v=0", "application/sdp", 400),
    (offer(RECVONLY), "application/sdp", 400),  # must not be used, §4.2
    (offer(INACTIVE), "application/sdp", 400),
    (offer(VIDEO), "application/sdp", 400),
    (offer(SENDONLY, SENDONLY.replace("mid:0", "mid:1")), "application/sdp", 422),  # §4.4.2
    (offer(SENDONLY) + "a=x\r\n" * 20_000, "application/sdp", 413),
]


async def test_what_is_no_offer_is_refused_and_leaves_nothing() -> None:
    async with server() as running_server, aiohttp.ClientSession(running_server.url) as http:
        for body, content_type, status in REFUSED:
            headers = {"Content-Type": content_type}
            async with http.post("/whip/hall?source=en", data=body, headers=headers) as refused:
                assert refused.status == status, (body[:40], content_type)
                assert refused.content_type == "application/problem+json"
                if status == 415:
                    assert refused.headers["Accept-Post"] == "application/sdp"
        async with http.post("/whip/hall?source=en", data=offer(SENDONLY), headers=SDP) as opened:
            assert opened.status == 201


async def test_methods() -> None:
    async with server() as running_server, aiohttp.ClientSession(running_server.url) as http:
        async with http.get("/whip/hall") as read:
            assert (read.status, await read.read()) == (204, b"")  # §4
        async with http.options("/whip/hall") as told:
            assert told.status == 200  # §4.2
            assert told.headers["Accept-Post"] == "application/sdp"
            assert "Link" not in told.headers  # never of a preflight, §4.6
        preflight = {"Origin": running_server.url, "Access-Control-Request-Method": "POST"}
        async with http.options("/whip/hall", headers=preflight) as told:
            assert told.status == 200
            assert "POST" in told.headers["Access-Control-Allow-Methods"]
            assert "Authorization" in told.headers["Access-Control-Allow-Headers"]
        async with http.options("/whip/hall/nobody") as told:
            assert (told.status, "PATCH" in told.headers["Allow"]) == (200, True)
        for method, path in (("PUT", "/whip/hall"), ("PATCH", "/whip/hall"), ("POST", "/whip/h/x")):
            async with http.request(method, path) as refused:
                assert refused.status == 405
                assert "OPTIONS" in refused.headers["Allow"]
        async with http.post("/whip/no%20room", data="", headers=SDP) as refused:
            assert refused.status == 404


async def test_languages_of_a_room() -> None:
    async with server() as running_server, aiohttp.ClientSession(running_server.url) as http:
        for query in ("source=xx", "source=en&languages=de,xx"):
            async with http.post(f"/whip/a?{query}", data=offer(SENDONLY), headers=SDP) as refused:
                assert refused.status == 422
                assert "'xx'" in (await refused.json())["detail"]
        wanted = "/whip/a?source=en-GB&languages=de,fr"
        async with http.post(wanted, data=offer(SENDONLY), headers=SDP) as opened:
            assert opened.status == 201
        async with http.get("/v1/rooms/a") as told:
            state = await told.json()
        assert [each["language"] for each in state["languages"]] == ["en", "de", "fr"]


async def test_a_room_has_one_speaker_who_may_come_back() -> None:
    async with server() as running_server, aiohttp.ClientSession(running_server.url) as http:
        second = {"url": "/whip/hall?source=en", "data": offer(SENDONLY), "headers": SDP}
        async with speaker(running_server) as first:
            async with http.post(**second) as no:  # type: ignore[arg-type]
                assert (no.status, (await no.json())["error"]["code"]) == (409, "room_taken")
            async with http.delete(first.location) as left:
                assert left.status == 200
        async with speaker(running_server) as again, http.delete(again.location) as left:
            assert left.status == 200
        async with http.post("/whip/hall?source=xx", data=offer(SENDONLY), headers=SDP) as no:
            assert no.status == 422


async def test_no_more_rooms_than_the_settings_say() -> None:
    async with (
        server(max_rooms=1) as running_server,
        speaker(running_server),
        aiohttp.ClientSession(running_server.url) as http,
        http.post("/whip/b?source=en", data=offer(SENDONLY), headers=SDP) as refused,
    ):
        assert refused.status == 503
        assert int(refused.headers["Retry-After"]) > 0


async def test_a_room_closes_when_its_speaker_stays_away() -> None:
    async with (
        server(room_wait_s=0.5) as running_server,
        aiohttp.ClientSession(running_server.url) as http,
    ):
        async with speaker(running_server) as spoken, listener(running_server, "de") as listening:
            async with http.delete(spoken.location):
                pass
            await listening.event("session.closed")
            await listening.closed.wait()
        async with http.get("/v1/rooms/hall") as told:
            assert told.status == 404
