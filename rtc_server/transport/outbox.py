"""Queue of messages that wait to be sent to a peer: bounded and in order. Pure."""

from collections import deque
from enum import Enum
from typing import Final, Generic, TypeVar

Message = TypeVar("Message", bound=str | bytes)
"""Type of a message: text for events, binary for a WebSocket's audio."""

MAX_MESSAGES: Final = 256
"""Messages that may wait."""
MAX_BYTES: Final = 512 * 1024
"""Bytes of messages that may wait."""


class Stored(Enum):
    """Outcome of putting a message into the outbox."""

    KEPT = "kept"
    """The message waits for its turn."""
    DROPPED = "dropped"
    """The message was droppable, and there was no room and nothing else to drop."""
    OVERFLOW = "overflow"
    """The message was not kept and must not be dropped: the peer is too slow."""


class Outbox(Generic[Message]):
    """Queue of messages to one peer."""

    def __init__(self) -> None:
        self._messages: deque[tuple[Message, int, bool]] = deque()
        self._size_bytes = 0
        self.dropped = 0
        """Messages dropped since the start."""

    def __len__(self) -> int:
        return len(self._messages)

    def put(self, message: Message, *, droppable: bool, unread: bool = False) -> Stored:
        """Append one message, dropping the oldest droppable ones when there is no room.

        With `unread` (the peer has opened no channel yet) the oldest of any kind are dropped.
        """
        size = len(message.encode() if isinstance(message, str) else message)
        while len(self._messages) >= MAX_MESSAGES or self._size_bytes + size > MAX_BYTES:
            if not self._drop_oldest(any_kind=unread):
                if not droppable:
                    return Stored.OVERFLOW
                self.dropped += 1
                return Stored.DROPPED
        self._messages.append((message, size, droppable))
        self._size_bytes += size
        return Stored.KEPT

    def take(self) -> Message:
        """Remove and return the oldest message. There must be one."""
        message, size, _ = self._messages.popleft()
        self._size_bytes -= size
        return message

    def _drop_oldest(self, *, any_kind: bool) -> bool:
        for i, (_, size, droppable) in enumerate(self._messages):
            if droppable or any_kind:
                del self._messages[i]
                self._size_bytes -= size
                self.dropped += 1
                return True
        return False
