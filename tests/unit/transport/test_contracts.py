"""Everything private of aiortc and aioice that the transport leans on.

An upgrade that moves any of it fails here, with its name, instead of in somebody's call. The list
is docs/upstream.md, which says of each why it is used.
"""

import asyncio
import inspect
import re
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import aioice.ice
import aiortc.rtcsctptransport
import pytest
from aioice import Candidate, Connection, stun
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import CandidatePair, StunProtocol, relayed_candidate, server_reflexive_candidate
from aioice.turn import TurnClientTcpProtocol, TurnClientUdpProtocol, TurnTransport
from aiortc import RTCCertificate, RTCIceGatherer, RTCIceTransport, RTCSctpTransport
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcrtpreceiver import RTCRtpReceiver, StreamStatistics

from tests.support.private_names import private_names

FUNCTIONS: list[tuple[Callable[..., Any], list[str]]] = [
    # Overridden by IceAgent.
    (Connection.gather_candidates, ["self"]),
    (Connection.check_incoming, ["self", "message", "addr", "protocol"]),
    (Connection.check_state, ["self", "pair", "state"]),
    (Connection.request_received, ["self", "message", "addr", "protocol"]),
    # Overridden by SparingConnection.
    (Connection.sort_check_list, ["self"]),
    (Connection._pair_remote_candidate, ["self", "remote_candidate"]),
    # Called by it.
    (Connection.data_received, ["self", "data", "component"]),
    (Connection.protocol_lost, ["self", "protocol"]),
    (Connection.close, ["self"]),
    (Connection.check_start_task, ["self", "pair"]),
    (Connection._find_remote_candidate, ["self", "remote_candidate"]),
    (Connection._find_pair, ["self", "protocol", "remote_candidate"]),
    (Connection.add_remote_candidate, ["self", "remote_candidate"]),
    (CandidatePair.__init__, ["self", "protocol", "remote_candidate"]),
    (server_reflexive_candidate, ["protocol", "stun_server"]),
    (candidate_foundation, ["candidate_type", "candidate_transport", "base_address"]),
    (candidate_priority, ["candidate_component", "candidate_type", "local_pref"]),
    # Overridden by DatagramGuard, or called by it.
    (StunProtocol.__init__, ["self", "receiver"]),
    (StunProtocol.datagram_received, ["self", "data", "addr"]),
    (
        StunProtocol.request,
        ["self", "request", "addr", "integrity_key", "retransmissions"],
    ),
    (stun.parse_message, ["data"]),
    # Called by the relay.
    (TurnTransport.__init__, ["self", "inner_protocol"]),
    (TurnTransport.sendto, ["self", "data", "addr"]),
    (TurnClientUdpProtocol._send, ["self", "data"]),
    (TurnClientTcpProtocol._send, ["self", "data"]),
    (stun.Transaction.response_received, ["self", "message", "addr"]),
    # Overridden by GuardedSctp.
    (RTCSctpTransport.__init__, ["self", "transport", "port"]),
    (RTCSctpTransport._handle_data, ["self", "data"]),
    (RTCSctpTransport._receive_chunk, ["self", "chunk"]),
    (RTCSctpTransport._receive_data_chunk, ["self", "chunk"]),
    (RTCSctpTransport._data_channel_receive, ["self", "stream_id", "pp_id", "data"]),
    (RTCSctpTransport._data_channel_add_negotiated, ["self", "channel"]),
    (RTCSctpTransport._data_channel_closed, ["self", "stream_id"]),
    (RTCSctpTransport._send_chunk, ["self", "chunk"]),
    (RTCSctpTransport.start, ["self", "remoteCaps", "remotePort"]),
    # Called by WebRtcTransport.
    (RTCIceTransport.start, ["self", "remoteParameters"]),
    (RTCDtlsTransport.__init__, ["self", "transport", "certificates"]),
    (RTCDtlsTransport.start, ["self", "remoteParameters"]),
    (RTCDtlsTransport._set_role, ["self", "role"]),
    # Overridden by Certificate.
    (RTCCertificate._create_ssl_context, ["self", "srtp_profiles"]),
    # Overridden by GuardedDtls.
    (RTCDtlsTransport._recv_next, ["self"]),
    (RTCDtlsTransport._send_data, ["self", "data"]),
    # Replaced by the test client.
    (RTCRtpReceiver._handle_rtp_packet, ["self", "packet", "arrival_time_ms"]),
    (aioice.ice.get_host_addresses, ["use_ipv4", "use_ipv6"]),
    (StreamStatistics.add, ["self", "packet"]),
]
"""Function, and its parameters as we know them."""
OF_THE_TESTS = {"get_host_addresses", "_handle_rtp_packet", "add", "_data_channel_add_negotiated"}
"""Replaced by the tests' client, or called for us by aiortc itself."""

