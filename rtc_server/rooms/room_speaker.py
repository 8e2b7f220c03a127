"""Present speaker of a room, whose transport may change."""

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
    """Speaker of a room: the present one with its place, its deadline, and the position of audio on
    the room's clock, which continues from one speaker to the next.
    """

    def __init__(self, services: Services, settings: RoomSettings) -> None:
        self._services, self._settings = services, settings
        self._peer: Peer | None = None
        self._place: Place | None = None
        """Place of the present speaker, on any transport."""
        self._expiry: Expiry | None = None
        """Deadline of the present speaker."""
        self._position_samples = self._base_samples = 0
        self._silent_since_s = services.clock()

    @property
    def peer(self) -> Peer | None:
        """Present speaker; None while there is none."""
        return self._peer

    def is_of(self, owner: Owner) -> bool:
        """Return whether there is a speaker, and `owner` may replace it."""
        return self._peer is not None and owner.may_touch(self._peer.owner)

    def take(self, peer: Peer, place: Place) -> None:
        """Set the speaker; there must be none. `end_place` frees the place."""
        self._place = place
        idle_minutes = self._settings.room_idle_minutes if place.claimant.owner.key else 0
        self._expiry = Expiry(place.lease, idle_minutes, self._services.clock())
        self.hand_over(peer)

    def hand_over(self, peer: Peer) -> None:
        """Continue with the speaker on another transport."""
        self._peer, self._base_samples = peer, self._position_samples

    def leave(self, peer: Peer) -> bool:
        """Remove the speaker if it is `peer`; return whether it was."""
        if peer is not self._peer:
            return False
        self._peer = None
        self._silent_since_s = self._services.clock()
        return True

    def end_place(self) -> bool:
        """Free the speaker's place; return whether there was one."""
        if self._place is None:
            return False
        self._place.end(*self._services.now())
        self._place = self._expiry = None
        return True

    def connected(self) -> None:
        """Note that the speaker's transport is connected."""
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
        """Return the seconds that the speaker may still speak, and the reason of that end; infinite
        without a limit or a speaker.
        """
        if self._expiry is None:
            return math.inf, ExpiringReason.LIMIT
        return self._expiry.left_s(*self._services.now())

    def is_missed(self, now_s: float) -> bool:
        """Return whether there was no speaker for as long as a room waits. Time in which the event
        loop did not run does not count.
        """
        if self._peer is not None:
            return False
        still_s = standstills().since(self._silent_since_s)
        return now_s - self._silent_since_s - still_s >= self._settings.room_wait_s
