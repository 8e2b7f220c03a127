"""Transcript of one session, which can be read while it lasts and shortly after."""

from collections import OrderedDict, deque
from collections.abc import Iterable

from rtc_server.events.segment_events import SegmentEvent, SegmentStatus
from rtc_server.session.session_api import Owner, TranscriptEntry

MAX_SEGMENTS = 10_000
"""Most segments that are kept: about a day of talk."""
MAX_CHARS = 1_000_000
"""Most characters that are kept, of both texts together."""


class SessionTranscript:
    """Segments of one session, in the order of speaking. The oldest are dropped when it is full."""

    def __init__(self) -> None:
        self._segments: deque[TranscriptEntry] = deque()
        self._chars = 0
        self._begun: dict[str, float] = {}

    def add(self, event: SegmentEvent, wall_s: float) -> int:
        """Take a caption that is sent at `wall_s` (Unix time); keep final ones that were
        understood. Return how many older segments were dropped for it.
        """
        at_s = self._begun.setdefault(event.segment_id, wall_s)
        if not event.final:
            return 0
        del self._begun[event.segment_id]
        if event.status is not SegmentStatus.FINAL:
            return 0
        return self._keep(TranscriptEntry(at_s, event.source, event.target))

    def extend(self, entries: Iterable[TranscriptEntry]) -> None:
        """Add segments from before, of another process."""
        for entry in entries:
            self._keep(entry)

    def _keep(self, entry: TranscriptEntry) -> int:
        """Add a segment; return how many older ones were dropped for it."""
        dropped = 0
        self._segments.append(entry)
        self._chars += _chars(entry)
        while len(self._segments) > MAX_SEGMENTS or self._chars > MAX_CHARS:
            self._chars -= _chars(self._segments.popleft())
            dropped += 1
        return dropped

    @property
    def segments(self) -> tuple[TranscriptEntry, ...]:
        """Segments that are kept, oldest first."""
        return tuple(self._segments)

    @property
    def unfinished(self) -> int:
        """Number of segments with captions, but without a final one."""
        return len(self._begun)


def _chars(segment: TranscriptEntry) -> int:
    return len(segment.source.text) + len(segment.target.text)


class Archive:
    """Transcripts of ended sessions, until each is forgotten; the oldest are dropped first."""

    def __init__(self, max_sessions: int) -> None:
        self._max_sessions = max_sessions
        self._kept: OrderedDict[str, tuple[Owner, SessionTranscript]] = OrderedDict()

    def keep(self, session_id: str, owner: Owner, transcript: SessionTranscript) -> None:
        """Keep the transcript of a session that has just ended."""
        self._kept[session_id] = owner, transcript
        if len(self._kept) > self._max_sessions:
            self._kept.popitem(last=False)

    def forget(self, session_id: str) -> None:
        """Drop a transcript. Idempotent."""
        self._kept.pop(session_id, None)

    def find(self, session_id: str) -> tuple[Owner, SessionTranscript] | None:
        """Return owner and transcript of an ended session; None if it is not kept."""
        return self._kept.get(session_id)
