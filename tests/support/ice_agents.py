"""ICE agents without real sockets, and the datagrams that they send."""

import asyncio
from typing import Any, cast

import pytest
from aioice import Candidate, stun
from aioice.ice import CandidatePair

from rtc_server.transport.datagram_reader import DatagramReader
from rtc_server.transport.gathering import IceOptions
from rtc_server.transport.guard import DatagramGuard
from rtc_server.transport.ice_agent import (
    IceAgent,
)
from rtc_server.transport.sdp_lines import RemoteCandidate
from rtc_server.transport.source_limiter import Source

State = CandidatePair.State


PEER = ("127.0.0.1", 40_000)


class Wire:
    """Datagram transport that keeps what is sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, Source]] = []
        self.is_full = False

    def sendto(self, data: bytes, addr: Source) -> None:
        self.sent.append((data, addr))

    def send(self, data: bytes, address: Source) -> bool:
        if not self.is_full:
            self.sendto(data, address)
        return not self.is_full


class Agent(IceAgent):
    """Agent without real sockets."""

    def __init__(
        self,
        address: str = "127.0.0.1",
        *,
        public_address: str = "",
        sockets: int = 2,
        is_peer_lite: bool = False,
    ) -> None:
        self.now_s = 0.0
        options = IceOptions((address,), public_address)
        super().__init__(
            options, lambda: self.now_s, DatagramReader(), ice_controlling=is_peer_lite
        )
        self.remote_username, self.remote_password = "peer", "p" * 22
        self._early_checks_done = self._local_candidates_end = True
        self.guards = [self.open("host", address, 5000 + n) for n in range(sockets)]

    def open(self, kind: str, address: str, port: int) -> DatagramGuard:
        guard = DatagramGuard(self)
        guard.transport = cast(Any, Wire())
        guard.local_candidate = Candidate("f", 1, "udp", 1, address, port, kind)
        self._protocols.append(guard)
        return guard

    async def try_to_connect(self) -> None:
        """Connect until the last check has been given up."""
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(60):
                await self.connect()

    @property
    def sent(self) -> list[tuple[bytes, Source]]:
        """Datagrams sent by all sockets."""
        return [each for guard in self._protocols for each in cast(Wire, guard.transport).sent]

    @property
    def wire(self) -> Wire:
        return cast(Wire, self.guards[0].transport)

    def check(self, source: Source, *, nominate: bool = False) -> None:
        """The peer checks us from `source`."""
        message = stun.Message(message_method=stun.Method.BINDING, message_class=stun.Class.REQUEST)
        if nominate:
            message.attributes["USE-CANDIDATE"] = None
        self.check_incoming(message, source, self.guards[0])

    def pair(self, source: Source, guard: DatagramGuard | None = None) -> CandidatePair:
        return next(
            each
            for each in self._check_list
            if each.remote_addr == source and each.protocol is (guard or self.guards[0])
        )

    async def stop(self) -> None:
        tasks = [each.task for each in self._check_list if each.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def candidate(port: int, address: str = "127.0.0.1") -> RemoteCandidate:
    return RemoteCandidate("f", 1, address, port, "host")
