"""A bad network in one process: a seeded UDP proxy between a WebRTC client and a server.

``async with UdpProxy(seed=1, up=Path(loss=0.05)) as proxy`` opens one socket that faces the client
and one that faces the server. `rewrite_offer` and `rewrite_answer` put the proxy's addresses in the
place of the real ones, so that neither side ever learns where the other is. `up` (client to
server) and `down` may be changed while it runs. Decisions depend on the seed and on the order of
datagrams alone, never on time.
"""

import asyncio
import random
from dataclasses import dataclass
from typing import NamedTuple, Self, TypeAlias, cast

Address: TypeAlias = tuple[str, int]

_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Path:
    """Effects of one direction on datagrams. The default is a perfect path."""

    loss: float = 0.0
    """Share of datagrams lost, 0 to 1."""
    loss_burst: float = 1.0
    """Mean length of runs of loss (Gilbert model); 1 loses each datagram independently."""
    delay_ms: float = 0.0
    """Delay of every datagram."""
    jitter_ms: float = 0.0
    """Up to this much longer, uniformly; order is kept, as queues keep it."""
    reorder: float = 0.0
    """Share of datagrams held back for `reorder_ms` while others pass."""
    reorder_ms: float = 30.0
    """Delay of a reordered datagram."""
    duplicate: float = 0.0
    """Share of datagrams that arrive twice."""
    corrupt: float = 0.0
    """Share of datagrams with one bit flipped."""
    rate_kbps: float = 0.0
    """Bottleneck of the direction, in 1000 bits per second of payload; 0 has none."""
    queue_ms: float = 200.0
    """Longest wait before the bottleneck; a datagram that would wait longer is dropped."""
    blackhole: bool = False
    """True while nothing passes."""


class Delivery(NamedTuple):
    """A datagram and when it comes out."""

    due_s: float
    """Time of arrival, on the clock of `Link.send`."""
    data: bytes
    """Content, perhaps corrupted."""


class Link:
    """One direction, without sockets or a clock of its own."""

    def __init__(self, path: Path, seed: str | int) -> None:
        self.path = path
        """May be replaced at any time."""
        self.passed = 0
        """Number of datagrams delivered or on their way, duplicates included."""
        self.dropped = 0
        """Number of datagrams lost for any reason."""
        self._random = random.Random(seed)
        self._in_burst = False
        self._free_at_s = 0.0
        self._last_due_s = 0.0

    def send(self, data: bytes, now_s: float) -> list[Delivery]:
        """Return the deliveries of one datagram that enters at `now_s`."""
        path, draw = self.path, self._random.random
        # Always the same draws, so that one setting does not change the effects of the others.
        lost, jitter, held, twice, broken, where = (draw() for _ in range(6))
        if self._loses(lost) or path.blackhole:
            self.dropped += 1
            return []
        due_s = now_s
        if path.rate_kbps:
            start_s = max(now_s, self._free_at_s)
            if start_s - now_s > path.queue_ms / 1000:
                self.dropped += 1
                return []
            due_s = self._free_at_s = start_s + len(data) * 8 / (path.rate_kbps * 1000)
        due_s += (path.delay_ms + jitter * path.jitter_ms) / 1000
        if held < path.reorder:
            due_s += path.reorder_ms / 1000
        else:
            due_s = self._last_due_s = max(due_s, self._last_due_s)
        if broken < path.corrupt and data:
            data = _flip(data, int(where * len(data) * 8))
        copies = 2 if twice < path.duplicate else 1
        self.passed += copies
        return [Delivery(due_s, data)] * copies

    def _loses(self, draw: float) -> bool:
        path = self.path
        if path.loss_burst <= 1 or path.loss in (0.0, 1.0):
            return draw < path.loss
        if self._in_burst:
            self._in_burst = draw >= 1 / path.loss_burst
        else:
            self._in_burst = draw < path.loss / (1 - path.loss) / path.loss_burst
        return self._in_burst


def _flip(data: bytes, bit: int) -> bytes:
    broken = bytearray(data)
    broken[bit // 8] ^= 1 << bit % 8
    return bytes(broken)


class _Socket(asyncio.DatagramProtocol):
    """One of the two sockets of the proxy."""

    def __init__(self, proxy: "UdpProxy", from_client: bool) -> None:
        self._proxy = proxy
        self._from_client = from_client
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, source: Address) -> None:
        self._proxy._arrived(data, source, self._from_client)

    def error_received(self, exception: Exception) -> None:
        """Do nothing: the far end's port is closed, and nobody would have received it."""

    @property
    def address(self) -> Address:
        assert self._transport is not None
        host, port = self._transport.get_extra_info("sockname")[:2]
        return host, port

    def send(self, data: bytes, to: Address) -> None:
        if self._transport is not None:
            self._transport.sendto(data, to)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None


