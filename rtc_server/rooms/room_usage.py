"""Account of one room for whoever bills it: who spoke and listened how long. Never a text."""

from collections.abc import Iterable
from dataclasses import dataclass

from rtc_server.clock import Clock
from rtc_server.events.segment_events import SegmentEvent, SegmentStatus
from rtc_server.session.usage import rfc3339


@dataclass(frozen=True, slots=True)
class LanguageUsage:
    """One language of a room, the original among them."""

    language: str
    listener_seconds: float
    """Time of everybody who listened to it, added."""
    reader_seconds: float
    """Time of everybody who read its captions alone, added."""
    segments: int
    """Segments translated into it and understood; none of the original."""
    source_chars: int
    target_chars: int


@dataclass(frozen=True, slots=True)
class RoomUsageRecord:
    """One room that has closed."""

    room: str
    """Id of the room; one record has it, so a record that arrives twice is told by it."""
    key: str
    """Id of the API key, as in the record of a session."""
    started: str
    """RFC 3339, UTC."""
    ended: str
    seconds: float
    """Length, by a clock that nobody sets."""
    speaker_seconds: float
    """Time in which there was a speaker."""
    source: str
    """Language that is spoken."""
    languages: tuple[LanguageUsage, ...]
    """Languages that somebody wanted."""

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
        """`codes`: languages that may be wanted."""
        self._key, self._source, self._clock = key, source, clock
        self._began_s = clock()
        self._spoken_s = 0.0
        self._speaks_since_s: float | None = None
        self.had_speaker = False
        """True once there was a speaker, whose offer was answered: only then a record is due."""
        self._counts = {code: _LanguageCounts() for code in codes}
        self._wanted: set[str] = set()
        self._here: dict[object, float] = {}
        """Members, and since when each is there."""

    def speaker_came(self) -> None:
        """Note that there is a speaker. Idempotent."""
        self.had_speaker = True
        if self._speaks_since_s is None:
            self._speaks_since_s = self._clock()

    def speaker_left(self) -> None:
        """Note that there is none any more. Idempotent."""
        if self._speaks_since_s is not None:
            self._spoken_s += self._clock() - self._speaks_since_s
            self._speaks_since_s = None

    def member_came(self, member: object) -> None:
        """Note that somebody listens or reads from now on."""
        self._here.setdefault(member, self._clock())

    def member_left(self, member: object, code: str, *, hears: bool) -> None:
        """Count the time of a member of that language. Idempotent; of one who never came, none."""
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
        """Count a translation, once it is final and was understood."""
        if not event.final or event.status is not SegmentStatus.FINAL:
            return
        self._wanted.add(code)
        counts = self._counts[code]
        counts.segments += 1
        counts.source_chars += len(event.source.text)
        counts.target_chars += len(event.target.text)

    def record(self, room_id: str, wall_s: float) -> RoomUsageRecord:
        """Return the account of a room that closes now. `room_id` is its id in the log."""
        self.speaker_left()
        seconds = self._clock() - self._began_s
        return RoomUsageRecord(
            # The id of the log is short; with the time it is one of its own for ever.
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
