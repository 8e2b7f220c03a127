"""WHEP, requirement by requirement: draft-ietf-wish-whep for a server that takes offers."""

import aiohttp

from tests.support.offers import (
    AUDIO,
    CANDIDATE,
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
from tests.support.rooms import server, speaker
from tests.support.signaling_fakes import FRAGMENT, SDP

REFUSED = [
    (offer(RECVONLY), "text/plain", 415),
    ("", "application/sdp", 400),
    (offer(SENDONLY), "application/sdp", 400),  # must not be used
    (offer(INACTIVE), "application/sdp", 400),
    (offer(RECVONLY, RECVONLY.replace("mid:0", "mid:1")), "application/sdp", 422),
]


async def test_an_offer_is_answered_sendonly_whole_and_at_once() -> None:
    async with (
        server() as running_server,
        speaker(running_server),
        aiohttp.ClientSession(running_server.url) as http,
    ):
        for audio in (RECVONLY, AUDIO):
            wanted = offer(audio, VIDEO, DATA)
            async with http.post("/whep/hall?language=de", data=wanted, headers=SDP) as answered:
                assert (answered.status, answered.content_type) == (201, "application/sdp")
                location, etag = answered.headers["Location"], answered.headers["ETag"]
                assert location.startswith("/whep/hall/") and etag.startswith('"')
                heard, video, data = sections(await answered.text())
            assert "a=sendonly" in heard
            assert {"a=rtcp-mux", "a=rtcp-mux-only", "a=end-of-candidates"} <= set(heard)
            assert any(line.startswith("a=msid:") for line in heard)
            assert video[0].startswith("video 0 ")
            assert data[0].startswith("application 9 ")  # captions

            async with http.get(location) as read:
                assert (read.status, await read.read()) == (204, b"")
            async with http.delete(location, headers={"If-Match": '"other"'}) as ended:
                assert ended.status == 200
            async with http.delete(location) as again:
                assert again.status == 404


async def test_without_a_speaker_it_says_when_to_come_again() -> None:
    async with server() as running_server, aiohttp.ClientSession(running_server.url) as http:
        async with http.post("/whep/hall", data=offer(RECVONLY), headers=SDP) as refused:
            assert refused.status == 404
        async with http.post("/whip/hall?source=en", data=offer(SENDONLY), headers=SDP) as opened:
            location = opened.headers["Location"]
        async with http.delete(location):
            pass
        async with http.post("/whep/hall", data=offer(RECVONLY), headers=SDP) as refused:
            assert refused.status == 409
            assert int(refused.headers["Retry-After"]) > 0


async def test_candidates_follow_by_patch() -> None:
    async with (
        server() as running_server,
        speaker(running_server),
        aiohttp.ClientSession(running_server.url) as http,
    ):
        async with http.post("/whep/hall?language=de", data=offer(RECVONLY), headers=SDP) as opened:
            location, etag = opened.headers["Location"], opened.headers["ETag"]
        for if_match, body, status in (
            (etag, TRICKLE, 204),
            (etag, f"a=mid:0\r\n{CANDIDATE}", 204),
            (None, TRICKLE, 428),
            ('"stale"', TRICKLE, 412),
            ("*", RESTART, 422),
            (etag, "rubbish", 400),
        ):
            headers = FRAGMENT if if_match is None else FRAGMENT | {"If-Match": if_match}
            async with http.patch(location, data=body, headers=headers) as answered:
                assert answered.status == status, body
                assert "ETag" not in answered.headers
        async with http.patch(location, data=TRICKLE, headers={"If-Match": etag} | SDP) as refused:
            assert refused.status == 415


async def test_what_is_no_offer_is_refused() -> None:
    async with (
        server() as running_server,
        speaker(running_server),
        aiohttp.ClientSession(running_server.url) as http,
    ):
        for body, content_type, status in REFUSED:
            headers = {"Content-Type": content_type}
            async with http.post("/whep/hall?language=de", data=body, headers=headers) as refused:
                assert refused.status == status, (body[:40], content_type)
        async with http.post(
            "/whep/hall?language=xx", data=offer(RECVONLY), headers=SDP
        ) as refused:
            assert refused.status == 422
        async with http.options("/whep/hall") as told:
            assert (told.status, told.headers["Accept-Post"]) == (200, "application/sdp")
        async with http.put("/whep/hall") as refused:
            assert refused.status == 405
        async with http.get("/v1/rooms/hall") as told:
            assert (await told.json())["listeners"] == 0
