"""Addresses, servers, rates, the outbox and RTCP: the transport's pure rules."""

import logging
import struct

import pytest
from aiortc.rtp import RtcpPacket, RtcpReceiverInfo, RtcpRrPacket, RtcpSdesPacket, RtcpSrPacket
from hypothesis import given
from hypothesis import strategies as st

from rtc_server.config import TransportSettings
from rtc_server.errors import ConfigError
from rtc_server.transport.addresses import addresses_to_offer, is_public, may_send_to
from rtc_server.transport.ice_servers import agent_servers, stun_server
from rtc_server.transport.logs import LogLimiter
from rtc_server.transport.media.counters import ReceptionReport
from rtc_server.transport.outbox import MAX_BYTES, MAX_MESSAGES, Outbox, Stored
from rtc_server.transport.rtcp import Rtcp, SenderState
from rtc_server.transport.source_limiter import (
    MAX_STRANGERS,
    STRANGER_PER_S,
    SourceLimiter,
)


@pytest.mark.parametrize(
    ("host", "offered"),
    [
        ("127.0.0.1", ["127.0.0.1"]),
        ("::1", ["::1"]),
        ("localhost", ["127.0.0.1", "::1"]),
        ("192.0.2.5", ["192.0.2.5"]),
    ],
)
def test_media_listens_where_http_does(host: str, offered: list[str]) -> None:
    assert addresses_to_offer(TransportSettings(), host) == offered


def test_all_addresses_are_never_loopback_and_set_ones_win() -> None:
    everything = addresses_to_offer(TransportSettings(), "0.0.0.0")
    assert not any(each.startswith(("127.", "fe80", "169.254.")) for each in everything)
    settings = TransportSettings(ice_addresses=("192.0.2.8",))
    assert addresses_to_offer(settings, "0.0.0.0") == ["192.0.2.8"]


@pytest.mark.parametrize(
    ("address", "from_loopback", "from_network", "from_public"),
    [
        ("127.0.0.1", True, False, False),
        ("::1", True, False, False),
        ("192.168.1.9", False, True, False),
        ("10.0.0.9", False, True, False),
        ("100.64.0.9", False, True, False),
        ("fd00::9", False, True, False),
        ("8.8.8.8", False, True, True),
        ("2606:4700::9", False, True, True),
        ("0.0.0.0", False, False, False),
        ("::", False, False, False),
        ("224.0.0.1", False, False, False),
        ("ff02::1", False, False, False),
        ("ff0e::1", False, False, False),
        ("255.255.255.255", False, False, False),
        ("240.0.0.1", False, False, False),
        ("169.254.169.254", False, False, False),
        ("fe80::1", False, False, False),
        ("::ffff:10.0.0.1", False, False, False),
        ("64:ff9b::a00:1", False, False, False),
        ("2002:a00:1::", False, False, False),
    ],
)
def test_where_checks_may_go(
    address: str, from_loopback: bool, from_network: bool, from_public: bool
) -> None:
    assert may_send_to(address, ["127.0.0.1"]) is from_loopback
    assert may_send_to(address, ["192.0.2.5"]) is from_network
    assert may_send_to(address, ["8.8.4.4"]) is from_public
    assert may_send_to(address, ["10.0.0.5"], "198.51.100.7") is from_public


@pytest.mark.parametrize(
    ("addresses", "public"),
    [
        (["127.0.0.1"], False),
        (["192.168.1.2", "2606:4700::2"], False),  # at home, behind a firewall
        (["100.64.0.2"], False),
        (["2606:4700::2"], True),
        (["8.8.8.8", "172.17.0.1"], True),
    ],
)
def test_a_server_is_public_when_anybody_may_reach_it(addresses: list[str], public: bool) -> None:
    assert is_public(addresses) is public
    assert is_public(addresses, "198.51.100.7")


