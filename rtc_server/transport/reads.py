"""Size of the memory that one read of an event loop's transport asks for."""

import asyncio
from typing import Any, cast


def limit_read_bytes(transport: asyncio.BaseTransport, size: int) -> None:
    """Let each read make room for `size` bytes only, where the event loop allows it.

    asyncio allocates 256 KiB for each read, so much that the allocator asks the system for fresh
    pages each time. ``max_size`` is asyncio's own attribute: the transports of uvloop have none,
    and reuse one buffer of their own.
    """
    if hasattr(transport, "max_size"):
        cast(Any, transport).max_size = size
