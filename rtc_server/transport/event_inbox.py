"""Events from a data channel, handled no faster than a client may send them.

The rate is the same as on a WebSocket. What comes faster waits here. When the queue is full, SCTP
accepts nothing more, and the peer's own congestion control slows it down.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, TypeAlias

from rtc_server.transport.websocket.forms import EventIn, RefusedMessage
from rtc_server.transport.websocket.inbox import FLOOD, InboxPace, message_cost, size_bytes

WAITING_MESSAGES: Final = 512
WAITING_BYTES: Final = 1_000_000
"""Bytes of messages that may wait."""

Event: TypeAlias = EventIn | RefusedMessage


class EventInbox:
    """Queue of one peer's events. An event within the rate is passed to `handle` at once."""

    def __init__(self, handle: Callable[[Event], None]) -> None:
        self._handle = handle
        self._loop = asyncio.get_running_loop()
        self._pace = InboxPace()
        self._waiting: deque[Event] = deque()
        self._waiting_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._flood_reported = False

    @property
    def is_full(self) -> bool:
        """True while nothing more should be taken from the peer."""
        return len(self._waiting) >= WAITING_MESSAGES or self._waiting_bytes >= WAITING_BYTES

    def put(self, event: Event) -> None:
        """Pass an event on now, or when the rate allows it."""
        self._waiting.append(event)
        self._waiting_bytes += size_bytes(event)
        if self._timer is None:
            self._handle_next()

    def close(self) -> None:
        """Drop what waits, and pass nothing more on."""
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()

    def _handle_next(self) -> None:
        self._timer = None
        while self._waiting:
            wait_s = self._pace.take_message(message_cost(self._waiting[0]), self._loop.time())
            if wait_s:
                self._warn_of_flood()
                self._timer = self._loop.call_later(wait_s, self._handle_late)
                return
            self._handle_one()
        self._flood_reported = False

    def _handle_late(self) -> None:
        if self._waiting:
            self._handle_one()
        self._handle_next()

    def _handle_one(self) -> None:
        event = self._waiting.popleft()
        self._waiting_bytes -= size_bytes(event)
        self._handle(event)

    def _warn_of_flood(self) -> None:
        if not self._flood_reported:
            self._flood_reported = True
            self._handle(RefusedMessage(FLOOD))
