"""Addresses of engine servers, as options name them."""

import asyncio
import socket
from typing import Any

import pytest

from rtc_server.engines.remote.directory import NamedServers, ServerAddress, parse_address
from rtc_server.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "host", "port", "tls"),
    [
        ("127.0.0.1:7070", "127.0.0.1", 7070, False),
        ("localhost:7070", "localhost", 7070, False),
        ("[::1]:7070", "::1", 7070, False),
        ("gpu.example:7070", "gpu.example", 7070, True),
        ("10.0.0.7:7070", "10.0.0.7", 7070, True),
        ("ws://10.0.0.7:7070", "10.0.0.7", 7070, False),
        ("wss://127.0.0.1:7070", "127.0.0.1", 7070, True),
        ("a" * 63 + ".b.:7070", "a" * 63 + ".b.", 7070, True),
    ],
)
def test_tls_is_left_out_on_loopback_and_where_that_is_written(
    text: str, host: str, port: int, tls: bool
) -> None:
    address = parse_address(text)
    assert (address.host, address.port, address.tls) == (host, port, tls)


def test_a_socket_is_named_by_its_path() -> None:
    assert parse_address("unix:/run/engines").unix == "/run/engines"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "gpu",
        "gpu:",
        "gpu:0",
        "gpu:70000",
        "unix:",
        "http://a:1",
        "a:1/x",
        "a b:1",
        "a..b:7070",
        ".a:7070",
        "a..:7070",
        ".:7070",
        "a" * 64 + ".b:7070",
        "[::1::]:7070",
        ".".join(["a" * 63] * 4) + ":7070",
    ],
)
def test_what_is_no_address_is_refused_with_the_forms_there_are(text: str) -> None:
    with pytest.raises(ConfigError, match="HOST:PORT"):
        parse_address(text)


@pytest.mark.real_time
async def test_each_address_of_a_name_is_a_server() -> None:
    named = NamedServers([parse_address("localhost:7070"), parse_address("unix:/e")])
    found = await named.addresses()
    assert {"127.0.0.1:7070", "unix:/e"} <= {each.name for each in found}
    assert {each.certified for each in found if not each.unix} == {"localhost"}


@pytest.mark.real_time
async def test_a_name_that_nobody_knows_is_no_server() -> None:
    unknown = [parse_address("nobody.invalid:7070"), ServerAddress("long", host="a" * 64, port=1)]
    named = NamedServers([*unknown, parse_address("unix:/e")])
    assert [each.name for each in await named.addresses()] == ["unix:/e"]


async def test_a_name_that_cannot_be_looked_up_now_keeps_its_servers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = {"one.internal": "10.0.0.1", "two.internal": "10.0.0.2"}

    async def looked_up(host: str, port: int, **_: Any) -> list[Any]:
        if host not in known:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (known[host], port))]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", looked_up)
    named = NamedServers([parse_address(f"{host}:7070") for host in known])
    both = ["10.0.0.1:7070", "10.0.0.2:7070"]
    assert [each.name for each in await named.addresses()] == both
    del known["two.internal"]
    assert [each.name for each in await named.addresses()] == both
    known["one.internal"] = "10.0.0.3"  # the other name goes on being asked
    assert [each.name for each in await named.addresses()] == ["10.0.0.3:7070", both[1]]
    known["two.internal"] = "10.0.0.4"
    assert [each.name for each in await named.addresses()] == ["10.0.0.3:7070", "10.0.0.4:7070"]
