"""Trust in reports of the client's address, the host and the path."""

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from rtc_server.config import HttpSettings
from rtc_server.errors import ConfigError
from rtc_server.signaling.proxies import TrustedProxies, as_the_client_sees, proxy_middleware

OURS = TrustedProxies.named(("127.0.0.1", "10.0.0.0/8", "fd00::/8"))


@pytest.mark.parametrize(
    ("remote", "forwarded", "client"),
    [
        ("127.0.0.1", ["203.0.113.5"], "203.0.113.5"),
        ("127.0.0.1", [], "127.0.0.1"),
        ("198.51.100.7", ["203.0.113.5"], "198.51.100.7"),  # not a trusted proxy
        ("127.0.0.1", ["1.1.1.1, 203.0.113.5, 10.1.2.3"], "203.0.113.5"),  # 1.1.1.1 is invented
        ("127.0.0.1", ["1.1.1.1", "203.0.113.5"], "203.0.113.5"),  # two header lines
        ("127.0.0.1", ["10.0.0.1, 10.0.0.2"], "10.0.0.1"),  # only proxies
        ("127.0.0.1", ["203.0.113.5, nonsense"], "127.0.0.1"),
        ("fd00::1", ["2001:db8::7"], "2001:db8::7"),
        ("", ["203.0.113.5"], ""),  # a Unix socket has no address
        # As a socket for both protocols, and proxies behind one, call IPv4.
        ("::ffff:10.0.0.1", ["::ffff:203.0.113.5, ::FFFF:10.1.2.3"], "203.0.113.5"),
        (
            "127.0.0.1",
            ["203.0.113.5:51234"],
            "203.0.113.5",
        ),  # with a port, as some proxies write it
        ("127.0.0.1", ["[2001:db8::7]:51234, [fd00::2]"], "2001:db8::7"),
        ("127.0.0.1", ["203.0.113.5:"], "127.0.0.1"),
        ("127.0.0.1", ["[203.0.113.5"], "127.0.0.1"),
    ],
)
def test_the_client_is_the_last_that_a_proxy_of_ours_heard(
    remote: str, forwarded: list[str], client: str
) -> None:
    assert OURS.client(remote, forwarded) == client


async def seen(remote: str, headers: dict[str, str]) -> tuple[str | None, str | None, str]:
    """Return remote, host and the Location of ``/v1/x`` after the middleware."""
    request = make_mocked_request("GET", "/", headers=headers)
    request = request.clone(remote=remote)
    found = []

    async def handler(inner: web.Request) -> web.StreamResponse:
        found.append((inner.remote, inner.headers.get("Host"), as_the_client_sees(inner, "/v1/x")))
        return web.Response()

    await proxy_middleware(OURS)(request, handler)
    return found[0]


async def test_host_and_prefix_count_from_a_proxy_only() -> None:
    headers = {
        "Host": "internal:8000",
        "X-Forwarded-For": "203.0.113.5",
        "X-Forwarded-Host": "talk.example",
        "X-Forwarded-Prefix": "/interpreter/",
    }
    assert await seen("127.0.0.1", headers) == (
        "203.0.113.5",
        "talk.example",
        "/interpreter/v1/x",
    )
    assert await seen("203.0.113.9", headers) == ("203.0.113.9", "internal:8000", "/v1/x")


@pytest.mark.parametrize(
    "prefix", ["//evil.example", "https://evil.example", "/a b", "/a\t/b", "x"]
)
async def test_a_prefix_that_is_no_path_is_ignored(prefix: str) -> None:
    headers = {"X-Forwarded-Prefix": prefix}
    assert (await seen("127.0.0.1", headers))[2] == "/v1/x"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"path_prefix": "interpreter"}, "not a path"),
        ({"path_prefix": "/interpreter/"}, "not a path"),
        ({"path_prefix": "//evil.example"}, "not a path"),
        ({"trusted_proxies": ("nginx",)}, "not an address or a network"),
        ({"trusted_proxies": ("10.0.0.1/8",)}, "not an address or a network"),
        ({"tls_cert": "cert.pem"}, "together"),
    ],
)
def test_settings_that_cannot_work_say_why(settings: dict[str, object], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        HttpSettings(**settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("network", "trusted", "strange"),
    [
        ("::ffff:10.0.0.1", "10.0.0.1", "10.0.0.2"),
        ("::ffff:10.0.0.0/104", "10.255.0.7", "11.0.0.1"),
        ("::ffff:0:0/96", "203.0.113.5", "2001:db8::7"),
        ("2001:db8::/32", "2001:db8::7", "10.0.0.1"),
    ],
)
def test_a_network_in_the_ipv6_form_of_ipv4_is_that_of_ipv4(
    network: str, trusted: str, strange: str
) -> None:
    HttpSettings(trusted_proxies=(network,))
    proxies = TrustedProxies.named((network,))
    assert proxies.trusts(trusted)
    assert not proxies.trusts(strange)
    if "." in trusted:
        assert proxies.trusts(f"::ffff:{trusted}")
