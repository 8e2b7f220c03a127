"""Captions of one language of a room: written once, read by many, each at their own pace."""

import asyncio
from collections import deque
from dataclasses import dataclass

from rtc_server.events.segment_events import SegmentEvent
from rtc_server.events.server import ExpiringEvent, encode

RECENT_CAPTIONS = 3
"""Final captions that whoever comes late is shown."""
KEPT_CAPTIONS = 256
"""Final captions kept for readers that come back."""
READER_CAPTIONS = 64
"""Captions that may wait for one reader."""


@dataclass(frozen=True, slots=True)
class Caption:
    """One event of a language."""

    id: str
    """Names it within the server: what comes back as ``Last-Event-ID``."""
    number: int
    """Counts up within the tape."""
    text: str
    """The event as JSON."""
    final: bool
    """True if a slow reader must not miss it."""


class CaptionTape:
    """Captions that the listeners of one language were sent."""

    def __init__(self, name: str) -> None:
        """`name` distinguishes this tape from all others, those of earlier servers included."""
        self._name = name
        self._number = 0
        self._finals: deque[Caption] = deque(maxlen=KEPT_CAPTIONS)

    def write(self, event: SegmentEvent | ExpiringEvent) -> Caption:
        """Encode it, once for everybody."""
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
        """The last final captions, for whoever comes late."""
        return list(self._finals)[-RECENT_CAPTIONS:]

    def since(self, last_id: str | None) -> list[Caption]:
        """Return final captions after that one; without an id the newest, of another tape all."""
        if last_id is None:
            return self.recent
        name, _, number = last_id.rpartition(".")
        known = name == self._name and number.isascii() and number.isdigit() and len(number) < 12
        after = int(number) if known else 0
        return [caption for caption in self._finals if caption.number > after]


class CaptionReader:
    """Queue of one reader: a partial makes room for what is newer, a final is never skipped, and a
    partial that finds only finals is dropped itself.

    Implements `Member` for those who only read.
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
        """Captions that did not wait for this reader."""

    def caption(self, caption: Caption) -> None:
        """Queue it. A reader that lets too many final captions wait is closed: it can come back
        and ask for what it missed."""
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
        """End the queue: no more will come."""
        self._closed = True
        self._changed.set()

    @property
    def is_over(self) -> bool:
        """True if there will be no more."""
        return self._closed and not self._waiting

    async def next(self, timeout_s: float) -> Caption | None:
        """Return the next caption; None when `timeout_s` passed without any, or it is over."""
        while not self._waiting and not self._closed:
            self._changed.clear()
            try:
                async with asyncio.timeout(timeout_s):
                    await self._changed.wait()
            except TimeoutError:
                return None
        return self._waiting.popleft() if self._waiting else None
