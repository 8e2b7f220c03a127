"""Journal of a session, kept outside its process, so that another process can continue it.

When a process is killed, its audio and speech are lost: the open segment, and translated speech
that was not yet played. The journal has the events that were sent, the settings, and the
transcript.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from msgspec.structs import replace

from rtc_server.errors import EngineCrashed
from rtc_server.events.client import SessionPatch
from rtc_server.events.segment_events import SegmentEvent, SegmentStatus
from rtc_server.session.event_log import SentEvent
from rtc_server.session.places import Place
from rtc_server.session.session_api import SessionRequest, TranscriptEntry

LOST_MESSAGE = "This sentence was lost when a part of the server failed. Please say it again."


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """State of a session, from its journal."""

    session_id: str
    request: SessionRequest
    """Request of the session, with its latest settings."""
    events: tuple[SentEvent, ...]
    """Last events that were sent, oldest first."""
    entries: tuple[TranscriptEntry, ...]
    """Segments understood so far."""
    unfinished: tuple[SegmentEvent, ...]
    """Latest captions of segments without a final one."""
    number: int
    """Number of the last event."""
    seq: int
    """Number of the last extension event."""
    segments: int
    """Number of segments so far."""
    position_samples: int
    """End of the received audio on the session's clock, or a little later."""
    began_s: float
    """Monotonic time of its beginning."""
    last_seen_s: float
    """Monotonic time at which the client was still connected."""


class SessionJournal(Protocol):
    """Journal of one session; each method returns at once."""

    def sent(self, event: SentEvent, seq: int) -> None:
        """Keep an event. `seq`: number of the last extension event."""

    def caption(self, event: SegmentEvent, wall_s: float) -> None:
        """Keep a caption, also of a client that does not want captions."""

    def changed(self, patch: SessionPatch) -> None:
        """Keep settings that the client changed."""

    def closed(self) -> None:
        """Forget the session: it has ended."""


MakeJournal: TypeAlias = Callable[[str, SessionRequest, Place, Callable[[], int]], SessionJournal]
"""Function that makes the journal of a new session, from its id, its request, its place, and a
callback for its position on the audio clock in samples."""


class _NoJournal:
    def sent(self, event: SentEvent, seq: int) -> None:
        """Do nothing: nothing is kept."""

    def caption(self, event: SegmentEvent, wall_s: float) -> None:
        """Do nothing: nothing is kept."""

    def changed(self, patch: SessionPatch) -> None:
        """Do nothing: nothing is kept."""

    def closed(self) -> None:
        """Do nothing: nothing was kept."""


NO_JOURNAL: SessionJournal = _NoJournal()


def no_journal(
    _session_id: str, _request: SessionRequest, _place: Place, _position: Callable[[], int]
) -> SessionJournal:
    """Return a journal that keeps nothing: a session ends with its process."""
    return NO_JOURNAL


def lost_caption(caption: SegmentEvent) -> SegmentEvent:
    """Return the final caption of a segment whose audio was lost."""
    return replace(
        caption,
        rev=caption.rev + 1,
        final=True,
        status=SegmentStatus.FAILED,
        source=replace(caption.source, text="", stable_chars=0),
        target=replace(caption.target, text="", stable_chars=0),
        message=LOST_MESSAGE,
        code=EngineCrashed.code,
    )
