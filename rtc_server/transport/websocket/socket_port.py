"""Interface between this transport and the HTTP library's WebSocket."""

from enum import Enum
from typing import Protocol


class Control(Enum):
    """Events of a socket besides messages."""

    ALIVE = "alive"
    """A ping or a pong came."""
    CLOSED = "closed"
    """The peer closed the WebSocket, or broke the protocol."""
    LOST = "lost"
    """The connection broke without a close."""


class Socket(Protocol):
    """An open WebSocket. One task receives, another one sends."""

    async def receive(self) -> str | bytes | Control:
        """Return the next whole message. While it is not called, the peer cannot send much more."""

    async def send(self, message: str | bytes) -> None:
        """Send text or binary; waits while the peer does not read.

        Raises:
            ConnectionError: it is closed.
        """

    async def ping(self) -> None:
        """Send a ping; the peer's pong is a sign of life.

        Raises:
            ConnectionError: it is closed.
        """

    async def close(self) -> None:
        """Close in order and wait a moment for the peer's close. Idempotent; takes limited time and
        never raises.
        """

    def abort(self) -> None:
        """Drop the connection now. Idempotent."""
