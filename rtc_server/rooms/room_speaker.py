"""Present speaker of a room, on one transport after another."""

import math

from rtc_server.events.server import ExpiringReason
from rtc_server.pcm import Pcm
from rtc_server.rooms.peer import Peer
from rtc_server.rooms.room_settings import RoomSettings
from rtc_server.session.expiry import Expiry
from rtc_server.session.places import Place, PlaceState
from rtc_server.session.services import Services
from rtc_server.session.session_api import Owner
from rtc_server.standstill import standstills


class RoomSpeaker:
    """Seat of the speaker: who has it, until when, and where their audio stands on the room's
    clock, which goes on from one speaker to the next.
    """

    def __init__(self, services: Services, settings: RoomSettings) -> None:
        self._services, self._settings = services, settings
        self._peer: Peer | None = None
        self._place: Place | None = None
        """Place of the present speaker, whichever transport it is on."""
        self._expiry: Expiry | None = None
        """End of the present speaker's time."""
        self._position_samples = self._base_samples = 0
        self._silent_since_s = services.clock()

    @property
    def peer(self) -> Peer | None:
        """Present speaker; None while there is none."""
        return self._peer

    def is_of(self, owner: Owner) -> bool:
        """Return whether there is a speaker whom `owner` may replace."""
        return self._peer is not None and owner.may_touch(self._peer.owner)

    def take(self, peer: Peer, place: Place) -> None:
        """Let a speaker have the seat, which must be free. The place is given back at the end."""
        self._place = place
        idle_minutes = self._settings.room_idle_minutes if place.claimant.owner.key else 0
        self._expiry = Expiry(place.lease, idle_minutes, self._services.clock())
        self.hand_over(peer)

    def hand_over(self, peer: Peer) -> None:
        """Go on with the same speaker on another transport."""
        self._peer, self._base_samples = peer, self._position_samples

    def leave(self, peer: Peer) -> bool:
        """Free the seat, if it is that speaker's; return whether it was."""
        if peer is not self._peer:
            return False
        self._peer = None
        self._silent_since_s = self._services.clock()
        return True

    def end_place(self) -> bool:
        """Give the speaker's place back; return whether there was one."""
        if self._place is None:
            return False
        self._place.end(*self._services.now())
        self._place = self._expiry = None
        return True

    def connected(self) -> None:
        """Note that the speaker's transport works."""
        if self._place is not None:
            self._place.enter(PlaceState.CONNECTED)

    def active(self) -> None:
        """Note that somebody speaks."""
        if self._expiry is not None:
            self._expiry.active(self._services.clock())

    def placed(self, pcm: Pcm) -> Pcm:
        """Return the speaker's next audio on the room's clock."""
        pcm = pcm._replace(start_samples=self._base_samples + pcm.start_samples)
        self._position_samples = pcm.start_samples + len(pcm.samples)
        return pcm

    def left_s(self) -> tuple[float, ExpiringReason]:
        """Return how long the speaker may go on; without a limit, or a speaker, for ever."""
        if self._expiry is None:
            return math.inf, ExpiringReason.LIMIT
        return self._expiry.left_s(*self._services.now())

    def is_missed(self, now_s: float) -> bool:
        """Return whether there has been no speaker for as long as a room waits. Time in which the
        loop stood still does not count.
        """
        if self._peer is not None:
            return False
        still_s = standstills().since(self._silent_since_s)
        return now_s - self._silent_since_s - still_s >= self._settings.room_wait_s
