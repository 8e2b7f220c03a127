"""The network that other tests trust: its statistics, its order, its sockets."""

import asyncio
from collections.abc import Iterable
from itertools import groupby
from typing import cast

import pytest

from tests.support.netem import Address, Link, Path, UdpProxy

COUNT = 20_000


def fates(path: Path, seed: int = 1, count: int = COUNT) -> list[bool]:
    """Return for each of many datagrams whether it comes through."""
    link = Link(path, seed)
    return [bool(link.send(b"x", i * 0.02)) for i in range(count)]


def run_lengths(lost: Iterable[bool]) -> list[int]:
    return [len(list(run)) for missing, run in groupby(lost) if missing]


@pytest.mark.parametrize("burst", [1.0, 3.0, 8.0])
@pytest.mark.parametrize("loss", [0.01, 0.05, 0.3])
def test_loss_has_the_wanted_share_and_run_length(loss: float, burst: float) -> None:
    lost = [not came for came in fates(Path(loss=loss, loss_burst=burst), count=5 * COUNT)]
    assert sum(lost) / len(lost) == pytest.approx(loss, rel=0.15)
    runs = run_lengths(lost)
    assert sum(runs) / len(runs) == pytest.approx(burst if burst > 1 else 1 / (1 - loss), rel=0.2)


def test_the_seed_alone_decides_and_settings_do_not_disturb_each_other() -> None:
    assert fates(Path(loss=0.1), seed=4) == fates(Path(loss=0.1), seed=4)
    assert fates(Path(loss=0.1), seed=4) != fates(Path(loss=0.1), seed=5)
    noisy = Path(loss=0.1, jitter_ms=30, duplicate=0.2, corrupt=0.2, reorder=0.1)
    assert fates(noisy, seed=4) == fates(Path(loss=0.1), seed=4)


def test_jitter_keeps_order_and_reordering_does_not() -> None:
    def order(path: Path) -> list[int]:
        link = Link(path, 1)
        arrivals = [(link.send(b"x", i * 0.02)[0].due_s, i) for i in range(1000)]
        assert all(i * 0.02 + 0.01 <= due <= i * 0.02 + 0.2 for due, i in arrivals)
        return [i for _, i in sorted(arrivals)]

    assert order(Path(delay_ms=10, jitter_ms=90)) == list(range(1000))
    assert order(Path(delay_ms=10, reorder=0.1, reorder_ms=50)) != list(range(1000))


def test_duplicates_and_flipped_bits() -> None:
    link = Link(Path(duplicate=0.25, corrupt=0.5), 1)
    deliveries = [link.send(bytes(10), 0.0) for _ in range(4000)]
    assert sum(len(each) == 2 for each in deliveries) == pytest.approx(1000, rel=0.1)
    flipped = [sum(byte.bit_count() for byte in each[0].data) for each in deliveries]
    assert set(flipped) == {0, 1}
    assert sum(flipped) == pytest.approx(2000, rel=0.1)


def test_a_bottleneck_queues_then_drops() -> None:
    link = Link(Path(rate_kbps=80, queue_ms=100), 1)  # 10 bytes a millisecond
    due = [[each.due_s for each in link.send(bytes(100), 0.0)] for _ in range(20)]
    taken = [each[0] for each in due if each]
    assert taken == pytest.approx([0.01 * (i + 1) for i in range(11)])
    assert not any(due[11:])
    assert link.send(bytes(100), 10.0)[0].due_s == pytest.approx(10.01)


class NetemPeer(asyncio.DatagramProtocol):
    """A socket that notes what comes and from where."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[tuple[bytes, Address]] = asyncio.Queue()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)
        self.address: Address = transport.get_extra_info("sockname")[:2]

    def datagram_received(self, data: bytes, source: Address) -> None:
        self.heard.put_nowait((data, source))

    async def next(self) -> tuple[bytes, Address]:
        async with asyncio.timeout(60):
            return await self.heard.get()


async def peer() -> NetemPeer:
    loop = asyncio.get_running_loop()
    _, protocol = await loop.create_datagram_endpoint(NetemPeer, local_addr=("127.0.0.1", 0))
    return protocol


@pytest.mark.real_time
async def test_both_ways_rebinding_and_black_holes() -> None:
    client, server = await peer(), await peer()
    async with UdpProxy(seed=1, up=Path(delay_ms=5)) as proxy:
        proxy.connect(server.address)
        client.transport.sendto(b"hello", proxy.address)
        data, before = await server.next()
        assert (data, before) == (b"hello", proxy.source)
        server.transport.sendto(b"welcome", before)
        assert await client.next() == (b"welcome", proxy.address)

        await proxy.rebind()
        server.transport.sendto(b"to the old port", before)
        client.transport.sendto(b"moved", proxy.address)
        data, after = await server.next()
        assert data == b"moved"
        assert after != before
        server.transport.sendto(b"found", after)
        assert (await client.next())[0] == b"found"

        proxy.up = Path(blackhole=True)
        client.transport.sendto(b"lost", proxy.address)
        server.transport.sendto(b"one way", after)
        assert (await client.next())[0] == b"one way"
        proxy.up = Path()
        client.transport.sendto(b"again", proxy.address)
        assert (await server.next())[0] == b"again"
        assert proxy.dropped == (1, 0)
    client.transport.close()
    server.transport.close()
    await asyncio.sleep(0)


@pytest.mark.real_time
async def test_sdp_shows_the_proxy_and_nobody_else() -> None:
    section = (
        "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
        "a=candidate:1 1 udp 2130706431 10.1.2.3 5000 typ host\r\n"
        "a=candidate:2 1 udp 1694498815 198.51.100.7 6000 typ srflx raddr 10.1.2.3 rport 5000\r\n"
        "a=candidate:3 1 tcp 2130706431 10.1.2.3 9 typ host tcptype active\r\n"
        "a=candidate:4 1 udp 2130706431 2001:db8::1 5000 typ host\r\n"
        "a=mid:0\r\n"
    )
    async with UdpProxy(seed=1) as proxy:
        offer = proxy.rewrite_offer("v=0\r\n" + section)
        assert offer.count("a=candidate:") == 1
        assert f" {proxy.source[0]} {proxy.source[1]} typ host\r\n" in offer
        answer = proxy.rewrite_answer("v=0\r\n" + section)
        assert f" {proxy.address[0]} {proxy.address[1]} typ host\r\n" in answer
        assert "10.1.2.3" not in offer + answer
        assert answer.endswith("a=mid:0\r\n")
