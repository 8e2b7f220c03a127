"""Admission in a worker: the supervisor decides, this process holds what it was given."""

import asyncio
import itertools

from rtc_server.app.workers.codec import claimant_json, refusal_of
from rtc_server.app.workers.control import ChannelClosed, ControlChannel, Fields, RequestFailed
from rtc_server.clock import Clock
from rtc_server.errors import NotReady
from rtc_server.session.admission import AdmissionLimits
from rtc_server.session.places import Kind, Place, PlaceState, RoomPlace
from rtc_server.session.quota import KeyState, Lease, Quotas
from rtc_server.session.session_api import Claimant

RETRY_S = 1
"""Seconds after which to try again when the supervisor is gone, and with it this worker soon."""


async def request_supervisor(channel: ControlChannel, kind: str, /, **fields: object) -> Fields:
    """Send a request to the supervisor; return its answer. Raises `NotReady`."""
    try:
        return await channel.request(kind, **fields)
    except ChannelClosed:
        raise NotReady("The server is stopping.", RETRY_S) from None
    except RequestFailed:
        raise NotReady("The server cannot answer now. Try again soon.", RETRY_S) from None


class SharedAdmission:
    """Implementation of `AdmissionDesk` that sends requests to the supervisor."""

    def __init__(
        self, channel: ControlChannel, limits: AdmissionLimits, clock: Clock, wall: Clock
    ) -> None:
        self._channel, self._limits = channel, limits
        self._clock, self._wall = clock, wall
        self._quotas = Quotas()
        self._numbers = itertools.count(1)
        self._places: dict[int, Place] = {}
        self._claiming: set[int] = set()
        """Numbers that were asked for, and not yet given away again."""

    @property
    def limits(self) -> AdmissionLimits:
        """Limits of the whole server."""
        return self._limits

    @property
    def places(self) -> int:
        """Number of places that are held here."""
        return len(self._places)

    async def claim(
        self, kind: Kind, claimant: Claimant, now_s: float, wall_s: float, *, busy_s: int = 0
    ) -> Place:
        """See `AdmissionDesk.claim`."""
        number = next(self._numbers)
        self._claiming.add(number)
        try:
            answer = await self._request(
                "claim",
                place=number,
                kind=kind.name,
                claimant=claimant_json(claimant),
                busy_s=busy_s,
            )
            if number not in self._claiming:  # given to somebody else before we could hold it
                raise NotReady("The place was needed for another call.", RETRY_S)
        except asyncio.CancelledError:
            self._channel.send("end", place=number)  # after the claim, in order
            raise
        finally:
            self._claiming.discard(number)
        return self._hold(number, kind, claimant, answer)

    async def check_claim(
        self, kind: Kind, claimant: Claimant, now_s: float, wall_s: float, *, busy_s: int = 0
    ) -> None:
        """See `AdmissionDesk.check_claim`."""
        fields = claimant_json(claimant)
        await self._request("check", kind=kind.name, claimant=fields, busy_s=busy_s)

    async def claim_room(self, claimant: Claimant, most: int) -> RoomPlace:
        """See `AdmissionDesk.claim_room`."""
        number = next(self._numbers)

        def end(_place: RoomPlace) -> None:
            self._channel.send("end_room", place=number)

        place = RoomPlace(claimant.owner.key, end)
        try:
            await self._request(
                "claim_room", place=number, claimant=claimant_json(claimant), most=most
            )
        except asyncio.CancelledError:
            place.end()
            raise
        return place

    def revoke(self, key: str) -> None:
        """See `AdmissionDesk.revoke`."""
        self._quotas.revoke(key)

    def take_over(self, kind: Kind, claimant: Claimant, fields: Fields) -> tuple[int, Place]:
        """Hold a place of a worker that is gone; return the number under which it is known here."""
        number = next(self._numbers)
        place = self._hold(number, kind, claimant, fields)
        place.state = PlaceState.LOST
        place.lease.go_on(fields["end_s"], fields["expires_at"])
        return number, place

    def number_of(self, place: Place) -> int:
        """Return the number of a place at the supervisor; 0 for one that it gave away."""
        return next((number for number, each in self._places.items() if each is place), 0)

    # ---------------------------------------------------------------- from the supervisor

    def give_up(self, fields: Fields) -> None:
        """Take ``give_up``: the place was given to somebody else."""
        self._claiming.discard(fields["place"])
        place = self._places.pop(fields["place"], None)
        if place is not None:
            place.lease.end(self._clock(), self._wall())
            place.give_up()

    def usage(self, fields: Fields) -> None:
        """Take ``usage``: other workers have more or fewer sessions of a key."""
        state = KeyState(**fields["usage"])
        self._quotas.follow(fields["key"], state, self._clock(), self._wall())

    # ---------------------------------------------------------------- places

    def _hold(self, number: int, kind: Kind, claimant: Claimant, answer: Fields) -> Place:
        now_s, wall_s = self._clock(), self._wall()
        if kind is Kind.LISTENER:
            lease = Lease.unlimited(now_s, wall_s)
        else:
            lease = self._quotas.join(claimant.owner.key, claimant.limits, now_s, wall_s)
            self.usage(answer)

        def forget(place: Place, _now_s: float) -> None:
            if self._places.pop(number, None) is not None:
                self._channel.send("end", place=number)

        def changed(state: PlaceState) -> None:
            if number in self._places:
                self._channel.send("place", place=number, state=state.name)

        place = Place(kind, claimant, lease, forget)
        place.on_state = changed
        self._places[number] = place
        return place

    async def _request(self, kind: str, /, **fields: object) -> Fields:
        answer = await request_supervisor(self._channel, kind, **fields)
        if "refused" in answer:
            raise refusal_of(answer)
        return answer
