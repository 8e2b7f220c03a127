"""Rules of admission: the number of places that each caller may hold.

Pure: its methods are called with what happens to each place. A place is held from admission to the
end of a session, a room's speaker or a room's listener. There are four limits besides those of a
key (`quota`): on all places, on those of one key while there are other keys, of one client secret,
and of one address. A caller at a limit is not refused while it holds a place without a client: that
place is ended and given to the new call.
"""

from dataclasses import dataclass, field

from rtc_server.errors import AdmissionRefused, RateLimited
from rtc_server.session.place_limits import (
    UNCONNECTED,
    Turnover,
    address_refusal,
    most_of_one_key,
    secret_refusal,
    server_refusal,
)
from rtc_server.session.places import Kind, Place, PlaceState, RoomPlace
from rtc_server.session.quota import Lease, Quotas
from rtc_server.session.session_api import Claimant, engines_busy
from rtc_server.session.waiting_line import WaitingLine

RETRY_ROOMS_FULL_S = 30
"""Seconds after which to try again when all rooms are taken."""


@dataclass(frozen=True, slots=True)
class AdmissionLimits:
    """Limits of the whole server."""

    sessions: int
    """Sessions at once."""
    address_sessions: int = 0
    """Sessions and speakers of one address at once; 0 for half of `sessions`."""

    @property
    def per_address(self) -> int:
        """Limit that applies to one address."""
        return self.address_sessions or max(self.sessions // 2, UNCONNECTED)


@dataclass(slots=True)
class Admission:
    """Places that are held now: of sessions, and of the speakers and listeners of rooms."""

    limits: AdmissionLimits
    quotas: Quotas = field(default_factory=Quotas)
    _places: dict[Place, None] = field(default_factory=dict)
    _rooms: dict[RoomPlace, None] = field(default_factory=dict)
    _turnover: Turnover = field(default_factory=Turnover)
    _line: WaitingLine = field(init=False)

    def __post_init__(self) -> None:
        self._line = WaitingLine(self.limits.sessions, self.limits.per_address)

    async def claim(
        self, kind: Kind, claimant: Claimant, now_s: float, wall_s: float, *, busy_s: int = 0
    ) -> Place:
        """See `AdmissionDesk.claim`; never waits."""
        return self.admit(kind, claimant, now_s, wall_s, busy_s=busy_s)

    async def check_claim(
        self, kind: Kind, claimant: Claimant, now_s: float, wall_s: float, *, busy_s: int = 0
    ) -> None:
        """See `AdmissionDesk.check_claim`; never waits."""
        self.check(kind, claimant, now_s, wall_s, busy_s=busy_s)

    async def claim_room(self, claimant: Claimant, most: int) -> RoomPlace:
        """See `AdmissionDesk.claim_room`; never waits."""
        return self.admit_room(claimant, most)

    def revoke(self, key: str) -> None:
        """See `AdmissionDesk.revoke`."""
        self.quotas.revoke(key)

    def admit_room(self, claimant: Claimant, most: int) -> RoomPlace:
        """Return a place for one more room, of `most` in all.

        Raises:
            RateLimited: the rest is kept for other keys.
            AdmissionRefused: all are taken.
        """
        key = claimant.owner.key
        if len(self._rooms) >= most:
            raise AdmissionRefused(
                f"All {most} rooms of this server are taken.", RETRY_ROOMS_FULL_S
            )
        own = sum(room.key == key for room in self._rooms)
        if claimant.has_rivals and own >= most_of_one_key(most):
            raise RateLimited(
                f"This key holds {own} of the {most} rooms of this server; the others are kept "
                "for other keys.",
                RETRY_ROOMS_FULL_S,
            )
        place = RoomPlace(key, lambda ended: self._rooms.pop(ended, None))
        self._rooms[place] = None
        return place

    def admit(
        self, kind: Kind, claimant: Claimant, now_s: float, wall_s: float, *, busy_s: int = 0
    ) -> Place:
        """Return a place for one more.

        Args:
            kind: purpose of the place.
            claimant: caller that asks for it.
            now_s: monotonic time.
            wall_s: Unix time.
            busy_s: seconds until the engines can carry another session, 0 for at once.

        Raises:
            RateLimited: the claimant is at a limit of its own.
            AdmissionRefused: all places are taken, the engines are busy, or others wait in line.
        """
        try:
            return self._admit(kind, claimant, now_s, wall_s, busy_s)
        except RateLimited as error:
            raise self._line.let_pass(claimant, error, now_s) from None

    def _admit(
        self, kind: Kind, claimant: Claimant, now_s: float, wall_s: float, busy_s: int
    ) -> Place:
        useless = self._way_in(kind, claimant, now_s, busy_s)
        if useless is not None:
            useless.end(now_s, wall_s)
            useless.give_up()
        if kind is Kind.LISTENER:  # the room's speaker counts for the key
            lease = Lease.unlimited(now_s, wall_s)
        else:
            lease = self.quotas.admit(claimant.owner.key, claimant.limits, now_s, wall_s)
        place = Place(kind, claimant, lease, self._forget)
        self._places[place] = None
        if kind is Kind.SESSION:
            self._line.enter(claimant, place, now_s)
        return place

    def check(
        self, kind: Kind, claimant: Claimant, now_s: float, wall_s: float, *, busy_s: int = 0
    ) -> None:
        """Raise what `admit` would raise; change nothing except the caller's turn in the line."""
        try:
            if self._way_in(kind, claimant, now_s, busy_s) is None and kind is not Kind.LISTENER:
                lease = self.quotas.admit(claimant.owner.key, claimant.limits, now_s, wall_s)
                lease.end(now_s, wall_s)
        except RateLimited as error:
            raise self._line.let_pass(claimant, error, now_s) from None

    @property
    def places(self) -> int:
        """Number of places that are held."""
        return len(self._places)

    def waiting(self, now_s: float) -> int:
        """Return the number of callers in line."""
        return self._line.waiting(now_s)

    def _forget(self, place: Place, now_s: float) -> None:
        if place in self._places:
            del self._places[place]
            if place.kind is Kind.SESSION:
                self._turnover.end(now_s)
                self._line.leave(place, now_s)

    def _way_in(self, kind: Kind, claimant: Claimant, now_s: float, busy_s: int) -> Place | None:
        """Do as `_place_to_free`; for a session also check the engines and its turn in the line."""
        if kind is not Kind.SESSION:
            return self._place_to_free(kind, claimant, now_s)
        if (opened := self._line.opened_by(claimant, now_s)) is not None:
            # Part of the same admission: the caller had its turn, and the engines had room.
            if (refused := self._refusal(kind, claimant, self._but(opened), now_s)) is not None:
                raise refused
            return opened
        refusal = engines_busy(busy_s) if busy_s else None
        if refusal is None:
            try:
                useless = self._place_to_free(kind, claimant, now_s)
            except RateLimited:
                raise
            except AdmissionRefused as full:
                refusal = full
            else:
                taken = sum(place.kind is Kind.SESSION for place in self._places)
                free = self.limits.sessions - taken
                if useless is not None or self._line.is_turn(claimant, free, now_s):
                    return useless
                refusal = AdmissionRefused(
                    "Others wait for the next place of this server. Try again soon.",
                    self._turnover.retry_after_s(now_s),
                )
        raise self._line.refuse(claimant, refusal, now_s, by_engines=busy_s > 0)

    def _place_to_free(self, kind: Kind, claimant: Claimant, now_s: float) -> Place | None:
        """Return the claimant's own place that must be ended first; None if there is room.

        Raises:
            AdmissionRefused: there is no room, and no such place.
        """
        refusal = self._refusal(kind, claimant, list(self._places), now_s)
        if refusal is None:
            return None
        for useless in self._useless(claimant):
            if self._refusal(kind, claimant, self._but(useless), now_s) is None:
                return useless
        raise refusal

    def _but(self, one: Place) -> list[Place]:
        return [place for place in self._places if place is not one]

    def _useless(self, claimant: Claimant) -> list[Place]:
        """Return places of the same client secret without a client: lost ones, oldest first, then
        those that have not connected, as a page that was reloaded leaves them."""
        if not claimant.owner.secret:
            return []  # many people may use one key
        own = [
            place
            for place in self._places
            if place.claimant.owner == claimant.owner and place.kind is Kind.SESSION
        ]
        lost = [place for place in own if place.state is PlaceState.LOST]
        return lost + [place for place in own if place.state is PlaceState.CONNECTING]

    def _refusal(
        self, kind: Kind, claimant: Claimant, places: list[Place], now_s: float
    ) -> AdmissionRefused | None:
        """Return the refusal of one more place besides `places`; None if there is room."""
        return (
            address_refusal(kind, claimant, places, self.limits.per_address)
            or secret_refusal(kind, claimant, places)
            or server_refusal(
                kind, claimant, places, self.limits.sessions, self._turnover.retry_after_s(now_s)
            )
        )
