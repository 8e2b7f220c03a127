"""Place of an open call among the engine servers."""

import asyncio
from dataclasses import dataclass, field

from rtc_server.engines.remote.pooled_server import PooledServer


@dataclass(slots=True)
class PlacedCall:
    """A call that is not answered yet."""

    began_s: float
    timer: asyncio.TimerHandle
    server: PooledServer | None = None
    """Server that has it; None while it waits for one."""
    lost_by: set[str] = field(default_factory=set)
    """Servers that it was lost by."""
    losses: int = 0
    """Times that it was lost."""
