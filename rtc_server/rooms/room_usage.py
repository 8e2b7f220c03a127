"""Usage of one room, for billing: times of the speaker and the audience. Never a text."""

from collections.abc import Iterable
from dataclasses import dataclass

from rtc_server.clock import Clock
from rtc_server.events.segment_events import SegmentEvent, SegmentStatus
from rtc_server.session.usage import rfc3339


@dataclass(frozen=True, slots=True)
class LanguageUsage:
    """Usage of one language of a room, which may be the original."""

    language: str
    listener_seconds: float
    """Sum of the times of all its listeners."""
    reader_seconds: float
    """Sum of the times of all its readers."""
    segments: int
    """Segments translated into it and understood; 0 for the original."""
    source_chars: int
    target_chars: int


@dataclass(frozen=True, slots=True)
class RoomUsageRecord:
    """Usage of one room that has closed."""

    room: str
    """Id of the room. A receiver recognises by it a record that arrives twice."""
    key: str
    """Id of the API key, as in the record of a session."""
    started: str
    """RFC 3339, UTC."""
    ended: str
    seconds: float
    """Length, by the monotonic clock."""
    speaker_seconds: float
    """Time with a speaker."""
    source: str
    """Language that was spoken."""
    languages: tuple[LanguageUsage, ...]
    """Languages that had members or translations."""

    @property
    def record_id(self) -> str:
        """See `AccountRecord.record_id`."""
        return self.room


@dataclass(slots=True)
class _LanguageCounts:
    """Counts of one language so far."""

    listener_s: float = 0.0
    reader_s: float = 0.0
    segments: int = 0
    source_chars: int = 0
    target_chars: int = 0


class RoomMeter:
    """Counts of one room so far."""

    def __init__(self, key: str, source: str, codes: Iterable[str], clock: Clock) -> None:
        """`codes`: all languages of the room."""
        self._key, self._source, self._clock = key, source, clock
        self._began_s = clock()
        self._spoken_s = 0.0
        self._speaks_since_s: float | None = None
        self.had_speaker = False
        """True once a speaker's offer was answered; without one there is no record."""
        self._counts = {code: _LanguageCounts() for code in codes}
        self._wanted: set[str] = set()
        self._here: dict[object, float] = {}
        """Members, and the times at which they came."""

    def speaker_came(self) -> None:
        """Note that there is a speaker. Idempotent."""
        self.had_speaker = True
        if self._speaks_since_s is None:
            self._speaks_since_s = self._clock()

    def speaker_left(self) -> None:
        """Note that there is no speaker any more. Idempotent."""
        if self._speaks_since_s is not None:
            self._spoken_s += self._clock() - self._speaks_since_s
            self._speaks_since_s = None

    def member_came(self, member: object) -> None:
        """Note that a listener or reader has come."""
        self._here.setdefault(member, self._clock())

    def member_left(self, member: object, code: str, *, hears: bool) -> None:
        """Count the time of a member who leaves. Idempotent; ignores one who never came."""
        since_s = self._here.pop(member, None)
        if since_s is None:
            return
        self._wanted.add(code)
        counts = self._counts[code]
        if hears:
            counts.listener_s += self._clock() - since_s
        else:
            counts.reader_s += self._clock() - since_s

    def add(self, code: str, event: SegmentEvent) -> None:
        """Count a translation if it is final and was understood."""
        if not event.final or event.status is not SegmentStatus.FINAL:
            return
        self._wanted.add(code)
        counts = self._counts[code]
        counts.segments += 1
        counts.source_chars += len(event.source.text)
        counts.target_chars += len(event.target.text)

    def record(self, room_id: str, wall_s: float) -> RoomUsageRecord:
        """Return the record of a room that closes now. `room_id` is its id in the log."""
        self.speaker_left()
        seconds = self._clock() - self._began_s
        return RoomUsageRecord(
            # The id of the log is short; with the time it is unique.
            room=f"room_{room_id}_{round(wall_s)}",
            key=self._key,
            started=rfc3339(wall_s - seconds),
            ended=rfc3339(wall_s),
            seconds=round(seconds, 3),
            speaker_seconds=round(self._spoken_s, 3),
            source=self._source,
            languages=tuple(
                LanguageUsage(
                    code,
                    round(each.listener_s, 3),
                    round(each.reader_s, 3),
                    each.segments,
                    each.source_chars,
                    each.target_chars,
                )
                for code, each in self._counts.items()
                if code in self._wanted
            ),
        )
