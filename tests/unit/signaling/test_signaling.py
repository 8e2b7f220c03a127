"""Rules of signaling that need no socket."""

import logging

import pytest
from aiohttp.http_exceptions import BadStatusLine
from hypothesis import given
from hypothesis import strategies as st

from rtc_server.config import TransportSettings
from rtc_server.errors import ConfigError, RemoteError
from rtc_server.events.client import language_code
from rtc_server.events.faults import checked
from rtc_server.ice import IceServer, parse_ice_server
from rtc_server.signaling.access_log import ServerLogFilter, server_logger
from rtc_server.signaling.bodies import session_request
from rtc_server.signaling.negotiation import ice_link
from rtc_server.signaling.request_bodies import SessionBody


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("stun:192.0.2.1", IceServer("stun", "192.0.2.1", 3478)),
        (" stun:a.example:5349 ", IceServer("stun", "a.example", 5349)),
        ("turn:u:p@h:1", IceServer("turn", "h", 1, "udp", "u", "p")),
        ("turns:1700%3Au:p:q@[::1]", IceServer("turns", "::1", 5349, "tcp", "1700:u", "p:q")),
        ("turn:u:a%40b%3A@h?transport=tcp", IceServer("turn", "h", 3478, "tcp", "u", "a@b:")),
    ],
)
def test_ice_servers_as_an_operator_writes_them(text: str, server: IceServer) -> None:
    assert parse_ice_server(text) == server


def test_an_ice_server_as_a_uri() -> None:
    assert parse_ice_server("stun:h").url == "stun:h:3478"
    assert parse_ice_server("turns:u:p@[::1]:7").url == "turns:[::1]:7?transport=tcp"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "stun:",
        "http://h",
        "stuns:h",
        "turn:h:1",
        "turn:u@h",
        "stun:h:0",
        "stun:h:99999",
        "turn:u:p@h?transport=sctp",
        "stun:h\r\nX: y",
        "turn:u:p@ss@h>",
    ],
)
def test_a_wrong_ice_server_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(ConfigError) as refusal:
        TransportSettings(ice_servers=(text,))
    assert "p@" not in str(refusal.value).replace("password@", "")


def test_a_wrong_ice_server_is_named_by_its_position() -> None:
    with pytest.raises(ConfigError, match=r"^Entry 2 of --ice-servers is wrong\. Write stun:"):
        TransportSettings(ice_servers=("stun:h", "foo"))


def test_a_password_does_not_show() -> None:
    assert "hunter2" not in repr(parse_ice_server("turn:u:hunter2@h"))


def test_a_link_cannot_be_broken_out_of() -> None:
    link = ice_link(IceServer("turn", "h", 1, "udp", 'a"; x="', "b\\\r\nSet-Cookie: c"))
    assert link == (
        '<turn:h:1?transport=udp>; rel="ice-server"; username="a\\"; x=\\""; '
        'credential="b\\\\Set-Cookie: c"; credential-type="password"'
    )


def test_aiohttps_own_log_is_limited_and_stripped() -> None:
    log_filter = ServerLogFilter()
    passed = []
    for _ in range(50):
        info = (ValueError, ValueError("t0ken"), None)
        record = logging.LogRecord("n", logging.ERROR, "p", 1, "From %s", ("a",), info)
        if log_filter.filter(record):
            passed.append(record)
    assert 10 <= len(passed) <= 12
    assert logging.Formatter().format(passed[0]) == "From a (ValueError)"


@pytest.mark.parametrize("error", [BadStatusLine("t0ken"), ConnectionResetError("t0ken")])
def test_what_a_client_does_wrong_is_no_error_of_ours(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    for level, expected in ((logging.INFO, [(logging.INFO, "INFO")]), (logging.WARNING, [])):
        caplog.clear()
        with caplog.at_level(level, "rtc_server.http"):
            server_logger().error("From %s", "a", exc_info=error)
        assert [(each.levelno, each.levelname) for each in caplog.records] == expected
        assert "t0ken" not in caplog.text


KEYS = ["audio", "input", "output", "language", "transcription", "x", "vad", "mode", "x_events"]
TEXT = st.text(st.characters(exclude_categories=()))
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(KEYS) | TEXT, inner),
)


@given(JSON, st.dictionaries(st.sampled_from(["model", "source", "target"]), TEXT))
def test_whatever_a_session_object_holds_it_is_read_or_refused(
    session: object, query: dict[str, str]
) -> None:
    try:
        named = None if session is None else checked(SessionBody, session, "session")
        request = session_request(named, query)
    except RemoteError as error:
        assert error.status == 400
        assert str(error).encode().endswith(b".")
    else:
        repr(request).encode()
        source = query.get("source", "").strip()
        assert not source or request.settings.source_language == language_code(source)
