"""Journals of a worker's sessions: events are sent to the supervisor (`records`) at once.

The socket keeps what was sent, even if this process is killed in the next moment.
"""

from collections.abc import Callable
from dataclasses import astuple

from rtc_server.app.workers.codec import caption_json, patch_json, request_json
from rtc_server.app.workers.control import ControlChannel
from rtc_server.clock import Clock
from rtc_server.events.client import SessionPatch
from rtc_server.events.segment_events import SegmentEvent
from rtc_server.session.event_log import SentEvent
from rtc_server.session.journal import MakeJournal, SessionJournal
from rtc_server.session.places import Place
from rtc_server.session.session_api import SessionRequest


class ChannelJournal:
    """Implementation of `SessionJournal`. Entries without room are dropped and counted."""

    def __init__(
        self,
        session: str,
        channel: ControlChannel,
        position: Callable[[], int],
        on_drop: Callable[[], None],
    ) -> None:
        """`position`: on the session's audio clock, in samples."""
        self._session, self._channel = session, channel
        self._position, self._on_drop = position, on_drop

    def sent(self, event: SentEvent, seq: int) -> None:
        """See `SessionJournal.sent`."""
        self._post("sent", event=astuple(event), seq=seq, position_samples=self._position())

    def caption(self, event: SegmentEvent, wall_s: float) -> None:
        """See `SessionJournal.caption`."""
        caption = caption_json(event)
        self._post("caption", caption=caption, wall_s=wall_s, position_samples=self._position())

    def changed(self, patch: SessionPatch) -> None:
        """See `SessionJournal.changed`."""
        self._post("changed", patch=patch_json(patch))

    def closed(self) -> None:
        """See `SessionJournal.closed`."""
        self._channel.send("closed", session=self._session)

    def _post(self, kind: str, **fields: object) -> None:
        if not self._channel.post(kind, session=self._session, **fields):
            self._on_drop()


def journals(
    channel: ControlChannel,
    clock: Clock,
    number_of: Callable[[Place], int],
    on_drop: Callable[[], None],
) -> MakeJournal:
    """Return the factory of a worker's journals. `number_of`: a place's number at the desk."""

    def journal(
        session: str, request: SessionRequest, place: Place, position: Callable[[], int]
    ) -> SessionJournal:
        channel.send(
            "opened",
            session=session,
            place=number_of(place),
            request=request_json(request),
            began_s=clock(),
            end_s=place.lease.end_s,
            expires_at=place.lease.expires_at,
        )
        return ChannelJournal(session, channel, position, on_drop)

    return journal