CHECKOUT = Path(__file__).parents[3]
PACKAGE = CHECKOUT / "rtc_server"
UPSTREAM = (CHECKOUT / "docs" / "upstream.md").read_text("utf-8")
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "engines" not in path.parts)
"""Modules of the package, except the engines, each of which keeps its library to itself."""


def test_versions_are_the_pinned_ones() -> None:
    assert {name: version(name) for name in ("aiortc", "aioice", "av")} == {
        "aiortc": "1.16.0",
        "aioice": "0.13.0",
        "av": "18.1.0",
    }


def documented() -> dict[str, set[str]]:
    """Private names in docs/upstream.md, with the files that are said to use them."""
    names: dict[str, set[str]] = {}
    part = UPSTREAM.partition("## Private names\n")[2].partition("\n## ")[0]
    for cells in re.findall(r"^\| (`_.*?) \| (.*?) \|", part, re.MULTILINE):
        for name in re.findall(r"`(\w+)`", cells[0]):
            names[name] = set(re.findall(r"`([\w/]+\.py)`", cells[1]))
    return names


@cache
def used() -> dict[str, set[str]]:
    """Private names of other libraries in our code, with the files they are in."""
    names: dict[str, set[str]] = {}
    for path in MODULES:
        place = path.relative_to(PACKAGE)
        module = ".".join(("rtc_server", *place.with_suffix("").parts))
        for name in private_names(path, module):
            names.setdefault(name, set()).add(str(place).removeprefix("transport/"))
    return names


def test_the_document_has_every_private_name_and_its_place() -> None:
    assert documented() == used()


def test_a_private_name_is_found_wherever_it_stands() -> None:
    """Otherwise the test above would check less."""
    found = used()
    assert "ice_agent.py" in found["_check_list"]  # an attribute that a base class has
    assert "channel.py" in found["_send_chunk"]  # a method that is overridden
    assert "stack.py" in found["_rx_srtp"]  # an attribute of another object
    assert "app/listening.py" in found["_waiter"]


def test_what_is_documented_is_pinned() -> None:
    functions = {function.__name__ for function, _ in FUNCTIONS}
    _, _, states = Path(__file__).read_text("utf-8").partition("# What objects hold.\n")
    missing = documented().keys() - functions - set(re.findall(r"\w+", states))
    assert missing == {"_waiter", "_drain_helper"}  # pinned beside the code that uses it


def test_the_functions_that_are_pinned_are_documented() -> None:
    names = {function.__name__ for function, _ in FUNCTIONS} - {"__init__"} - OF_THE_TESTS
    assert {name for name in names if f"`{name}`" not in UPSTREAM} == set()


@pytest.mark.parametrize(("function", "parameters"), FUNCTIONS)
def test_functions_take_what_we_give_them(function: Any, parameters: list[str]) -> None:
    assert list(inspect.signature(function).parameters) == parameters


# What objects hold.


def test_the_relay_takes_a_protocol_of_ours() -> None:
    assert set(inspect.signature(relayed_candidate).parameters) == {
        "component",
        "hide_related_address",
        "protocol_factory",
        "turn_server",
        "turn_username",
        "turn_password",
        "turn_ssl",
        "turn_transport",
    }


