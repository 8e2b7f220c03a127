"""Everything private of aiortc and aioice that the transport leans on.

An upgrade that moves any of it fails here, with its name, instead of in somebody's call.
"""

import asyncio
import inspect
from importlib.metadata import version
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


def test_versions_are_the_pinned_ones() -> None:
    assert {name: version(name) for name in ("aiortc", "aioice", "av")} == {
        "aiortc": "1.16.0",
        "aioice": "0.13.0",
        "av": "18.1.0",
    }


@pytest.mark.parametrize(
    ("function", "parameters"),
    [
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
        (RTCSctpTransport._send_chunk, ["self", "chunk"]),
        (RTCSctpTransport.start, ["self", "remoteCaps", "remotePort"]),
        # Called by WebRtcTransport.
        (RTCIceTransport.start, ["self", "remoteParameters"]),
        (RTCDtlsTransport.__init__, ["self", "transport", "certificates"]),
        (RTCDtlsTransport.start, ["self", "remoteParameters"]),
        (RTCDtlsTransport._set_role, ["self", "role"]),
        # Overridden by GuardedDtls.
        (RTCDtlsTransport._recv_next, ["self"]),
        (RTCDtlsTransport._send_data, ["self", "data"]),
        # Replaced by the test client.
        (RTCRtpReceiver._handle_rtp_packet, ["self", "packet", "arrival_time_ms"]),
        (aioice.ice.get_host_addresses, ["use_ipv4", "use_ipv6"]),
        (StreamStatistics.add, ["self", "packet"]),
    ],
)
def test_functions_take_what_we_give_them(function: Any, parameters: list[str]) -> None:
    assert list(inspect.signature(function).parameters) == parameters


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
    assert connection._query_consent_task is None


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
