"""Our rules about a peer's addresses, without sockets."""

import asyncio
from typing import cast

import pytest
from aioice import stun
from aioice.ice import CandidatePair

from rtc_server.transport.ice_agent import (
    MAX_QUEUED_DATAGRAMS,
    MAX_REMOTE_CANDIDATES,
)
from rtc_server.transport.logs import limited_logs
from rtc_server.transport.sdp_lines import MAX_CANDIDATES
from tests.support.ice_agents import PEER, Agent, State, Wire, candidate


async def test_candidates_elsewhere_are_not_probed_from_loopback() -> None:
    agent = Agent()
    await agent.add_signalled([candidate(5, "192.0.2.1"), candidate(6, "224.0.0.1"), candidate(7)])
    assert [each.port for each in agent.remote_candidates] == [7]


async def test_signalled_candidates_are_bounded_over_all_fragments() -> None:
    agent = Agent()
    for start in range(0, 200, MAX_CANDIDATES):
        await agent.add_signalled([candidate(10_000 + start + i) for i in range(MAX_CANDIDATES)])
    assert len(agent.remote_candidates) == MAX_REMOTE_CANDIDATES


async def test_an_offer_makes_us_send_a_hundred_datagrams_at_most_and_one_to_each_address() -> None:
    agent = Agent("192.168.1.2", sockets=6)
    hosts = [f"192.168.2.{n}" for n in range(MAX_REMOTE_CANDIDATES)]
    await agent.add_signalled([candidate(9, host) for host in hosts])
    await agent.try_to_connect()
    assert len(agent.sent) == 100
    await agent.stop()
    agent = Agent("192.168.1.2", sockets=1)
    await agent.add_signalled([candidate(9, host) for host in hosts])
    await agent.try_to_connect()
    assert sorted(addr[0] for _, addr in agent.sent) == sorted(hosts)
    await agent.stop()


async def test_an_address_that_the_peer_checks_us_from_is_checked_until_it_answers() -> None:
    agent = Agent("192.168.1.2", sockets=1)
    peer = ("192.168.1.3", 40_000)
    await agent.add_signalled([candidate(peer[1], peer[0])])
    trying = asyncio.create_task(agent.try_to_connect())
    await asyncio.sleep(5)
    assert len(agent.sent) == 1  # the only one, and it was lost
    agent.check(peer, nominate=True)
    await trying
    assert [addr for _, addr in agent.sent] == [peer] * 8
    await agent.stop()


@pytest.mark.parametrize(
    ("address", "public_address"), [("10.0.0.5", "198.51.100.7"), ("8.8.8.8", "")]
)
async def test_a_public_server_waits_to_be_checked(address: str, public_address: str) -> None:
    agent = Agent(address, public_address=public_address)
    relay = agent.open("relay", "9.9.9.9", 6000)
    await agent.add_signalled([candidate(5, "10.0.0.9"), candidate(6, "1.1.1.1")])
    assert [each.host for each in agent.remote_candidates] == ["1.1.1.1"]
    trying = asyncio.create_task(agent.try_to_connect())
    await asyncio.sleep(5)
    assert agent.sent == cast(Wire, relay.transport).sent
    assert [addr for _, addr in agent.sent] == [("1.1.1.1", 6)]
    agent.check(("10.0.0.9", 5))  # of its own network, and there
    await asyncio.sleep(0)
    assert [addr for _, addr in agent.wire.sent] == [("10.0.0.9", 5)]
    await trying
    await agent.stop()


async def test_a_lite_peer_which_never_checks_is_checked_a_few_times() -> None:
    agent = Agent("10.0.0.5", public_address="198.51.100.7", is_peer_lite=True)
    await agent.add_signalled([candidate(port, "1.1.1.1") for port in range(1, 31)])
    await agent.try_to_connect()
    assert len(agent.sent) == 100
    assert len({addr for _, addr in agent.sent}) * 4 <= 100
    await agent.stop()


async def test_a_peer_that_moves_again_and_again_is_bounded_but_followed() -> None:
    agent = Agent()
    agent.check(PEER)
    agent._nominated[1] = agent.pair(PEER)
    for port in range(50_000, 50_200):
        agent.check(("127.0.0.1", port))
    assert len(agent.remote_candidates) == MAX_REMOTE_CANDIDATES
    assert len(agent._check_list) <= MAX_REMOTE_CANDIDATES
    known = [(each.host, each.port) for each in agent.remote_candidates]
    assert PEER in known  # in use
    assert ("127.0.0.1", 50_199) in known
    await agent.stop()