def test_ice_servers() -> None:
    found = for_agent(
        "stun:stun.example:3479", "turn:user:pa:ss@turn.example?transport=tcp", "stun:other"
    )
    assert found == {
        "stun_server": ("stun.example", 3479),
        "turn_server": ("turn.example", 3478),
        "turn_username": "user",
        "turn_password": "pa:ss",
        "turn_ssl": False,
        "turn_transport": "tcp",
    }
    assert for_agent("turns:u:p@[2001:db8::1]")["turn_server"] == ("2001:db8::1", 5349)
    assert for_agent("turns:u:p@dtls?transport=udp", "turn:u:p@b")["turn_server"] == ("b", 3478)
    assert for_agent("turn:u:p@b", relay=False) == {}


def for_agent(*texts: str, relay: bool = True) -> dict[str, object]:
    ice = TransportSettings(ice_servers=texts).ice()
    return dict(agent_servers(ice, relay=relay, now_s=0.0))


def test_the_servers_own_relay_has_a_user_of_its_own_too() -> None:
    ice = TransportSettings(ice_servers=("turn:a",), turn_secret="s").ice()
    found = dict(agent_servers(ice, relay=True, now_s=1_000.5))
    assert found["turn_username"] == "4600:server"
    assert found["turn_password"] == ice.for_client("server", 4600)[0].credential


@pytest.mark.parametrize(
    ("texts", "server"),
    [
        (("turn:u:p@a", "stun:b"), ("b", 3478)),
        (("turns:u:p@c", "turn:u:p@d?transport=tcp", "turn:u:p@a"), ("a", 3478)),
        (("turns:u:p@a", "turn:u:p@a?transport=tcp"), None),
    ],
)
def test_who_can_tell_our_address(texts: tuple[str, ...], server: object) -> None:
    assert stun_server(TransportSettings(ice_servers=texts).ice()) == server


