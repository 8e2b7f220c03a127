"""Sessions that lose their transport and get another."""

import asyncio
from collections.abc import AsyncGenerator

import numpy as np

from rtc_server.engines.base import TtsRequest
from rtc_server.events.client import SessionPatch
from rtc_server.pcm import FRAME_MS, Samples
from rtc_server.session.session_api import LastSeen
from rtc_server.transport.transport_api import CloseReason
from tests.support.fakes import FakeTransport, FakeTts
from tests.support.session_bench import ALL, SessionBench, events

NOTHING = LastSeen()


class RisingTts(FakeTts):
    """Voice that gets louder with each sample, so that a received sample shows its position in the
    sentence.
    """

    async def synthesize(
        self, request: TtsRequest, *, session_id: str
    ) -> AsyncGenerator[Samples, None]:
        self.requests.append(request)
        total = round(self.seconds * self.capabilities.sample_rate)
        for at in range(0, total, 2400):
            await asyncio.sleep(0.02)
            yield (0.1 + 0.8 * np.arange(at, at + 2400) / total).astype(np.float32)


async def connected(
    bench: SessionBench, patch: SessionPatch | None = None
) -> tuple[str, FakeTransport]:
    session_id = await bench.call(patch or SessionPatch(x_events=ALL))
    transport = bench.transports[-1]
    transport.observer.on_connected()
    return session_id, transport


async def resumed(bench: SessionBench, session_id: str, seen: LastSeen = NOTHING) -> FakeTransport:
    await bench.manager.resume_call(session_id, "offer", seen)
    transport = bench.transports[-1]
    transport.observer.on_connected()
    return transport


def hears(transport: FakeTransport) -> None:
    """Note a sign of life of the transport's client."""
    transport.stats.last_seen_s = asyncio.get_running_loop().time()


def lose(transport: FakeTransport, reason: CloseReason = CloseReason.PEER_LOST) -> None:
    transport.closed = reason
    transport.observer.on_closed(reason)


async def heard(transport: FakeTransport, seconds: float, *, alive: bool = True) -> list[Samples]:
    """Return the frames of speech that a transport plays meanwhile."""
    frames = []
    for _ in range(round(seconds * 1000 / FRAME_MS)):
        if alive:
            hears(transport)
        frames.append(transport.observer.next_frame())
        await asyncio.sleep(FRAME_MS / 1000)
    return [frame for frame in frames if frame is not None]


def texts(transport: FakeTransport) -> list[str]:
    return [e["target"]["text"] for e in events(transport, "x.segment") if e["status"] == "final"]
