"""Admission for all workers, in the supervisor: one `Admission` behind the control channels.

A place is identified by its worker and a number of that worker. The places of a worker that was
killed are kept as lost until its sessions continue in another one, or are given up.
"""

from collections.abc import Callable
from dataclasses import asdict

from rtc_server.app.workers.codec import claimant_of, refusal_json
from rtc_server.app.workers.control import Fields
from rtc_server.app.workers.placement import LISTENER_LOAD
from rtc_server.clock import Clock
from rtc_server.errors import AdmissionRefused
from rtc_server.session.admission import Admission
from rtc_server.session.places import Kind, Place, PlaceState, RoomPlace

Address = tuple[int, int]
"""Worker, and its number for the place."""


class Desk:
    """Handlers of the workers' messages about places. `send` sends a message to one worker."""

    def __init__(
        self,
        admission: Admission,
        clock: Clock,
        wall: Clock,
        send: Callable[[int, str, Fields], None],
    ) -> None:
        self._admission, self._clock, self._wall, self._send = admission, clock, wall, send
        self._places: dict[Address, Place] = {}
        self._rooms: dict[Address, RoomPlace] = {}
        self.on_given_away: Callable[[int], None] = lambda _worker: None
        """Callback with the worker whose place was given to another call."""

    def claim(self, worker: int, fields: Fields) -> Fields:
        """Answer ``claim``: a place with the number of the question, or a refusal."""
        kind, claimant = Kind[fields["kind"]], claimant_of(fields["claimant"])
        try:
            place = self._admission.admit(
                kind, claimant, self._clock(), self._wall(), busy_s=fields["busy_s"]
            )
        except AdmissionRefused as error:
            return refusal_json(error)
        address = worker, fields["place"]
        place.give_up = lambda: self._give_up(place)
        self._places[address] = place
        return self._usage_changed(place, but=worker)

    def check(self, _worker: int, fields: Fields) -> Fields:
        """Answer ``check``."""
        kind, claimant = Kind[fields["kind"]], claimant_of(fields["claimant"])
        try:
            self._admission.check(
                kind, claimant, self._clock(), self._wall(), busy_s=fields["busy_s"]
            )
        except AdmissionRefused as error:
            return refusal_json(error)
        return {}

    def claim_room(self, worker: int, fields: Fields) -> Fields:
        """Answer ``claim_room``."""
        claimant = claimant_of(fields["claimant"])
        try:
            self._rooms[worker, fields["place"]] = self._admission.admit_room(
                claimant, fields["most"]
            )
        except AdmissionRefused as error:
            return refusal_json(error)
        return {}

    def state(self, worker: int, fields: Fields) -> None:
        """Handle ``place``: the new state of a place's transport."""
        if (place := self._places.get((worker, fields["place"]))) is not None:
            place.enter(PlaceState[fields["state"]])

    def end(self, worker: int, fields: Fields) -> None:
        """Handle ``end``: a place is free."""
        self.end_place((worker, fields["place"]))

    def end_room(self, worker: int, fields: Fields) -> None:
        """Handle ``end_room``."""
        if (room := self._rooms.pop((worker, fields["place"]), None)) is not None:
            room.end()

    def load(self, worker: int) -> float:
        """Return the load of a worker's places."""
        return sum(
            LISTENER_LOAD if place.kind is Kind.LISTENER else 1.0
            for (owner, _), place in self._places.items()
            if owner == worker
        )

    def lose(self, worker: int, kept: set[int]) -> None:
        """Free the places of a worker that is gone, except those in `kept`, which wait as lost."""
        for owner, number in list(self._rooms):
            if owner == worker:
                self.end_room(worker, {"place": number})
        for address, place in list(self._places.items()):
            if address[0] != worker:
                continue
            if address[1] in kept and place.state is not PlaceState.CONNECTING:
                place.enter(PlaceState.LOST)
            else:
                self.end_place(address)

    def holds(self, address: Address) -> bool:
        """Return True while that place is held."""
        return address in self._places

    def move(self, old: Address, new: Address) -> None:
        """Give a lost place to another worker."""
        self._places[new] = self._places.pop(old)

    def usage(self, worker: int, number: int) -> Fields:
        """Return the fields about the use of a place's key, for an answer."""
        place = self._places[worker, number]
        return self._usage(place.claimant.owner.key)

    def end_place(self, address: Address) -> None:
        """End a place. Idempotent."""
        place = self._places.pop(address, None)
        if place is not None:
            place.end(self._clock(), self._wall())
            self._usage_changed(place)

    def _give_up(self, place: Place) -> None:
        """Ask the worker to end the session of a place that was given to another call."""
        for address, each in list(self._places.items()):
            if each is place:
                del self._places[address]
                self._send(address[0], "give_up", {"place": address[1]})
                self.on_given_away(address[0])

    def _usage(self, key: str) -> Fields:
        state = self._admission.quotas.state(key, self._clock(), self._wall())
        return {"key": key, "usage": asdict(state)}

    def _usage_changed(self, place: Place, but: int | None = None) -> Fields:
        """Send the use of a place's key to all workers that have it, except `but`; return it."""
        key = place.claimant.owner.key
        fields = self._usage(key)
        if place.claimant.limits.minutes_a_day:
            holders = {
                worker
                for (worker, _), each in self._places.items()
                if each.claimant.owner.key == key
            }
            for worker in holders - {but}:
                self._send(worker, "usage", fields)
        return fields