def test_a_refused_transaction_says_its_error() -> None:
    answer = stun.Message(stun.Method.ALLOCATE, stun.Class.ERROR)
    answer.attributes["ERROR-CODE"] = (401, "Unauthorized")
    assert stun.TransactionFailed(answer).response.error_code == 401


async def test_the_state_of_a_connection() -> None:
    connection = Connection(ice_controlling=False)
    expected: dict[str, type] = {
        "_local_candidates": list,
        "_local_candidates_start": bool,
        "_local_candidates_end": bool,
        "_closing": bool,
        "_protocols": list,
        "_remote_candidates": list,
        "_nominated": dict,
        "_check_list": list,
        "_queue": asyncio.Queue,
        "local_username": str,
        "local_password": str,
    }
    for name, kind in expected.items():
        assert isinstance(getattr(connection, name), kind), name
    for name in ("stun_server", "turn_server", "turn_username", "turn_password", "remote_username"):
        assert getattr(connection, name) is None, name


async def test_the_state_of_a_relay() -> None:
    client = TurnClientUdpProtocol(("127.0.0.1", 1), "user", "password", 600, 500)
    relay: Any = TurnTransport(client)
    assert relay._TurnTransport__inner_protocol is client
    assert relay._TurnTransport__close_task is None
    assert relay._TurnTransport__send_tasks == set()
    assert client.peer_to_channel == {}
    assert client.refresh_task is None


async def test_the_state_of_a_pair_and_a_protocol() -> None:
    protocol = StunProtocol(Connection(ice_controlling=False))
    assert protocol.transactions == {}
    candidate = Candidate("f", 1, "udp", 1, "127.0.0.1", 5000, "prflx")
    assert candidate._network_host == "127.0.0.1"
    protocol.local_candidate = candidate
    pair = CandidatePair(protocol, candidate)
    assert pair.remote_addr == ("127.0.0.1", 5000)
    assert pair.task is None
    assert pair.remote_nominated is False
    states = set(CandidatePair.State.__members__)
    assert {"FROZEN", "WAITING", "IN_PROGRESS", "SUCCEEDED", "FAILED"} <= states


async def test_the_state_of_the_transports() -> None:
    gatherer = RTCIceGatherer(iceServers=[])
    gatherer._connection = mine = Connection(ice_controlling=False)
    ice = RTCIceTransport(gatherer)
    assert ice._connection is mine
    assert ice._recv == mine.recv
    assert ice.state == "new"
    dtls = RTCDtlsTransport(ice, [RTCCertificate.generateCertificate()])
    assert dtls.state == "new"
    for name in ("_rx_srtp", "_tx_srtp", "_task"):
        assert getattr(dtls, name) is None, name
    sctp = RTCSctpTransport(dtls)
    assert isinstance(sctp._advertised_rwnd, int)
    assert (sctp._inbound_streams, sctp._sack_misordered) == ({}, set())
    assert sctp._last_received_tsn is None
    assert aiortc.rtcsctptransport.InboundStream().reassembly == []
    assert aiortc.rtcsctptransport.tsn_plus_one(0xFFFFFFFF) == 0
    assert issubclass(aiortc.rtcsctptransport.AbortChunk, aiortc.rtcsctptransport.Chunk)


async def test_dtls_reports_its_end_as_an_event() -> None:
    gatherer = RTCIceGatherer(iceServers=[])
    dtls = RTCDtlsTransport(RTCIceTransport(gatherer), [RTCCertificate.generateCertificate()])
    states: list[str] = []
    dtls.on("statechange", lambda: states.append(dtls.state))
    dtls._set_state(aiortc.rtcdtlstransport.State.CLOSED)
    assert states == ["closed"]


def test_errors_of_a_stranger_are_what_the_guard_expects() -> None:
    with pytest.raises(ValueError, match="STUN"):
        stun.parse_message(b"\x00" * 10)
