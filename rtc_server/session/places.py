"""Places: rights of sessions, rooms and listeners, from admission to their end."""

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
    """Connection lost; the client may come back."""


@dataclass(eq=False, slots=True)
class Place:
    """Right to one session, or to speak or listen in a room, with its lease."""

    kind: Kind
    claimant: Claimant
    lease: Lease
    _forget: Callable[["Place", float], None]
    state: PlaceState = PlaceState.CONNECTING
    give_up: Callable[[], None] = lambda: None
    """Callback that ends the session; called when its owner needs the place for another one."""
    on_state: Callable[[PlaceState], None] = lambda _state: None
    """Callback for each new state."""

    def enter(self, state: PlaceState) -> None:
        """Set the state of its transport."""
        self.state = state
        self.on_state(state)

    def end(self, now_s: float, wall_s: float) -> None:
        """Free the place. Idempotent."""
        self.lease.end(now_s, wall_s)
        self._forget(self, now_s)


@dataclass(eq=False, slots=True)
class RoomPlace:
    """Right to have one room open."""

    key: str
    """Id of the key to which the room belongs."""
    _forget: Callable[["RoomPlace"], None]

    def end(self) -> None:
        """Free the place. Idempotent."""
        self._forget(self)