async def test_only_an_answered_check_validates_an_address() -> None:
    agent = Agent()
    agent.check(PEER)
    assert not agent.is_validated(PEER)
    agent.check_state(agent.pair(PEER), State.SUCCEEDED)
    assert agent.is_validated(PEER)
    await agent.stop()


async def test_an_address_stays_valid_while_one_of_our_sockets_reaches_it() -> None:
    agent = Agent()
    agent.check(PEER)
    first = agent.pair(PEER)
    second = CandidatePair(agent.guards[1], first.remote_candidate)
    agent._check_list.append(second)
    agent.check_state(first, State.SUCCEEDED)
    agent.check_state(second, State.FAILED)
    assert agent.is_validated(PEER)
    agent.check_state(first, State.FAILED)
    assert not agent.is_validated(PEER)
    await agent.stop()


async def test_a_check_that_was_called_off_starts_again_when_the_peer_asks() -> None:
    agent = Agent()
    agent.check(PEER)
    pair = agent.pair(PEER)
    await asyncio.sleep(0)  # the check goes out
    assert pair.state is State.IN_PROGRESS
    called_off = pair.task
    await agent.stop()  # as connect() does once another pair is chosen
    sent = len(agent.wire.sent)
    agent.check(PEER, nominate=True)
    assert pair.task is not called_off
    await asyncio.sleep(0)
    assert len(agent.wire.sent) == sent + 1
    await agent.stop()


async def test_stray_media_starts_a_check_only_with_the_peers_tag() -> None:
    agent = Agent()
    agent.stray_media_received(b"forged", PEER, agent.guards[0])
    agent.authenticates = lambda data: data == b"genuine"
    agent.stray_media_received(b"forged", PEER, agent.guards[0])
    assert agent.remote_candidates == []
    agent.stray_media_received(b"genuine", PEER, agent.guards[0])
    agent.stray_media_received(b"genuine", PEER, agent.guards[0])
    assert len(agent._check_list) == 1
    await asyncio.sleep(0)
    assert [addr for _, addr in agent.wire.sent] == [PEER]
    await agent.stop()


async def test_silence_is_measured_from_what_only_the_peer_can_send() -> None:
    agent = Agent()
    agent.now_s = 3.0
    agent.response_received(PEER)  # not validated: it may be from anybody
    agent.datagram_dropped()
    agent.media_received(b"not decrypted here")
    assert agent.last_seen_s == 0.0
    agent.check(PEER)
    assert agent.last_seen_s == 3.0
    agent.check_state(agent.pair(PEER), State.SUCCEEDED)
    agent.now_s = 4.0
    agent.response_received(PEER)
    assert agent.last_seen_s == 4.0
    await agent.stop()


async def test_a_bug_of_the_media_path_is_counted_and_logged_once_a_second(
    caplog: pytest.LogCaptureFixture,
) -> None:
    agent = Agent()
    agent.check(PEER)
    agent.check_state(agent.pair(PEER), State.SUCCEEDED)

    def fail(data: bytes) -> None:
        raise ValueError("what was said")

    agent.media_received = fail
    with limited_logs():
        for _ in range(100):
            agent.guards[0].datagram_received(bytes([0x80, 111]) + bytes(30), PEER)
    assert agent.media_faults == 100
    assert agent.dropped_datagrams == 0
    assert 1 <= len(caplog.messages) <= 3
    assert caplog.messages[0].startswith(
        "The media path failed on a packet: ValueError at test_ice_agent.py:"
    )
    assert "said" not in caplog.text
    await agent.stop()


async def test_queues_are_bounded() -> None:
    agent = Agent()
    for _ in range(2 * MAX_QUEUED_DATAGRAMS):
        agent.dtls_received(b"record")
    assert agent._queue.qsize() == MAX_QUEUED_DATAGRAMS
    assert agent.dropped_datagrams == MAX_QUEUED_DATAGRAMS
    assert not agent.send_now(b"nobody to send to")
    agent.check(PEER)
    agent._nominated[1] = agent.pair(PEER)
    assert agent.send_now(b"media")
    agent.wire.is_full = True
    assert not agent.send_now(b"media")
    assert agent.wire.sent == [(b"media", PEER)]
    await agent.stop()


async def test_a_request_for_another_session_gets_no_answer() -> None:
    agent = Agent()
    message = stun.Message(
        message_method=stun.Method.BINDING,
        message_class=stun.Class.REQUEST,
        attributes={"USERNAME": "elsewhere:peer"},
    )
    agent.request_received(message, PEER, agent.guards[0])
    assert agent.wire.sent == []
    assert agent.dropped_datagrams == 1
