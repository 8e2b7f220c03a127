"""Findings of the doctor about ports, addresses, certificates and headroom."""

import datetime
import socket
from pathlib import Path

import pytest

from rtc_server.app.doctor.findings import Finding, Level, fault, note, ok
from rtc_server.app.doctor.machine import (
    certificate,
    http_port,
    media_addresses,
    media_ports,
    microphone,
)
from rtc_server.app.doctor.rehearsal import headroom, real_time_factor
from rtc_server.cli.doctor import shown
from rtc_server.config import HttpSettings, Settings, TransportSettings
from rtc_server.transport.probe import Report
from tests.support.certificates import self_signed

pytestmark = pytest.mark.real_time

NOW = datetime.datetime.now(datetime.UTC)
KEY = "a key of some length"


def levels(findings: list[Finding]) -> list[Level]:
    assert all(bool(each.fix) is (each.level is not Level.OK) for each in findings)
    return [each.level for each in findings]


def test_a_port_in_use_is_a_fault() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        http = HttpSettings(port=taken.getsockname()[1])
        assert levels([*http_port(http)]) == [Level.FAULT]
    assert levels([*http_port(http)]) == [Level.OK]


@pytest.mark.parametrize(
    ("http", "level"),
    [
        (HttpSettings(), Level.NOTE),
        (HttpSettings(host="0.0.0.0"), Level.FAULT),
        (HttpSettings(host="0.0.0.0", trusted_proxies=("10.0.0.1",)), Level.NOTE),
        (HttpSettings(host="0.0.0.0", tls_cert="c", tls_key="k"), Level.OK),
    ],
)
def test_browsers_elsewhere_want_https(http: HttpSettings, level: Level) -> None:
    assert levels([*microphone(http)]) == [level]


def test_a_certificate_is_read(tmp_path: Path) -> None:
    cert, key = self_signed(tmp_path, days=90)
    http = HttpSettings(tls_cert=str(cert), tls_key=str(key))
    assert levels([*certificate(http, NOW)]) == [Level.OK, Level.NOTE]  # valid, self-signed
    later = NOW + datetime.timedelta(days=80)
    assert levels([*certificate(http, later)]) == [Level.NOTE, Level.NOTE]
    after = NOW + datetime.timedelta(days=100)
    assert levels([*certificate(http, after)]) == [Level.FAULT, Level.NOTE]
    key.write_text("no key")
    assert levels([*certificate(http, NOW)]) == [Level.FAULT]


@pytest.mark.parametrize(
    ("addresses", "public", "level"),
    [
        (["10.0.0.7"], "", Level.NOTE),
        (["10.0.0.7"], "203.0.113.7", Level.OK),
        (["8.8.8.8", "10.0.0.7"], "", Level.OK),
        ([], "", Level.FAULT),
    ],
)
def test_private_addresses_alone_reach_nobody_outside(
    addresses: list[str], public: str, level: Level
) -> None:
    settings = Settings(
        http=HttpSettings(host="0.0.0.0", api_key=KEY),
        transport=TransportSettings(public_address=public),
    )
    assert levels([*media_addresses(settings, addresses)]) == [level]


def test_each_session_wants_a_udp_port() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        transport = TransportSettings(udp_port_first=port, udp_port_last=port)
        [finding] = media_ports(transport, ["127.0.0.1"], 1)
        assert finding.level is Level.FAULT
        assert finding.what.startswith("0 of the 1 UDP ports")
    assert levels([*media_ports(transport, ["127.0.0.1"], 1)]) == [Level.OK]
    assert levels([*media_ports(transport, ["127.0.0.1"], 2)]) == [Level.FAULT]
    assert levels([*media_ports(TransportSettings(), ["127.0.0.1"], 50)]) == [Level.OK]


@pytest.mark.parametrize(
    ("server_s", "all_s", "cores", "sessions"),
    [
        (1.0, 2.0, 2, "about 70 sessions"),  # the single media thread is the first to be full
        (1.0, 20.0, 2, "about 7 sessions"),  # the engines are the first to be full
        (1.0, 20.0, 16, "about 56 sessions"),
    ],
)
def test_headroom_is_what_fills_first(
    server_s: float, all_s: float, cores: int, sessions: str
) -> None:
    [finding] = headroom(server_s, all_s, 100.0, cores)
    assert finding.level is Level.OK
    assert sessions in finding.what


def test_a_machine_that_is_too_slow_is_told_so() -> None:
    assert levels([*headroom(1.0, 300.0, 100.0, 2)]) == [Level.FAULT]


@pytest.mark.parametrize(("ast_s", "level"), [(2.0, Level.OK), (16.0, Level.NOTE)])
def test_the_real_time_factor_is_of_what_was_said(ast_s: float, level: Level) -> None:
    segment = {"source": {"start_ms": 500, "end_ms": 2500}}
    reports = [Report(segments=[segment, segment]), Report(segments=[segment, segment])]
    [finding] = real_time_factor({"ast": ast_s, "tts": 0.4}, reports)
    assert finding.level is level
    assert f"takes {ast_s / 8:.2f} s to translate and 0.05 s to speak" in finding.what
    assert "over 8 s in 2 calls" in finding.what
    assert not [*real_time_factor({}, [Report()])]


def test_findings_are_printed_with_their_remedy() -> None:
    assert shown(ok("It is well.")) == "[ ok ] It is well."
    assert shown(note("Odd.", "Look.")) == "[note] Odd.\n       → Look."
    long = shown(fault("word " * 40, "fix " * 40))
    assert max(map(len, long.splitlines())) <= 90
    assert long.startswith("[BAD ] word")