@pytest.mark.parametrize(
    "settings",
    [
        {"udp_port_first": 5000},
        {"public_address": "example.org"},
        {"public_address": "stun"},
        {"ice_addresses": ("eth0",)},
        {"ice_servers": ("turn:a",)},
        {"ice_servers": ("turn:u:p@a",), "turn_secret": "unused"},
        {"ice_servers": ("stun:a",), "turn_secret": "unused"},
        {"ice_servers": ("stun:a",), "ice_policy": "relay"},
        {"ice_servers": ("stun:a",), "server_relay": "also"},
        {"server_relay": "only"},
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as refusal:
        TransportSettings(**settings)  # type: ignore[arg-type]
    assert "unused" not in str(refusal.value)


def test_strangers_cannot_starve_the_peer_nor_each_other() -> None:
    limiter = SourceLimiter()
    flood = sum(
        limiter.allows(("192.0.2.66", 1000), trusted=False, now_s=0.0) for _ in range(10_000)
    )
    assert flood == 2 * STRANGER_PER_S
    assert limiter.allows(("192.0.2.67", 1000), trusted=False, now_s=0.0)
    assert limiter.allows(("192.0.2.1", 5), trusted=True, now_s=0.0)
    for i in range(10_000):
        limiter.allows(("192.0.2.66", i), trusted=False, now_s=0.0)
    assert len(limiter._each_stranger) == MAX_STRANGERS
    assert limiter.allows(("192.0.2.1", 5), trusted=True, now_s=0.0)


def test_a_logger_says_one_line_a_second() -> None:
    limiter = LogLimiter()

    def passes(created: float) -> str | None:
        record = logging.LogRecord("x", logging.WARNING, "", 0, "bad", None, None)
        record.created = created
        return record.getMessage() if limiter.filter(record) else None

    assert passes(10.0) == "bad"
    assert [passes(10.0 + i / 100) for i in range(1, 100)] == [None] * 99
    assert passes(11.0) == "bad [99 similar lines left out]"
    assert passes(12.5) == "bad"


def test_the_outbox_drops_the_oldest_droppable_first() -> None:
    outbox = Outbox[str]()
    for i in range(MAX_MESSAGES):
        assert outbox.put(str(i), droppable=i in (3, 5)) is Stored.KEPT
    assert outbox.put("new", droppable=False) is Stored.KEPT
    assert outbox.put("newer", droppable=True) is Stored.KEPT
    assert outbox.put("newest", droppable=False) is Stored.KEPT  # in place of "newer"
    assert outbox.put("caption", droppable=True) is Stored.DROPPED
    assert outbox.put("final", droppable=False) is Stored.OVERFLOW
    taken = [outbox.take() for _ in range(len(outbox))]
    expected = [str(i) for i in range(MAX_MESSAGES) if i not in (3, 5)]
    assert taken == [*expected, "new", "newest"]
    assert outbox.dropped == 4


def test_the_outbox_is_bounded_in_bytes_too() -> None:
    outbox = Outbox[str]()
    big = "й" * (MAX_BYTES // 8)
    kept = [outbox.put(big, droppable=False) for _ in range(6)]
    assert kept == [Stored.KEPT] * 4 + [Stored.OVERFLOW] * 2


RECEPTION = ReceptionReport(
    ssrc=99, fraction_lost=25, packets_lost=-3, highest_sequence=70_000, jitter=48
)


def test_reports_are_what_aiortc_reads() -> None:
    rtcp = Rtcp(ssrc=7, cname="name")
    sender, description = RtcpPacket.parse(rtcp.write(10.5, SenderState(960, 50, 4000), RECEPTION))
    assert isinstance(sender, RtcpSrPacket)
    assert sender.ssrc == 7
    assert sender.sender_info.rtp_timestamp == 960
    assert sender.sender_info.packet_count == 50
    assert sender.sender_info.ntp_timestamp == int(10.5 * (1 << 32))
    block = sender.reports[0]
    assert (block.ssrc, block.fraction_lost, block.packets_lost) == (99, 25, -3)
    assert (block.highest_sequence, block.jitter) == (70_000, 48)
    assert isinstance(description, RtcpSdesPacket)
    assert description.chunks[0].items == [(1, b"name")]
    receiver, _ = RtcpPacket.parse(rtcp.write(10.5, None, None))
    assert isinstance(receiver, RtcpRrPacket)
    assert receiver.reports == []
    assert len(RtcpPacket.parse(rtcp.bye())) == 2


def test_loss_and_round_trip_are_read_from_the_peers_report() -> None:
    rtcp = Rtcp(ssrc=7, cname="name")
    report = RtcpPacket.parse(rtcp.write(100.0, SenderState(960, 50, 4000), None))[0]
    assert isinstance(report, RtcpSrPacket)
    block = RtcpReceiverInfo(
        ssrc=7,
        fraction_lost=64,
        packets_lost=1,
        highest_sequence=1,
        jitter=1,
        lsr=report.sender_info.ntp_timestamp >> 16 & 0xFFFFFFFF,
        dlsr=int(0.25 * 65536),
    )
    rtcp.read(bytes(RtcpRrPacket(ssrc=99, reports=[block])), 100.3)
    assert rtcp.peer_loss == 0.25
    assert rtcp.round_trip_s == pytest.approx(0.05, abs=1e-3)


def test_the_peers_report_is_answered_with_its_time_and_our_delay() -> None:
    ours, theirs = Rtcp(ssrc=7, cname="name"), Rtcp(ssrc=99, cname="peer")
    ours.read(theirs.write(50.0, SenderState(0, 1, 1), None), 3.0)
    report = RtcpPacket.parse(ours.write(3.5, None, RECEPTION))[0]
    assert isinstance(report, RtcpRrPacket)
    assert report.reports[0].lsr == int(50.0 * 65536)
    assert report.reports[0].dlsr == 0.5 * 65536


@given(st.binary(max_size=200))
def test_no_bytes_make_rtcp_raise(data: bytes) -> None:
    rtcp = Rtcp(ssrc=7, cname="name")
    rtcp.read(data, 1.0)
    rtcp.read(struct.pack("!BBH", 0x81, 201, len(data) // 4) + data, 1.0)


def test_reports_come_once_a_second_on_average() -> None:
    rtcp = Rtcp(ssrc=7, cname="name")
    due = [tick for tick in range(50_000) if rtcp.is_due(tick)]
    assert 900 < len(due) < 1100
    assert due[0] >= 25
