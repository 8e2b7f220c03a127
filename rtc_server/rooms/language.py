"""One language of a room: its members, its captions, and its interpretation."""

import asyncio

from rtc_server.events.segment_events import SegmentEvent
from rtc_server.events.server import ExpiringEvent
from rtc_server.metrics import Metrics
from rtc_server.rooms.caption_tape import CaptionTape
from rtc_server.rooms.tracks import Member, TranslationTrack
from rtc_server.transport.transport_api import EncodedFrame


class RoomLanguage:
    """Language of a room. It outlives its interpretation, so that readers who come back get its
    captions.
    """

    def __init__(self, tape: CaptionTape, metrics: Metrics, now_s: float) -> None:
        self.tape = tape
        self.members: set[Member] = set()
        self.translation: TranslationTrack | None = None
        """Interpretation that is running; always None for the original language."""
        self.work: asyncio.Task[None] | None = None
        """Task that runs `translation`."""
        self._warned: set[Member] = set()
        self._metrics = metrics
        self._wanted_s = now_s

    @property
    def is_heard(self) -> bool:
        """True while anybody listens to it."""
        return any(member.hears for member in self.members)

    def join(self, member: Member) -> None:
        """Add a member."""
        was_heard = self.is_heard
        self.members.add(member)
        if self.is_heard and not was_heard and self.translation is not None:
            self.translation.announce_voice()
        self._metrics.room_listeners.inc()

    def leave(self, member: Member) -> None:
        """Remove a member. Idempotent."""
        if member in self.members:
            self.members.discard(member)
            self._warned.discard(member)
            self._metrics.room_listeners.dec()

    def publish(self, event: SegmentEvent) -> None:
        """Send a caption to every member."""
        caption = self.tape.write(event)
        for member in list(self.members):
            member.caption(caption)

    def warn(self, event: ExpiringEvent) -> None:
        """Send a warning to every member who has not received it yet."""
        connected = {member for member in self.members if member.is_connected}
        if unaware := connected - self._warned:
            self._warned |= unaware
            caption = self.tape.write(event)
            for member in unaware:
                member.caption(caption)

    def all_clear(self) -> None:
        """Forget that a warning was sent, so that it is sent again when the end is near again."""
        self._warned.clear()

    def packet(self, tick: int) -> EncodedFrame | None:
        """See `NextPacket`."""
        return self.translation.packet(tick) if self.translation else None

    def idle_s(self, now_s: float, *, wanted: bool) -> float:
        """Return the time since the last call with `wanted` true."""
        if wanted:
            self._wanted_s = now_s
        return now_s - self._wanted_s
