"""Places: what a session, a room and a room's listener hold from admission to their end."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

from rtc_server.session.quota import Lease
from rtc_server.session.session_api import Claimant


class Kind(Enum):
    """Purpose of a place."""

    SESSION = auto()
    SPEAKER = auto()
    """Speaker of a room; rooms are counted by themselves."""
    LISTENER = auto()
    """Listener of a room: an audience shares one secret, and often one address."""


class PlaceState(Enum):
    """State of a place's transport."""

    CONNECTING = auto()
    CONNECTED = auto()
    LOST = auto()
    """The network took the client away; it may come back."""


@dataclass(eq=False, slots=True)
class Place:
    """One place, and the share of its key's limits that goes with it."""

    kind: Kind
    claimant: Claimant
    lease: Lease
    _forget: Callable[["Place", float], None]
    state: PlaceState = PlaceState.CONNECTING
    give_up: Callable[[], None] = lambda: None
    """Callback that ends what the place is held for; called when its own holder needs the place."""
    on_state: Callable[[PlaceState], None] = lambda _state: None
    """Callback for each new state."""

    def enter(self, state: PlaceState) -> None:
        """Note the state of its transport."""
        self.state = state
        self.on_state(state)

    def end(self, now_s: float, wall_s: float) -> None:
        """Give it back. Idempotent."""
        self.lease.end(now_s, wall_s)
        self._forget(self, now_s)


@dataclass(eq=False, slots=True)
class RoomPlace:
    """The right to have one room open."""

    key: str
    """Id of the key whose room it is."""
    _forget: Callable[["RoomPlace"], None]

    def end(self) -> None:
        """Give it back. Idempotent."""
        self._forget(self)
