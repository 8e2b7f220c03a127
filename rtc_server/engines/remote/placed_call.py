"""Record of an open call: the server that has it, and those that lost it."""

import asyncio
from dataclasses import dataclass, field

from rtc_server.engines.remote.pooled_server import PooledServer


@dataclass(slots=True)
class PlacedCall:
    """Open call of a pool."""

    began_s: float
    timer: asyncio.TimerHandle
    server: PooledServer | None = None
    """Server that has it; None while it waits for one."""
    lost_by: set[str] = field(default_factory=set)
    """Names of the servers that lost or refused it."""
    losses: int = 0
    """Number of servers that were lost with it."""
