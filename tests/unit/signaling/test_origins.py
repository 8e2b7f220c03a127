"""Rules for origins and hosts, and the limits on requests."""

import pytest

from rtc_server.errors import Forbidden
from rtc_server.signaling.origins import (
    ALLOWED_HEADERS,
    MORE_HEADERS,
    OriginPolicy,
    allowed_headers,
    is_own,
)


@pytest.mark.parametrize(
    ("host", "origin", "own"),
    [
        ("a.example", "https://a.example", True),
        ("a.example", "http://a.example", True),
        ("A.example", "https://a.EXAMPLE", True),
        ("a.example:443", "https://a.example", True),
        ("a.example", "https://a.example:443", True),
        ("a.example:8000", "http://a.example:8000", True),
        ("[::1]:8000", "http://[::1]:8000", True),
        ("a.example", "https://b.example", False),
        ("a.example", "https://a.example.evil", False),
        ("a.example", "https://evil-a.example", False),
        ("a.example:8000", "http://a.example:8001", False),
        ("a.example:8000", "http://a.example", False),
        ("a.example:80", "https://a.example", False),
        ("a.example", "a.example", False),
        ("a.example", "null", False),
        ("", "", False),
        ("", "http://", False),
    ],
)
def test_a_page_of_this_server(host: str, origin: str, own: bool) -> None:
    assert is_own(host, origin) is own


@pytest.mark.parametrize(
    ("loopback", "names", "host", "ours"),
    [
        (True, (), "localhost:8000", True),
        (True, (), "localhost.", True),
        (True, (), "192.0.2.1", False),
        (True, (), "a.example", False),
        (True, ("a.example",), "A.example:1", True),
        (True, (), "", False),
        (True, (), "[", False),
        (True, (), "localhost@evil.example", False),
        (False, (), "a.example", True),
        (False, (), "192.0.2.1:8000", True),
        (False, ("a.example",), "a.example", True),
        (False, ("a.example",), "192.0.2.1", True),
        (False, ("a.example",), "evil.example", False),
        (False, ("a.example",), "localhost", True),
    ],
)
def test_names_of_this_server(
    loopback: bool, names: tuple[str, ...], host: str, ours: bool
) -> None:
    policy = OriginPolicy(cors_origins=(), server_names=names, loopback=loopback)
    if ours:
        policy.check(host, None)
    else:
        with pytest.raises(Forbidden):
            policy.check(host, None)


def test_a_default_port_makes_no_other_origin() -> None:
    policy = OriginPolicy(("https://b.example:443", "app://a:443"), (), loopback=False)
    assert policy.allows("a", "https://B.example")
    assert not policy.allows("a", "http://b.example")
    assert not policy.allows("a", "app://a")


@pytest.mark.parametrize(
    ("asked", "more"),
    [
        ("", []),
        ("authorization, CONTENT-TYPE", []),
        ("x-openai-agents-sdk,x-stainless-os", ["x-openai-agents-sdk", "x-stainless-os"]),
        ("traceparent, baggage,sentry-trace,,", ["traceparent", "baggage", "sentry-trace"]),
        ("a b, x:y, *\r\n, ж, " + "x" * 129, ["*"]),
        ("a,A,a", ["a"]),
    ],
)
def test_every_header_may_be_sent(asked: str, more: list[str]) -> None:
    assert allowed_headers(asked) == [*ALLOWED_HEADERS, *more]


def test_the_headers_of_a_preflight_are_bounded() -> None:
    asked = ",".join(f"x-{number}" for number in range(1000))
    assert len(allowed_headers(asked)) == len(ALLOWED_HEADERS) + MORE_HEADERS


def test_the_opaque_origin_is_nobody() -> None:
    policy = OriginPolicy(cors_origins=("*",), server_names=(), loopback=False)
    assert policy.allows("a", "https://b.example")
    assert not policy.allows("a", "null")
