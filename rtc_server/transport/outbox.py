"""Messages that wait for the peer. Pure: bounded, in order, droppable ones go first."""

from collections import deque
from enum import Enum
from typing import Final, Generic, TypeVar

Message = TypeVar("Message", bound=str | bytes)
"""Events are text; a WebSocket's audio may be binary."""

MAX_MESSAGES: Final = 256
MAX_BYTES: Final = 512 * 1024


class Stored(Enum):
    """Outcome of putting a message into the outbox."""

    KEPT = "kept"
    """Waits its turn."""
    DROPPED = "dropped"
    """There was no room, and it was droppable."""
    OVERFLOW = "overflow"
    """There was no room and nothing to drop: the peer is too slow."""


class Outbox(Generic[Message]):
    """A queue of messages."""

    def __init__(self) -> None:
        self._messages: deque[tuple[Message, int, bool]] = deque()
        self._size_bytes = 0
        self.dropped = 0
        """Messages dropped since the start."""

    def __len__(self) -> int:
        return len(self._messages)

    def put(self, message: Message, *, droppable: bool, unread: bool = False) -> Stored:
        """Append one message, dropping the oldest droppable ones when there is no room.

        While `unread`, when nobody is there to be too slow, the oldest of any kind are dropped.
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
