"""Messages that were read and wait their turn, and how fast that comes. Pure.

TCP hands over at once what a stalled network held back, and a script may send a whole file in one
go. The first must catch up, the second must not cost more than a speaker does.
"""

from collections import deque
from typing import Final, TypeAlias

from rtc_server.transport.websocket.forms import AudioIn, EventIn, Incoming, Refused
from rtc_server.transport.websocket.socket import Control

READ_AHEAD_S: Final = 30.0
"""Audio that may wait here; beyond it the socket is not read. Pings are answered until then."""
READ_AHEAD_BYTES: Final = 4_000_000
"""Text and audio that may wait here: 30 s of small events with long texts would be far more."""
CATCH_UP_S: Final = 10.0
"""Audio taken at once after a stall."""
RATE: Final = 1.1
"""Seconds of audio taken per second after that: a client's clock may be a little fast."""
MIN_MESSAGE_S: Final = 0.005
"""What a message counts at least, so that floods of small ones are slowed too."""
REFUSED_S: Final = 0.2
"""What a message counts that cannot be read: nobody has many of them to send."""


Waiting: TypeAlias = Incoming | Control
"""Pings wait too: they are answered when read, but a flood of them has to be slowed."""


def audio_seconds(message: Waiting, sample_rate: int) -> float:
    """How much audio a message is, or counts as."""
    match message:
        case AudioIn(pcm):
            return max(len(pcm) / (2 * sample_rate), MIN_MESSAGE_S)
        case Refused():
            return REFUSED_S
    return MIN_MESSAGE_S


def size_bytes(message: Waiting) -> int:
    """What a message holds of the client's own bytes, roughly: text in memory may be wider."""
    match message:
        case AudioIn(pcm):
            return len(pcm)
        case EventIn(text):
            return len(text)
    return 0


class Pace:
    """A token bucket of seconds of audio."""

    def __init__(self, now_s: float) -> None:
        self._balance_s = CATCH_UP_S
        self._last_s = now_s

    def take(self, audio_s: float, now_s: float) -> float:
        """Seconds to wait before `audio_s` more may be handled; 0 for a client in real time."""
        gained_s = (now_s - self._last_s) * RATE
        self._last_s = now_s
        self._balance_s = min(CATCH_UP_S, self._balance_s + gained_s) - audio_s
        return max(0.0, -self._balance_s / RATE)


class Inbox:
    """A queue of read messages, bounded by their bytes and the audio they are or count as."""

    def __init__(self, sample_rate: int) -> None:
        self._sample_rate = sample_rate
        self._messages: deque[Waiting] = deque()
        self._waiting_s = 0.0
        self._waiting_bytes = 0

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def is_full(self) -> bool:
        """Whether nothing more should be read now."""
        return self._waiting_s >= READ_AHEAD_S or self._waiting_bytes >= READ_AHEAD_BYTES

    def put(self, message: Waiting) -> None:
        """Append one."""
        self._messages.append(message)
        self._waiting_s += audio_seconds(message, self._sample_rate)
        self._waiting_bytes += size_bytes(message)

    def take(self) -> Waiting:
        """Remove and return the oldest. There must be one."""
        message = self._messages.popleft()
        self._waiting_s -= audio_seconds(message, self._sample_rate)
        self._waiting_bytes -= size_bytes(message)
        return message
