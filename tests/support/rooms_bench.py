"""Rooms on transports without a network, and the usage records of their sessions."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from rtc_server.config import InterpreterSettings, RoomSettings, SegmenterSettings
from rtc_server.errors import BadOffer
from rtc_server.metrics import Metrics
from rtc_server.rooms.caption_tape import Caption, CaptionReader
from rtc_server.rooms.room_api import SpeakerRequest
from rtc_server.rooms.room_manager import RoomManager
from rtc_server.session.admission import Admission, AdmissionLimits
from rtc_server.session.quota import KeyLimits, Quotas
from rtc_server.session.services import Services
from rtc_server.session.session_api import Claimant, OpenedCall, Owner
from rtc_server.transport.sdp import Role
from rtc_server.transport.transport_api import CloseReason, NextPacket, TransportObserver
from tests.support.fakes import FakeAst, FakeTransport, FakeTts, LoudnessVad, joined, silence, tone
from tests.support.session_bench import Ready

ANNA, BORIS, KEY = Owner("key", "anna"), Owner("key", "boris"), Owner("key")
ONE = KeyLimits(sessions=1)
SENTENCE = joined([tone(1), silence(2)])


class StuckTransport(FakeTransport):
    """A peer that cannot close in order."""

    async def close(self, reason: CloseReason = CloseReason.LOCAL) -> None:
        raise RuntimeError("stuck")


@dataclass
class RoomsBench:
    """Rooms whose transports are all fake."""

    manager: RoomManager
    quotas: Quotas
    metrics: Metrics
    readiness: Ready
    transports: list[FakeTransport] = field(default_factory=list)
    usage: list[Any] = field(default_factory=list)
    """Accounts of the rooms that have closed."""

    async def speak(
        self, owner: Owner, offer: str = "offer", limits: KeyLimits = ONE
    ) -> OpenedCall:
        return await self.manager.speak(
            "hall", offer, SpeakerRequest(claimant=Claimant(owner, limits))
        )

    def total(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)

    def free_session(self) -> None:
        """Raise if the key has its one session open."""
        now_s = asyncio.get_running_loop().time()
        self.quotas.admit("key", ONE, now_s, now_s).end(now_s, now_s)


@asynccontextmanager
async def rooms_bench(
    tts: FakeTts | None = None, ast: FakeAst | None = None, **settings: float
) -> AsyncIterator[RoomsBench]:
    usage: list[Any] = []
    services = Services(
        ast=ast or FakeAst(),
        tts=tts or FakeTts(),
        make_vad=LoudnessVad,
        segmenter=SegmenterSettings(),
        interpreter=InterpreterSettings(),
        metrics=Metrics(),
        clock=asyncio.get_running_loop().time,
        record_usage=usage.append,
    )

    async def accept(
        offer: str, listener: TransportObserver, role: Role, next_packet: NextPacket | None
    ) -> FakeTransport:
        await asyncio.sleep(1.0 if offer == "slow" else 0.01)
        if offer == "bad":
            raise BadOffer("No audio.")
        transport = StuckTransport if offer == "stuck" else FakeTransport
        made.transports.append(transport(listener))
        return made.transports[-1]

    admission = Admission(AdmissionLimits(sessions=3))
    rooms = RoomSettings(**settings)  # type: ignore[arg-type]
    readiness = Ready()
    manager = RoomManager(services, accept, readiness, rooms, admission)
    made = RoomsBench(manager, admission.quotas, services.metrics, readiness, usage=usage)
    async with manager.open():
        yield made


async def next_final(reader: CaptionReader) -> Caption:
    while True:
        caption = await reader.next(10.0)
        assert caption is not None, "nothing was told"
        if caption.final:
            return caption
