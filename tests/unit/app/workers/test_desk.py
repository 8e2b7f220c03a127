"""Admission of several workers: one desk, and the places that each worker holds of it."""

import asyncio
from typing import Any

import pytest

from rtc_server.app.workers.control import ControlChannel, Fields
from rtc_server.app.workers.desk import Desk
from rtc_server.app.workers.messages import WorkerMessages
from rtc_server.app.workers.placement import Placement, WorkerLoad
from rtc_server.app.workers.records import Records
from rtc_server.app.workers.shared_admission import SharedAdmission
from rtc_server.app.workers.totals import Totals
from rtc_server.clock import Clock
from rtc_server.errors import AdmissionRefused, NotReady, RateLimited
from rtc_server.session.admission import Admission, AdmissionLimits
from rtc_server.session.places import Kind, Place, PlaceState
from rtc_server.session.quota import KeyLimits
from rtc_server.session.session_api import Claimant, Owner

MORNING_S = 1_800_000_000.0
ANYBODY = Claimant()


class DirectChannel(ControlChannel):
    """Control channel without a socket: the desk answers at once, or when the test allows it."""

    def __init__(self, number: int, desk: Desk) -> None:
        super().__init__({})
        self._number, self._desk = number, desk
        self.hold: asyncio.Event | None = None
        """Event that answers wait for, if there is one."""

    def send(self, kind: str, /, **fields: object) -> None:
        handlers: dict[str, Any] = {
            "place": self._desk.state,
            "end": self._desk.end,
            "end_room": self._desk.end_room,
        }
        handlers[kind](self._number, fields)

    async def request(self, kind: str, /, **fields: object) -> Fields:
        handlers: dict[str, Any] = {
            "claim": self._desk.claim,
            "check": self._desk.check,
            "claim_room": self._desk.claim_room,
        }
        answer: Fields = handlers[kind](self._number, fields)
        if self.hold is not None:
            await self.hold.wait()
        return answer


class Hosts:
    """A desk and its workers, in virtual time."""

    def __init__(self, sessions: int = 3, workers: int = 2) -> None:
        self.clock: Clock = asyncio.get_running_loop().time
        limits = AdmissionLimits(sessions)
        self.admission = Admission(limits)
        self.desk = Desk(self.admission, self.clock, self.wall, self._send)
        self.channels = [DirectChannel(number, self.desk) for number in range(workers)]
        self.workers = [
            SharedAdmission(channel, limits, self.clock, self.wall) for channel in self.channels
        ]

    def wall(self) -> float:
        return MORNING_S + self.clock()

    def _send(self, worker: int, kind: str, fields: Fields) -> None:
        getattr(self.workers[worker], kind)(fields)

    async def claim(
        self, worker: int, claimant: Claimant = ANYBODY, kind: Kind = Kind.SESSION
    ) -> Place:
        return await self.workers[worker].claim(kind, claimant, self.clock(), self.wall())

    def end(self, place: Place) -> None:
        place.end(self.clock(), self.wall())

    def left_s(self, place: Place) -> float:
        return place.lease.left_s(self.clock(), self.wall())


async def test_all_workers_share_the_places() -> None:
    hosts = Hosts(sessions=3)
    places = [await hosts.claim(0), await hosts.claim(1), await hosts.claim(1)]
    with pytest.raises(AdmissionRefused, match="All 3 sessions"):
        await hosts.claim(0)
    with pytest.raises(AdmissionRefused, match="All 3 sessions"):
        await hosts.workers[0].check_claim(Kind.SESSION, ANYBODY, 0.0, MORNING_S)
    assert [hosts.desk.load(0), hosts.desk.load(1)] == [1.0, 2.0]
    hosts.end(places[2])
    hosts.end(places[2])
    await hosts.claim(0)


async def test_there_is_one_line_before_all_workers() -> None:
    hosts = Hosts(sessions=1)
    place = await hosts.claim(0)
    tickets = []
    for worker, position in ((0, 1), (1, 2)):
        with pytest.raises(AdmissionRefused) as refused:
            await hosts.claim(worker, Claimant(ticket="new"))
        assert refused.value.line_ticket is not None
        assert refused.value.line_ticket.position == position
        tickets.append(refused.value.line_ticket.ticket)
    hosts.end(place)
    for worker in (0, 1):
        with pytest.raises(AdmissionRefused):
            await hosts.claim(worker, Claimant(ticket=tickets[1]))
    entered = await hosts.claim(1, Claimant(ticket=tickets[0]))
    entered.enter(PlaceState.CONNECTED)
    hosts.end(entered)
    await hosts.claim(0, Claimant(ticket=tickets[1]))


async def test_a_session_that_did_not_connect_leaves_its_turn_to_one_in_another_worker() -> None:
    hosts = Hosts(sessions=1)
    place = await hosts.claim(0)
    tickets = []
    for _ in range(2):
        with pytest.raises(AdmissionRefused) as refused:
            await hosts.claim(0, Claimant(ticket="new"))
        assert refused.value.line_ticket is not None
        tickets.append(refused.value.line_ticket.ticket)
    hosts.end(place)
    failed = await hosts.claim(0, Claimant(ticket=tickets[0]))
    given_up: list[int] = []
    failed.give_up = lambda: given_up.append(0)
    place = await hosts.claim(1, Claimant(ticket=tickets[0]))
    assert given_up == [0]
    hosts.end(place)
    with pytest.raises(AdmissionRefused):
        await hosts.claim(0, Claimant(ticket=tickets[1]))
    await hosts.claim(0, Claimant(ticket=tickets[0]))


