"""Captions of one language of a room: written once, read by many, each at their own pace."""

import asyncio
from collections import deque
from dataclasses import dataclass

from rtc_server.events.segment_events import SegmentEvent
from rtc_server.events.server import ExpiringEvent, encode

RECENT_CAPTIONS = 3
"""Final captions that a member who joins gets at once."""
KEPT_CAPTIONS = 256
"""Final captions that are kept for readers who come back."""
READER_CAPTIONS = 64
"""Captions that may wait for one reader."""


@dataclass(frozen=True, slots=True)
class Caption:
    """One event for the members of a language."""

    id: str
    """Id within the server, which a reader sends back as ``Last-Event-ID``."""
    number: int
    """Number within the tape."""
    text: str
    """JSON of the event."""
    final: bool
    """True for a final caption, which a slow reader must not miss."""


class CaptionTape:
    """Captions of one language, with the last final ones."""

    def __init__(self, name: str) -> None:
        """`name`: unique among all tapes, including those of earlier runs of the server."""
        self._name = name
        self._number = 0
        self._finals: deque[Caption] = deque(maxlen=KEPT_CAPTIONS)

    def write(self, event: SegmentEvent | ExpiringEvent) -> Caption:
        """Encode an event once for all members, and keep it if it is a final caption."""
        self._number += 1
        number = self._number
        text = encode(event, event_id=f"event_{number}", seq=number)
        final = isinstance(event, SegmentEvent) and event.final
        caption = Caption(f"{self._name}.{number}", number, text, final)
        if caption.final:
            self._finals.append(caption)
        return caption

    @property
    def recent(self) -> list[Caption]:
        """Last final captions, for a member who joins."""
        return list(self._finals)[-RECENT_CAPTIONS:]

    def since(self, last_id: str | None) -> list[Caption]:
        """Return the final captions after `last_id`; without an id the most recent ones, and with
        an id of another tape all that are kept.
        """
        if last_id is None:
            return self.recent
        name, _, number = last_id.rpartition(".")
        known = name == self._name and number.isascii() and number.isdigit() and len(number) < 12
        after = int(number) if known else 0
        return [caption for caption in self._finals if caption.number > after]


class CaptionReader:
    """Queue of one reader; a `Member` that only reads.

    When it is full, the oldest partial is dropped for a newer caption. Finals are never dropped: a
    new partial is dropped if only finals wait.
    """

    hears = False
    is_connected = True

    def __init__(self, missed: list[Caption], source: str = "") -> None:
        """`source`: address of the reader; see `Member.source`."""
        self.source = source
        self._waiting = deque(missed)
        self._changed = asyncio.Event()
        self._closed = False
        self.dropped = 0
        """Number of captions dropped because this reader was too slow."""

    def caption(self, caption: Caption) -> None:
        """Queue a caption. A reader for whom too many final captions wait is closed; it can come
        back and request what it missed."""
        if self._closed:
            return
        if len(self._waiting) >= READER_CAPTIONS:
            self.dropped += 1
            partial = next((each for each in self._waiting if not each.final), None)
            if partial is None:
                if caption.final:
                    self.close()
                return
            self._waiting.remove(partial)
        self._waiting.append(caption)
        self._changed.set()

    def close(self) -> None:
        """End the queue: no more captions will come."""
        self._closed = True
        self._changed.set()

    @property
    def is_over(self) -> bool:
        """True if the queue has ended and nothing waits."""
        return self._closed and not self._waiting

    async def next(self, timeout_s: float) -> Caption | None:
        """Return the next caption; None after `timeout_s` without one, or if the queue is over."""
        while not self._waiting and not self._closed:
            self._changed.clear()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._changed.wait()
            except TimeoutError:
                return None
        return self._waiting.popleft() if self._waiting else None
