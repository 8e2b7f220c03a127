"""Forms of a WebSocket's messages: how audio and events are read and written. Pure."""

from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

MAX_EVENT_BYTES: Final = 16 * 1024
"""Largest client event, as on the data channel."""


@dataclass(frozen=True, slots=True)
class AudioIn:
    """Audio from the client."""

    pcm: bytes
    """Whole samples, mono Int16LE at the form's sample rate."""


@dataclass(frozen=True, slots=True)
class EventIn:
    """An event from the client."""

    text: str
    """JSON text of at most `MAX_EVENT_BYTES`, which the session parses."""


@dataclass(frozen=True, slots=True)
class RefusedMessage:
    """A message that was refused."""

    reason: str
    """Sentence for the client."""
    event_id: str | None = None
    """The client's own id of the message, if it gave one."""


Incoming: TypeAlias = AudioIn | EventIn | RefusedMessage


class Form(Protocol):
    """One way of putting audio and events into messages."""

    sample_rate: int
    """Samples per second of the audio, both ways."""
    block_frames: int
    """Frames of 20 ms in one outgoing audio message."""
    max_message_bytes: int
    """Largest message that is read at all."""

    def read(self, message: str | bytes) -> Incoming:
        """Return the content of a message."""

    def write(self, pcm: bytes, elapsed_ms: int) -> str | bytes:
        """Return an audio message.

        Args:
            pcm: mono Int16LE at `sample_rate`.
            elapsed_ms: length of the client's audio that was passed to the session so far.
        """


def event_in(text: str) -> EventIn | RefusedMessage:
    """Return an event, or its refusal when it is too long."""
    if len(text) > MAX_EVENT_BYTES or len(text.encode()) > MAX_EVENT_BYTES:
        return RefusedMessage(f"The event is longer than {MAX_EVENT_BYTES // 1024} kB.")
    return EventIn(text)
