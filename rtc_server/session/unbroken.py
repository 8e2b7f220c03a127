"""Notice about speech without pauses, for example among other people's voices. Pure."""

from collections.abc import Iterable
from typing import Final

from rtc_server.events.server import WarningEvent
from rtc_server.interpreter.segments import EndCause, SegmenterEvent, SpeechEnded

CUTS: Final = 2
"""Segments in a row that must end only by their length."""
NO_PAUSE = WarningEvent(
    "no_pause",
    "No pause is heard in what is said, perhaps for voices around. Sentences are cut by their "
    "length. Push-to-talk says where they end.",
)


class UnbrokenSpeech:
    """Counter of cut segments in a row, which are reported once."""

    def __init__(self) -> None:
        self._cuts = 0
        self._reported = False

    def feed(self, events: Iterable[SegmenterEvent]) -> WarningEvent | None:
        """Count the cuts in these events; return the warning if it is due."""
        for event in events:
            if isinstance(event, SpeechEnded):
                is_cut = event.segment is not None and event.segment.cause is EndCause.CUT
                self._cuts = self._cuts + 1 if is_cut else 0
        if self._reported or self._cuts < CUTS:
            return None
        self._reported = True
        return NO_PAUSE
