"""Usage of one session, for billing: its time, and how much text. Never the text itself."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, Protocol, TypeAlias

from rtc_server.events.segment_events import (
    SegmentEvent,
    SegmentStatus,
    SourceCaption,
    TargetCaption,
)
from rtc_server.session.session_api import TranscriptEntry


@dataclass(frozen=True, slots=True)
class PairUsage:
    """Translation from one language to another within a session."""

    source: str
    target: str
    segments: int
    """Segments understood."""
    source_chars: int
    target_chars: int


@dataclass(frozen=True, slots=True)
class UsageRecord:
    """Usage of one session that has ended."""

    session: str
    """Id of the session. A receiver recognises by it a record that arrives twice."""
    key: str
    """Id of the API key, ``settings`` for ``--api-key``; empty on a server without keys."""
    started: str
    """RFC 3339, UTC."""
    ended: str
    seconds: float
    """Length, by the monotonic clock."""
    reason: str
    """Reason of the end, as in ``rtc_sessions_closed_total``."""
    pairs: tuple[PairUsage, ...]
    """Language pairs, in the order in which they were first used."""

    @property
    def record_id(self) -> str:
        """See `AccountRecord.record_id`."""
        return self.session


class AccountRecord(Protocol):
    """Usage of a session or a room: a data class of plain values, without any text."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def record_id(self) -> str:
        """Unique id, by which a receiver recognises a record that arrives twice."""


RecordUsage: TypeAlias = Callable[[AccountRecord], None]
"""Function that takes the record of a session or a room that has ended; returns at once."""


@dataclass(slots=True)
class _Counts:
    segments: int = 0
    source_chars: int = 0
    target_chars: int = 0


@dataclass(slots=True)
class UsageMeter:
    """Counts of one session so far."""

    session: str
    key: str
    began_s: float
    """Monotonic time of the beginning."""
    _pairs: dict[tuple[str, str], _Counts] = field(default_factory=dict)

    def add(self, event: SegmentEvent) -> None:
        """Count a caption if it is final and was understood."""
        if not event.final or event.status is not SegmentStatus.FINAL:
            return
        self._count(event.source, event.target)

    def _count(self, source: SourceCaption, target: TargetCaption) -> None:
        counts = self._pairs.setdefault((source.language, target.language), _Counts())
        counts.segments += 1
        counts.source_chars += len(source.text)
        counts.target_chars += len(target.text)

    def take_over(self, began_s: float, entries: Iterable[TranscriptEntry]) -> None:
        """Count what a killed process has done in this session."""
        self.began_s = began_s
        for entry in entries:
            self._count(entry.source, entry.target)

    def record(self, reason: str, now_s: float, wall_s: float) -> UsageRecord:
        """Return the record of a session that ends now."""
        seconds = now_s - self.began_s
        return UsageRecord(
            session=self.session,
            key=self.key,
            started=rfc3339(wall_s - seconds),
            ended=rfc3339(wall_s),
            seconds=round(seconds, 3),
            reason=reason,
            pairs=tuple(
                PairUsage(*pair, counts.segments, counts.source_chars, counts.target_chars)
                for pair, counts in self._pairs.items()
            ),
        )


def rfc3339(wall_s: float) -> str:
    """Return a Unix time in the format of RFC 3339: UTC, with milliseconds."""
    time = datetime.fromtimestamp(wall_s, UTC).isoformat(timespec="milliseconds")
    return time.replace("+00:00", "Z")
