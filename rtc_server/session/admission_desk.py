"""Interface of admission: of this process, or of a server of several processes."""

from typing import Protocol

from rtc_server.session.admission import AdmissionLimits
from rtc_server.session.places import Kind, Place, RoomPlace
from rtc_server.session.session_api import Claimant


class AdmissionDesk(Protocol):
    """Admission for the managers of sessions and rooms.

    `now_s` is monotonic, `wall_s` Unix time. A claim that is cancelled holds no place.
    """

    @property
    def limits(self) -> AdmissionLimits:
        """Limits of the whole server."""

    async def claim(
        self, kind: Kind, claimant: Claimant, now_s: float, wall_s: float, *, busy_s: int = 0
    ) -> Place:
        """Return a place for one more. Raises as `Admission.admit`."""

    async def check_claim(
        self, kind: Kind, claimant: Claimant, now_s: float, wall_s: float, *, busy_s: int = 0
    ) -> None:
        """Raise what `claim` would raise; change nothing except the caller's turn in the line."""

    async def claim_room(self, claimant: Claimant, most: int) -> RoomPlace:
        """Return a place for one more room of `most`. Raises as `Admission.admit_room`."""

    def revoke(self, key: str) -> None:
        """End every lease of `key` in this process."""
