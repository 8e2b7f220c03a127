"""STUN and TURN servers that a client is given: with its secret, and with its answer."""

import base64
import hashlib
import hmac
import logging
import re
import time

import pytest

from rtc_server.config import AccessSettings, TransportSettings
from tests.support.access import KEY, bearer, mint
from tests.support.signaling_fakes import CALLS, OFFER, SDP, serve

SECRET = "static-auth-secret-of-coturn"
TRANSPORT = TransportSettings(
    ice_servers=(
        "stun:192.0.2.1",
        "turn:turn.example",
        "turns:turn.example",
        "turn:fixed:pa%40ss@old.example?transport=tcp",
    ),
    turn_secret=SECRET,
    turn_credential_s=600,
    ice_policy="relay",
)


def coturn_accepts(username: str, credential: str) -> bool:
    """Check a user as coturn's ``use-auth-secret`` does; written from its documentation."""
    digest = hmac.new(SECRET.encode(), username.encode(), hashlib.sha1).digest()
    expires_at, _, name = username.partition(":")
    in_time = int(expires_at) >= time.time()
    return (
        in_time
        and bool(name)
        and hmac.compare_digest(base64.b64encode(digest).decode(), credential)
    )


async def test_a_secret_comes_with_a_configuration_for_the_peer_connection(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    async with serve(api_key=KEY, transport=TRANSPORT) as server:
        answer = await mint(server, expires_after={"seconds": 60})
        assert answer["x"]["ice_transport_policy"] == "relay"
        stun, turn, turns, fixed = answer["x"]["ice_servers"]
        assert stun == {"urls": ["stun:192.0.2.1:3478"]}
        assert turn["urls"] == ["turn:turn.example:3478?transport=udp"]
        assert turns["urls"] == ["turns:turn.example:5349?transport=tcp"]
        assert fixed == {
            "urls": ["turn:old.example:3478?transport=tcp"],
            "username": "fixed",
            "credential": "pa@ss",
        }
        for each in (turn, turns):
            assert coturn_accepts(each["username"], each["credential"])
            expires_at, name = each["username"].split(":")
            assert int(expires_at) == answer["expires_at"] + 600
            assert name == answer["session"]["id"]
        other = await mint(server)
        assert other["x"]["ice_servers"][1]["username"] != turn["username"]
    for secret in (SECRET, "pa@ss", turn["credential"]):
        assert secret not in caplog.text


async def test_the_page_is_told_the_same() -> None:
    access = AccessSettings(page_access="open")
    async with serve(api_key=KEY, transport=TRANSPORT, access=access) as server:
        own = {"Origin": f"http://127.0.0.1:{server.port}"}
        async with server.client.post("/page/secret", headers=own) as response:
            assert response.status == 200
            told = (await response.json())["x"]
        assert told["ice_transport_policy"] == "relay"
        assert coturn_accepts(
            told["ice_servers"][1]["username"], told["ice_servers"][1]["credential"]
        )


async def test_without_servers_there_is_an_empty_list() -> None:
    async with serve(api_key=KEY) as server:
        assert (await mint(server))["x"] == {"ice_servers": [], "ice_transport_policy": "all"}


async def test_an_answer_has_a_link_for_each_server_with_a_user_of_its_session() -> None:
    async with serve(api_key=KEY, transport=TRANSPORT) as server:
        users = []
        for _ in range(2):
            sent = {**bearer(KEY), **SDP}
            async with server.client.post(CALLS, data=OFFER, headers=sent) as response:
                assert response.status == 201
                links = response.headers.getall("Link")
                session_id = response.headers["Location"].rpartition("/")[2]
            assert len(links) == 4
            assert links[0] == '<stun:192.0.2.1:3478>; rel="ice-server"'
            found = re.fullmatch(
                r'<turn:turn\.example:3478\?transport=udp>; rel="ice-server"; '
                r'username="([^"]+)"; credential="([^"]+)"; credential-type="password"',
                links[1],
            )
            assert found
            assert coturn_accepts(found[1], found[2])
            expires_at, name = found[1].split(":")
            assert 590 <= int(expires_at) - time.time() <= 600
            assert name == session_id
            users.append(found[1])
        assert len(set(users)) == 2
