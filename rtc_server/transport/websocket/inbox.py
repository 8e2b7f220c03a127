"""Queue of the messages read from a WebSocket, and the pace at which they are handled. Pure.

After a network stalled, TCP delivers at once what was held back, and that audio must catch up. A
script may send a whole file at once, and must not cost more than a person who speaks.
"""

from collections import deque
from typing import Final, TypeAlias

from rtc_server.limits import Rate, TokenBucket
from rtc_server.transport.websocket.forms import AudioIn, EventIn, Incoming, RefusedMessage
from rtc_server.transport.websocket.socket_port import Control

READ_AHEAD_S: Final = 30.0
"""Audio that may wait here; beyond it the socket is not read. Pings are answered until then."""
READ_AHEAD_BYTES: Final = 4_000_000
"""Text and audio that may wait here: 30 s of events with long texts would need far more memory."""
CATCH_UP_S: Final = 10.0
"""Audio that is taken at once after a stall."""
RATE: Final = 1.1
"""Seconds of audio taken per second after that. A client's clock may be a little fast."""
MESSAGES_PER_S: Final = 1000
"""Audio messages taken per second, however short: 1 ms each is still real time. One costs 30 µs raw
and 60 µs as base64 (measured), so that such a client uses 3 to 6 % of a core."""
EVENT_COST: Final = 5
"""Audio messages that an event or a ping counts as: 200 of them per second are allowed."""
REFUSED_COST: Final = 200
"""Audio messages that a refused message counts as. No correct client sends many of those."""
OVERHEAD_BYTES: Final = 100
"""Memory of a waiting message in addition to the client's own bytes."""
FLOOD: Final = (
    "You send too many messages; they wait, and audio behind them is late. Put about 20 ms of "
    f"audio into each, and send at most {MESSAGES_PER_S // EVENT_COST} events a second."
)
"""Warning to a client whose messages are held back."""
AUDIO_AHEAD: Final = (
    "Audio comes faster than it is spoken: ten seconds are taken at once, then 1.1 each second. "
    "The rest waits. Send it as it is spoken, or no faster than the connection accepts it."
)
"""Warning to a client that sends a recording faster than real time."""


Waiting: TypeAlias = Incoming | Control
"""Message that waits. Pings are answered when they are read, but wait too, to slow a flood."""


def audio_seconds(message: Waiting, sample_rate: int) -> float:
    """Return the audio in a message, in seconds."""
    return len(message.pcm) / (2 * sample_rate) if isinstance(message, AudioIn) else 0.0


def message_cost(message: Waiting) -> int:
    """Return what a message counts against `MESSAGES_PER_S`."""
    match message:
        case AudioIn():
            return 1
        case RefusedMessage():
            return REFUSED_COST
    return EVENT_COST


def size_bytes(message: Waiting) -> int:
    """Return roughly the memory that a message takes: a character may take more than one byte."""
    match message:
        case AudioIn(pcm):
            return len(pcm) + OVERHEAD_BYTES
        case EventIn(text):
            return len(text) + OVERHEAD_BYTES
    return OVERHEAD_BYTES


class InboxPace:
    """Limits on the audio of one client and on the number of its messages.

    Both are counted separately: audio that comes in real time never waits, whatever the size of its
    messages and however many events come between them.
    """

    def __init__(self) -> None:
        self._audio = TokenBucket(Rate(CATCH_UP_S, RATE))
        self._messages = TokenBucket(Rate(MESSAGES_PER_S * CATCH_UP_S, MESSAGES_PER_S))

    def take_audio(self, audio_s: float, now_s: float) -> float:
        """Return the seconds to wait before `audio_s` more may be handled; 0 in real time."""
        return self._audio.overdraw(audio_s, now_s)

    def take_message(self, cost: int, now_s: float) -> float:
        """Return the seconds to wait before a message may be handled; see `message_cost`."""
        return self._messages.overdraw(cost, now_s)


class Inbox:
    """Queue of read messages, bounded by their audio, their number and their memory."""

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._messages: deque[Waiting] = deque()
        self._waiting_s = 0.0
        self._waiting_cost = 0
        self._waiting_bytes = 0

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def is_full(self) -> bool:
        """True while nothing more should be read."""
        return (
            self._waiting_s >= READ_AHEAD_S
            or self._waiting_cost >= READ_AHEAD_S * MESSAGES_PER_S
            or self._waiting_bytes >= READ_AHEAD_BYTES
        )

    def put(self, message: Waiting) -> None:
        """Append a message."""
        self._messages.append(message)
        self._waiting_s += audio_seconds(message, self._sample_rate)
        self._waiting_cost += message_cost(message)
        self._waiting_bytes += size_bytes(message)

    def take(self) -> Waiting:
        """Remove and return the oldest message. There must be one."""
        message = self._messages.popleft()
        self._waiting_s -= audio_seconds(message, self._sample_rate)
        self._waiting_cost -= message_cost(message)
        self._waiting_bytes -= size_bytes(message)
        return message
