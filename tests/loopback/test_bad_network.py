"""A call over networks that lose, delay, shuffle, break and move, with aiortc's client."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence

import numpy as np
import pytest

from rtc_server.pcm import SPEECH_RATE, Pcm
from tests.support.netem import Path, UdpProxy
from tests.support.opus_codec import Floats
from tests.support.packet_scripts import encoded
from tests.support.peers import Server, tone
from tests.support.rtc_client import RtcClient
from tests.support.signals import loudest_hz


@contextlib.asynccontextmanager
async def call(
    seed: int,
    *,
    audio: Floats | None = None,
    packets: Sequence[bytes] | None = None,
    packet_ms: int = 20,
) -> AsyncIterator[tuple[RtcClient, Server, UdpProxy]]:
    """Open a call that is connected and has been received, still on a clean path."""
    async with UdpProxy(seed=seed) as proxy, Server(playout=tone(660, 60.0)) as server:

        async def negotiate(offer: str) -> str:
            return proxy.rewrite_answer(await server.negotiate(proxy.rewrite_offer(offer)))

        if audio is None and packets is None:
            audio = tone(440, 60.0)
        async with RtcClient(
            negotiate, audio=audio, packets=packets, packet_ms=packet_ms
        ) as client:
            await server.session.until(lambda: server.session.samples > 8_000)
            await client.until(lambda: len(client.packets) > 20)
            yield client, server, proxy


def received_since(pieces: Sequence[Pcm], start: int) -> int:
    """Return how many samples are neither concealed nor silent, from the `start`-th piece on."""
    return sum(
        len(each.samples)
        for each in pieces[start:]
        if each.concealed_samples == 0 and np.any(each.samples)
    )


async def until_heard_again(client: RtcClient, server: Server) -> None:
    """Half a second of real audio from now on, each way."""
    pieces, packets = len(server.session.pcm), len(client.packets)
    await server.session.until(
        lambda: received_since(server.session.pcm, pieces) > SPEECH_RATE // 2
    )
    await client.until(lambda: len(client.packets) > packets + 25)


@pytest.mark.parametrize(
    "path",
    [Path(loss=0.1), Path(loss=0.2, loss_burst=4), Path(loss=0.05, jitter_ms=80, reorder=0.05)],
    ids=["random", "bursts", "jitter"],
)
@pytest.mark.unmeasured
async def test_loss_leaves_no_hole(path: Path) -> None:
    async with call(seed=1) as (_, server, proxy):
        session = server.session
        proxy.up = proxy.down = path
        begin = session.samples
        await session.until(lambda: session.samples > begin + 4 * SPEECH_RATE)
        assert session.is_contiguous()
        stats = server.transport.stats
        assert stats.packets_lost > 0
        concealed = sum(each.concealed_samples for each in session.pcm)
        unsent = (
            server.scheduler.skipped
        )  # ticks that the machine did not run, nor the client with it
        assert 0 < concealed <= 320 * (stats.packets_lost + proxy.dropped[0] + unsent)
        proxy.up = proxy.down = Path()
        begin = session.samples
        await session.until(lambda: session.samples > begin + SPEECH_RATE)
        assert loudest_hz(session.audio()[-8_000:], SPEECH_RATE) == pytest.approx(440, abs=5)


async def test_broken_doubled_and_shuffled_datagrams_disturb_nothing() -> None:
    async with call(seed=2) as (client, server, proxy):
        proxy.up = proxy.down = Path(corrupt=0.3, duplicate=0.3, reorder=0.2, reorder_ms=60)
        await asyncio.sleep(2.0)
        proxy.up = proxy.down = Path()
        await until_heard_again(client, server)
        assert server.session.is_contiguous()
        assert not server.session.reasons


async def test_a_nat_that_forgets_the_port() -> None:
    async with call(seed=3) as (client, server, proxy):
        await proxy.rebind()
        await until_heard_again(client, server)
        assert not server.session.reasons
        assert server.session.is_contiguous()


@pytest.mark.parametrize("ways", ["up", "down", "both"])
@pytest.mark.unmeasured
async def test_a_path_that_is_gone_for_two_seconds(ways: str) -> None:
    async with call(seed=4) as (client, server, proxy):
        hole = Path(blackhole=True)
        if ways != "down":
            proxy.up = hole
        if ways != "up":
            proxy.down = hole
        await asyncio.sleep(2.0)
        silent = [not np.any(each.samples) for each in server.session.pcm[-50:]]
        assert all(silent) == (ways != "down"), "the listener hears the silence while it lasts"
        proxy.up = proxy.down = Path()
        await until_heard_again(client, server)
        assert server.session.is_contiguous()


@pytest.mark.unmeasured
async def test_a_narrow_path() -> None:
    """64 kbit/s carries one direction's audio with little to spare."""
    async with call(seed=5) as (client, server, proxy):
        proxy.up = proxy.down = Path(rate_kbps=64, queue_ms=300)
        await asyncio.sleep(2.0)
        await until_heard_again(client, server)
        assert server.session.is_contiguous()


@pytest.mark.parametrize(("packet_ms", "channels"), [(10, 1), (60, 2)])
@pytest.mark.unmeasured
async def test_other_packets_over_a_lossy_path(packet_ms: int, channels: int) -> None:
    packets = encoded(10.0, fec=True, packet_ms=packet_ms, channels=channels)
    async with call(seed=6, packets=packets, packet_ms=packet_ms) as (_, server, proxy):
        session = server.session
        proxy.up = Path(loss=0.1)
        begin, first = session.samples, len(session.pcm)
        await session.until(lambda: session.samples > begin + 4 * SPEECH_RATE)
        assert session.is_contiguous()
        assert received_since(session.pcm, first) > 3 * SPEECH_RATE