async def test_an_address_and_a_secret_are_counted_over_all_workers() -> None:
    hosts = Hosts(sessions=50)
    caller = Claimant(Owner("key", "secret"), KeyLimits(secret_sessions=2), "192.0.2.1")
    for worker in (0, 1):
        (await hosts.claim(worker, caller)).enter(PlaceState.CONNECTED)
    with pytest.raises(RateLimited, match="this client secret"):
        await hosts.claim(0, caller)
    near = Claimant(source="192.0.2.1")
    for worker in (0, 1, 0, 1):
        await hosts.claim(worker, near)
    with pytest.raises(RateLimited, match="still connecting"):
        await hosts.claim(1, near)


async def test_a_place_of_no_use_is_given_up_by_the_worker_that_holds_it() -> None:
    hosts = Hosts(sessions=50)
    caller = Claimant(Owner("key", "secret"), KeyLimits(secret_sessions=1))
    lost = await hosts.claim(0, caller)
    lost.enter(PlaceState.LOST)
    ended: list[str] = []
    lost.give_up = lambda: ended.append("lost")
    await hosts.claim(1, caller)
    assert ended == ["lost"]
    assert (hosts.workers[0].places, hosts.desk.load(0)) == (0, 0.0)
    hosts.end(lost)  # its session ends a little later, and frees nobody else's place
    assert hosts.desk.load(1) == 1.0


async def test_a_place_given_away_before_it_was_held_is_refused() -> None:
    hosts = Hosts(sessions=50)
    channel = hosts.channels[0]
    channel.hold = asyncio.Event()
    asking = asyncio.create_task(hosts.claim(0))
    await asyncio.sleep(0)
    hosts.desk._give_up(hosts.desk._places[0, 1])  # as `Admission` does for another call
    channel.hold.set()
    with pytest.raises(NotReady):
        await asking
    assert (hosts.workers[0].places, hosts.desk.load(0)) == (0, 0.0)


async def test_the_load_of_a_worker_that_gives_up_a_place_is_less() -> None:
    hosts = Hosts(sessions=50)
    placement = Placement({0: WorkerLoad(places=1.0)})
    WorkerMessages(hosts.desk, Records(), placement, Totals())
    caller = Claimant(Owner("key", "secret"), KeyLimits(secret_sessions=1))
    (await hosts.claim(0, caller)).enter(PlaceState.LOST)
    await hosts.claim(1, caller)
    assert placement.workers[0].places == 0.0


async def test_a_claim_that_is_cancelled_leaves_nothing() -> None:
    hosts = Hosts(sessions=1)
    hosts.channels[0].hold = asyncio.Event()
    asking = asyncio.create_task(hosts.claim(0))
    await asyncio.sleep(0)
    assert hosts.desk.load(0) == 1.0
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert (hosts.workers[0].places, hosts.desk.load(0)) == (0, 0.0)
    await hosts.claim(1)


async def test_minutes_of_a_key_are_used_by_its_sessions_in_all_workers() -> None:
    hosts = Hosts(sessions=50)
    keyed = Claimant(Owner("key"), KeyLimits(minutes_a_day=10))
    first = await hosts.claim(0, keyed)
    assert hosts.left_s(first) == pytest.approx(600)
    await asyncio.sleep(100)
    second = await hosts.claim(1, keyed)
    assert hosts.left_s(first) == pytest.approx(250)
    assert hosts.left_s(second) == pytest.approx(250)
    await asyncio.sleep(100)
    hosts.end(second)
    assert hosts.left_s(first) == pytest.approx(300)
    assert hosts.admission.quotas.used_s(hosts.clock(), hosts.wall()) == pytest.approx({"key": 300})


async def test_a_revoked_key_ends_its_leases() -> None:
    hosts = Hosts()
    place = await hosts.claim(0, Claimant(Owner("key")))
    hosts.workers[0].revoke("key")
    assert hosts.left_s(place) == 0


async def test_rooms_are_counted_over_all_workers() -> None:
    hosts = Hosts()
    rooms = [await hosts.workers[n].claim_room(ANYBODY, 2) for n in (0, 1)]
    with pytest.raises(AdmissionRefused, match="All 2 rooms"):
        await hosts.workers[0].claim_room(ANYBODY, 2)
    rooms[1].end()
    await hosts.workers[0].claim_room(ANYBODY, 2)


async def test_a_worker_that_is_gone_leaves_the_places_of_its_calls_for_another() -> None:
    hosts = Hosts(sessions=3)
    places = [await hosts.claim(0) for _ in range(3)]
    places[0].enter(PlaceState.CONNECTED)
    places[1].enter(PlaceState.CONNECTED)
    await hosts.workers[0].claim_room(ANYBODY, 1)
    numbers = [hosts.workers[0].number_of(each) for each in places]
    hosts.desk.lose(0, {numbers[0], numbers[2]})  # the third had not connected yet
    assert [hosts.desk.holds((0, number)) for number in numbers] == [True, False, False]
    await hosts.workers[1].claim_room(ANYBODY, 1)
    usage = hosts.desk.usage(0, numbers[0])
    kept = {**usage, "end_s": 500.0, "expires_at": 7}
    number, place = hosts.workers[1].take_over(Kind.SESSION, ANYBODY, kept)
    hosts.desk.move((0, numbers[0]), (1, number))
    assert (hosts.desk.load(1), place.lease.expires_at) == (1.0, 7)
    assert hosts.left_s(place) == pytest.approx(500.0 - hosts.clock())
    hosts.end(place)
    assert hosts.desk.load(1) == 0.0


async def test_a_listener_weighs_less_than_a_session_and_takes_no_place_of_one() -> None:
    hosts = Hosts(sessions=1)
    for _ in range(4):
        await hosts.claim(0, kind=Kind.LISTENER)
    assert hosts.desk.load(0) == 1.0
    await hosts.claim(1)
