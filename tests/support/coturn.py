"""A real coturn on loopback, from Debian's package: STUN, and TURN over UDP, TCP and TLS."""

import asyncio
import contextlib
import re
import shutil
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

from aioice import stun

from rtc_server.transport import gathering
from tests.support.certificates import self_signed
from tests.support.ports import free_ports

SECRET = "coturns-static-auth-secret"
HOST = "127.0.0.1"
START_S = 30.0
EXAMPLE = Path(__file__).parents[2] / "deploy/coturn/turnserver.conf"
LIMITS = re.compile(r"^((?:denied-peer-ip|no-tcp|no-multicast|user-quota|total-quota)\S*)$", re.M)
"""Lines of that configuration that restrict users."""


@dataclass
class Coturn:
    """A running coturn."""

    port: int
    """Port for UDP and TCP."""
    tls_port: int
    certificate: Path
    """Certificate of the server, which is also its authority."""
    log: list[str] = field(default_factory=list)
    """Lines logged so far."""
    allocations: int = 0
    """Number of relays opened so far."""
    allocated: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once a relay was opened."""

    def note(self, line: str) -> None:
        """Keep the lines that coturn logs."""
        self.log.append(line)
        if "ALLOCATE processed, success" in line:
            self.allocations += 1
            self.allocated.set()

    @property
    def udp(self) -> str:
        """Entry for ``--ice-servers``, without a user; the next two likewise."""
        return f"turn:{HOST}:{self.port}"

    @property
    def tcp(self) -> str:
        return f"turn:{HOST}:{self.port}?transport=tcp"

    @property
    def tls(self) -> str:
        return f"turns:{HOST}:{self.tls_port}?transport=tcp"

    @property
    def stun(self) -> str:
        return f"stun:{HOST}:{self.port}"


@contextlib.asynccontextmanager
async def coturn(folder: Path, *, limited: bool = True) -> AsyncIterator[Coturn]:
    """Run coturn until the block ends; `folder` takes its files. `limited`: with the restrictions
    of deploy/coturn/turnserver.conf, for a server on loopback.
    """
    program = shutil.which("turnserver")
    assert program, "coturn is missing: apt-get install coturn"
    certificate, key = self_signed(folder)
    with free_ports(2) as (plain, tls):
        async with _running(program, folder, Coturn(plain, tls, certificate), key, limited) as one:
            yield one


@contextlib.asynccontextmanager
async def _running(
    program: str, folder: Path, server: Coturn, key: Path, limited: bool
) -> AsyncIterator[Coturn]:
    limits = [f"--{line}" for line in LIMITS.findall(EXAMPLE.read_text("utf-8"))]
    assert len(limits) > 20, f"{EXAMPLE} has another form"
    process = await asyncio.create_subprocess_exec(
        program,
        *([*limits, f"--allowed-peer-ip={HOST}"] if limited else []),
        "-n",  # no configuration file
        f"--listening-ip={HOST}",
        f"--relay-ip={HOST}",
        f"--listening-port={server.port}",
        f"--tls-listening-port={server.tls_port}",
        "--allow-loopback-peers",
        "--no-cli",
        "--no-dtls",
        "--relay-threads=1",
        "--use-auth-secret",
        f"--static-auth-secret={SECRET}",
        "--realm=test.example",
        f"--cert={server.certificate}",
        f"--pkey={key}",
        f"--userdb={folder / 'turn.db'}",
        f"--pidfile={folder / 'turn.pid'}",
        "--log-file=stdout",
        "--simple-log",
        "--verbose",
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    reading = asyncio.create_task(_read(process.stdout, server))
    try:
        async with asyncio.timeout(START_S):
            await _answers(server.port)
        # a busy machine is no fault of the server: callers wait
        with mock.patch.object(gathering, "SERVER_TIMEOUT_S", START_S):
            yield server
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await reading


async def _read(stream: asyncio.StreamReader, server: Coturn) -> None:
    while line := await stream.readline():
        server.note(line.decode(errors="replace").rstrip())


async def _answers(port: int) -> None:
    """Wait until coturn answers a STUN request and accepts TCP."""
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.setblocking(False)
        while True:
            request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
            await loop.sock_sendto(asking, bytes(request), (HOST, port))
            with contextlib.suppress(TimeoutError, ConnectionError):
                await asyncio.wait_for(loop.sock_recv(asking, 1500), 0.2)
                _, writer = await asyncio.open_connection(HOST, port)
                writer.close()
                await writer.wait_closed()
                return
            await asyncio.sleep(0.05)
