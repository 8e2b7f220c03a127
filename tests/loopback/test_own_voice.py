"""A loudspeaker beside the microphone, over real Opus and RTP: our speech comes back to us."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import overload

import numpy as np

from rtc_server.app.server import RunningServer, running
from rtc_server.config import HttpSettings, InterpreterSettings, Settings
from tests.support.opus_codec import encode
from tests.support.patient import QUICK
from tests.support.rtc_client import RtcClient
from tests.support.server import CALLS, EVENTS, of, said

DELAY_PACKETS = 10
"""The sound takes 200 ms to come back, besides the way over the network."""


class Loudspeaker(Sequence[bytes]):
    """Packets of a microphone: first the given ones, then those that its own client receives, each
    at its time of RTP and delayed. One that comes too late is not played, as in a real loudspeaker.
    """

    def __init__(self, first: list[bytes]) -> None:
        self._first = first
        self._silence = encode(np.zeros(960 * 3, np.float32))[-1]
        self._taken = 0
        self._ahead: int | None = None
        """Packets from the beginning of RTP's clock to that of ours, delay included."""
        self._waiting: dict[int, bytes] = {}
        self.client: RtcClient | None = None

    def __len__(self) -> int:
        return 1_000_000

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> list[bytes]: ...
    def __getitem__(self, index: int | slice) -> bytes | list[bytes]:
        assert isinstance(index, int)
        if index < len(self._first):
            return self._first[index]
        heard = self.client.packets[self._taken :] if self.client else []
        self._taken += len(heard)
        if heard and self._ahead is None:
            self._ahead = index + DELAY_PACKETS - heard[-1].timestamp // 960
        for packet in heard:
            self._waiting[packet.timestamp // 960 + (self._ahead or 0)] = packet.payload
        return self._waiting.pop(index, self._silence)


@asynccontextmanager
async def in_a_room(*, guard: bool) -> AsyncIterator[tuple[RunningServer, RtcClient]]:
    settings = Settings(
        http=HttpSettings(port=0),
        engines=QUICK,
        interpreter=InterpreterSettings(source="ru", target="en", own_voice_guard=guard),
    )
    room = Loudspeaker(encode(said("where is the train station", pause_s=0.6)))
    async with running(settings) as running_server:
        room.client = RtcClient(running_server.url + CALLS, packets=room, session=EVENTS)
        async with room.client as client:
            yield running_server, client


async def test_what_we_say_is_not_translated_again() -> None:
    async with in_a_room(guard=True) as (running_server, client):
        await client.until(lambda: bool(of(client, "x.warning", code="own_voice")))
        counted = running_server.metrics.registry.get_sample_value
        assert counted("rtc_segments_total", {"status": "own_voice"}) == 1
        spoken = of(client, "x.vad", state="speech")
        assert len(of(client, "x.segment", final=True)) < len(spoken)


async def test_without_the_guard_it_is() -> None:
    async with in_a_room(guard=False) as (_, client):
        await client.until(lambda: len(of(client, "x.segment", final=True)) >= 2)