class UdpProxy:
    """UDP proxy between one client and one server. Leaving it closes its sockets and drops the
    datagrams in it.
    """

    def __init__(self, *, seed: int, up: Path | None = None, down: Path | None = None) -> None:
        self._up = Link(up or Path(), f"{seed} up")
        self._down = Link(down or Path(), f"{seed} down")
        self._client: Address | None = None
        self._server: Address | None = None
        self._underway: set[asyncio.TimerHandle] = set()
        self._facing_client: _Socket
        self._facing_server: _Socket

    async def __aenter__(self) -> Self:
        self._facing_client = await self._open(from_client=True)
        self._facing_server = await self._open(from_client=False)
        return self

    async def __aexit__(self, *exception: object) -> None:
        for handle in self._underway:
            handle.cancel()
        self._facing_client.close()
        self._facing_server.close()
        await asyncio.sleep(0)  # transports close on the loop's next turn

    @property
    def up(self) -> Path:
        """Client to server."""
        return self._up.path

    @up.setter
    def up(self, path: Path) -> None:
        self._up.path = path

    @property
    def down(self) -> Path:
        """Server to client."""
        return self._down.path

    @down.setter
    def down(self, path: Path) -> None:
        self._down.path = path

    @property
    def passed(self) -> tuple[int, int]:
        """Datagrams delivered, up and down."""
        return self._up.passed, self._down.passed

    @property
    def dropped(self) -> tuple[int, int]:
        """Datagrams lost, up and down."""
        return self._up.dropped, self._down.dropped

    @property
    def address(self) -> Address:
        """Address that the client sends to."""
        return self._facing_client.address

    @property
    def source(self) -> Address:
        """Address at which the server sees the client."""
        return self._facing_server.address

    def connect(self, server: Address) -> None:
        """Forward to this server; `rewrite_answer` does it for WebRTC."""
        self._server = server

    def rewrite_offer(self, sdp: str) -> str:
        """The offer as the server shall see it: the client is where the proxy is."""
        sdp, self._client = _replace_candidates(sdp, self.source)
        return sdp

    def rewrite_answer(self, sdp: str) -> str:
        """The answer as the client shall see it: the server is where the proxy is."""
        sdp, self._server = _replace_candidates(sdp, self.address)
        return sdp

    async def rebind(self) -> None:
        """Give the client another source port, as a NAT does that forgot it.

        What the server sends to the old one is lost.
        """
        old, self._facing_server = self._facing_server, await self._open(from_client=False)
        old.close()

    async def _open(self, *, from_client: bool) -> _Socket:
        loop = asyncio.get_running_loop()
        _, protocol = await loop.create_datagram_endpoint(
            lambda: _Socket(self, from_client), local_addr=(_LOOPBACK, 0)
        )
        return protocol

    def _arrived(self, data: bytes, source: Address, from_client: bool) -> None:
        if from_client:
            self._client = source
        elif source != self._server:
            return
        link = self._up if from_client else self._down
        loop = asyncio.get_running_loop()
        now_s = loop.time()
        for due_s, datagram in link.send(data, now_s):
            if due_s <= now_s:
                self._deliver(datagram, from_client)
            else:
                self._later(due_s, datagram, from_client)

    def _later(self, due_s: float, datagram: bytes, from_client: bool) -> None:
        def deliver() -> None:
            self._underway.discard(handle)
            self._deliver(datagram, from_client)

        handle = asyncio.get_running_loop().call_at(due_s, deliver)
        self._underway.add(handle)

    def _deliver(self, datagram: bytes, from_client: bool) -> None:
        if from_client and self._server is not None:
            self._facing_server.send(datagram, self._server)
        elif not from_client and self._client is not None:
            self._facing_client.send(datagram, self._client)


def _replace_candidates(sdp: str, address: Address) -> tuple[str, Address | None]:
    """SDP whose only candidate is `address`, in each section that had one; and its first own.

    IPv4 over UDP only: others are left out, as are addresses elsewhere in the SDP, which ICE does
    not use.
    """
    lines, original = [], None
    section_has_one = False
    for line in sdp.splitlines():
        if line.startswith("m="):
            section_has_one = False
        if line.startswith("a=candidate:"):
            fields = line.split()
            usable = fields[1] == "1" and fields[2].lower() == "udp" and ":" not in fields[4]
            if not usable or section_has_one:
                continue
            section_has_one = True
            if not fields[4].endswith(".local"):
                original = original or (fields[4], int(fields[5]))
            fields[4:6] = [address[0], str(address[1])]
            line = " ".join(fields[:8])  # noqa: PLW2901 - a host candidate, whatever it was
            line = line.replace(f"typ {fields[7]}", "typ host")  # noqa: PLW2901
        lines.append(line)
    return "\r\n".join(lines) + "\r\n", original


BLACK_HOLE = Path(loss=1.0)
