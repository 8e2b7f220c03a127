"""Lets an engine say that it is at work, between batches and between steps of decoding.

While a GPU computes, the engine's process may use no processor time at all, and on some systems
nobody can see how much it uses. An engine whose calls take longer than a moment calls `beat` where
it passes anyway; outside an engine's process that does nothing.
"""

from collections.abc import Callable
from contextvars import ContextVar

_sink: ContextVar[Callable[[], None] | None] = ContextVar("heartbeat", default=None)


def beat() -> None:
    """Report to the server that the engine is at work. Cheap enough for every step of a decode."""
    if (tell := _sink.get()) is not None:
        tell()


def send_beats_to(tell: Callable[[], None]) -> None:
    """Have `tell` called at every heartbeat of this thread. For the engine's process only."""
    _sink.set(tell)
