"""One language of a room: who wants it, what it was told, and what interprets it meanwhile."""

import asyncio

from rtc_server.events.server import ExpiringEvent, SegmentEvent
from rtc_server.metrics import Metrics
from rtc_server.rooms.captions import CaptionTape
from rtc_server.rooms.channel import Member, Translation
from rtc_server.transport.base import EncodedFrame


class Language:
    """Outlives its interpretation, so that readers find its captions when they come back."""

    def __init__(self, tape: CaptionTape, metrics: Metrics, now_s: float) -> None:
        self.tape = tape
        self.members: set[Member] = set()
        self.translation: Translation | None = None
        """What interprets it now; never of the original."""
        self.work: asyncio.Task[None] | None = None
        """Runs `translation`."""
        self._warned: set[Member] = set()
        self._metrics = metrics
        self._wanted_s = now_s

    @property
    def is_heard(self) -> bool:
        """Whether anybody wants it by ear."""
        return any(member.hears for member in self.members)

    def join(self, member: Member) -> None:
        """Somebody wants it."""
        self.members.add(member)
        self._metrics.room_listeners.inc()

    def leave(self, member: Member) -> None:
        """Somebody does not want it any more. Harmless when said twice."""
        if member in self.members:
            self.members.discard(member)
            self._warned.discard(member)
            self._metrics.room_listeners.dec()

    def tell(self, event: SegmentEvent) -> None:
        """Give a caption to everybody."""
        caption = self.tape.write(event)
        for member in list(self.members):
            member.caption(caption)

    def warn(self, event: ExpiringEvent) -> None:
        """Tell everybody who was not told yet."""
        if unaware := self.members - self._warned:
            self._warned |= unaware
            caption = self.tape.write(event)
            for member in unaware:
                member.caption(caption)

    def all_clear(self) -> None:
        """The end is off: when it comes near again, it is news."""
        self._warned.clear()

    def packet(self, tick: int) -> EncodedFrame | None:
        """See `NextPacket`."""
        return self.translation.packet(tick) if self.translation else None

    def idle_s(self, now_s: float, *, wanted: bool) -> float:
        """For how long nobody has wanted it, as far as this was asked."""
        if wanted:
            self._wanted_s = now_s
        return now_s - self._wanted_s
