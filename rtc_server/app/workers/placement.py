"""Placement: the worker for each request, chosen by the workers' reports. Pure.

The number of a worker is in the ids of its sessions (``sess_w3-…``), and a room belongs to the
worker that opened it. A request without a worker, such as a new call, goes to the least loaded one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

ROOM_KEPT_S = 10.0
"""Seconds for which a request binds a room's name to a worker, which reports the room by then."""
LISTENER_LOAD = 0.25
"""Load of one listener of a room. Of a session it is 1."""

_ONE_CALL = re.compile(r"/v1/realtime/translations/calls/([^/]+)(?:/(?:resume|transcript))?")
_ROOM = re.compile(r"/(?:whip|whep|v1/rooms|listen|rooms)/([A-Za-z0-9_-]{1,64})(?:/.*)?")
_TAG = re.compile(r"sess_w([0-9]{1,9})-")
NEW_CALLS = "/v1/realtime/translations/calls"
STREAMS = ("/ws/audio", "/v1/realtime/translations")


class Life(Enum):
    """State of a worker."""

    STARTING = auto()
    TAKING = auto()
    """The worker takes calls."""
    RETIRING = auto()
    """The worker keeps its calls and takes no new ones."""
    GONE = auto()


def session_prefix(worker: int) -> str:
    """Return the beginning of the ids of a worker's sessions."""
    return f"sess_w{worker}-"


@dataclass(slots=True)
class WorkerLoad:
    """State of one worker, for placement."""

    life: Life = Life.STARTING
    is_ready: bool = False
    """True while its engines can work."""
    places: float = 0.0
    """Load of the places that its calls hold."""
    opening: int = 0
    """Calls on their way to it."""
    rooms: frozenset[str] = frozenset()
    """Names of its rooms."""
    seen_s: float = 0.0
    """Time on the event loop's clock at which it reported last, or announced itself."""

    @property
    def load(self) -> float:
        """Load of its places and of the calls on their way to it."""
        return self.places + self.opening


@dataclass(frozen=True, slots=True)
class Target:
    """Session or room of a request, from its address."""

    session: str = ""
    room: str = ""
    opens: bool = False
    """True if the request may open a call."""


def target_of(method: str, path: str, query: Mapping[str, str], *, upgrades: bool) -> Target:
    """Return the session or room of a request. `path` is below the server's own prefix."""
    if found := _ONE_CALL.fullmatch(path):
        return Target(session=found[1])
    if path in STREAMS:
        return Target(session=query.get("resume", ""), opens=upgrades and "resume" not in query)
    if found := _ROOM.fullmatch(path):
        return Target(room=found[1], opens=method == "POST")
    return Target(opens=method == "POST" and path == NEW_CALLS)


@dataclass(slots=True)
class Placement:
    """All workers, by number. Numbers are never used again."""

    workers: dict[int, WorkerLoad] = field(default_factory=dict)
    moved: dict[str, int] = field(default_factory=dict)
    """Worker of each session that was moved."""
    _rooms: dict[str, tuple[int, float]] = field(default_factory=dict)
    """Worker of each room requested lately, and the time until which that counts."""

    def place(self, target: Target, now_s: float) -> int | None:
        """Return the worker for a request; None if there is none."""
        if target.session:
            return self._of_session(target.session)
        if target.room:
            return self._of_room(target, now_s)
        return self.least()

    def least(self) -> int | None:
        """Return the least loaded worker of those that take calls, ready ones first."""
        taking = [
            (not each.is_ready, each.load, number)
            for number, each in self.workers.items()
            if each.life is Life.TAKING
        ]
        return min(taking)[2] if taking else None

    def remove(self, worker: int) -> None:
        """Forget a worker that is gone."""
        self.workers.pop(worker, None)
        self._rooms = {name: each for name, each in self._rooms.items() if each[0] != worker}
        self.moved = {name: number for name, number in self.moved.items() if number != worker}

    def _of_session(self, session: str) -> int | None:
        number = self.moved.get(session)
        if number is None and (tag := _TAG.match(session)):
            number = int(tag[1])
        # No worker has it: any one answers so.
        return number if number in self.workers else self.any()

    def any(self) -> int | None:
        """Return a worker that answers: the least loaded one, or else one that retires."""
        least = self.least()
        if least is not None:
            return least
        living = [n for n, each in self.workers.items() if each.life is Life.RETIRING]
        return min(living, default=None)

    def _of_room(self, target: Target, now_s: float) -> int | None:
        number = next((n for n, each in self.workers.items() if target.room in each.rooms), None)
        if number is None:
            self._rooms = {name: each for name, each in self._rooms.items() if each[1] > now_s}
            number = self._rooms.get(target.room, (None, 0.0))[0]
        if number is None:
            number = self.any()
        if number is not None and target.opens:
            self._rooms[target.room] = number, now_s + ROOM_KEPT_S
        return number
