"""Limits on places: the refusals of one more, and when to try again. Pure.

Each function returns a refusal, or None if its limit leaves room; `admission` calls all of them.
"""

import math
from collections import deque

from rtc_server.errors import AdmissionRefused, RateLimited
from rtc_server.session.places import Kind, Place, PlaceState
from rtc_server.session.session_api import Claimant

UNCONNECTED = 4
"""Calls of one address that may be connecting at once; each holds sockets."""
UNCONNECTED_LISTENERS = 32
"""The same for listeners of rooms. An audience often shares one address."""
KEPT_SHARE = 0.2
"""Share of the places that no single key may use while there are other keys."""
RETRY_PLACES_FULL_S = 5
"""Seconds after which to try again when all places of the caller are taken."""
RETRY_UNCONNECTED_S = 2
"""Seconds after which to try again when too many calls of an address are still connecting."""
_WINDOW_S = 300.0
"""Seconds for which the end of a session counts."""
_MOST_ENDS = 1000
_LEAST_RETRY_S = 2
_MOST_RETRY_S = 60
RETRY_UNKNOWN_S = 5
"""Seconds after which to try again while no session ended lately."""


def most_of_one_key(places: int) -> int:
    """Return how many of `places` one key may hold while there are other keys."""
    return max(1, places - max(1, round(places * KEPT_SHARE)))


def address_refusal(
    kind: Kind, claimant: Claimant, places: list[Place], most: int
) -> AdmissionRefused | None:
    """Return the refusal of an address that has `most` sessions, or too many that connect."""
    if not claimant.source:
        return None
    near = [
        place
        for place in places
        if place.claimant.source == claimant.source
        and (place.kind is Kind.LISTENER) == (kind is Kind.LISTENER)
    ]
    connecting = sum(place.state is PlaceState.CONNECTING for place in near)
    if connecting >= (UNCONNECTED_LISTENERS if kind is Kind.LISTENER else UNCONNECTED):
        return RateLimited(
            f"{connecting} calls from your address are still connecting. Try again in a moment.",
            RETRY_UNCONNECTED_S,
        )
    if kind is not Kind.LISTENER and len(near) >= most:
        return RateLimited(
            f"All {most} sessions that one address may have at once are open. "
            "End one, or try again soon.",
            RETRY_PLACES_FULL_S,
        )
    return None


def secret_refusal(kind: Kind, claimant: Claimant, places: list[Place]) -> AdmissionRefused | None:
    """Return the refusal of a client secret that has as many sessions as its key allows."""
    most = claimant.limits.secret_sessions
    if kind is Kind.LISTENER or not claimant.owner.secret or not most:
        return None
    own = sum(
        place.claimant.owner == claimant.owner and place.kind is not Kind.LISTENER
        for place in places
    )
    if own < most:
        return None
    return RateLimited(
        f"All {most} sessions that this client secret may have at once are open. "
        "End one, or make another secret.",
        RETRY_PLACES_FULL_S,
    )


def server_refusal(
    kind: Kind, claimant: Claimant, places: list[Place], most: int, retry_s: int
) -> AdmissionRefused | None:
    """Return the refusal of a server that has `most` sessions, or keeps the rest for other keys.

    `retry_s`: seconds until a place is likely to be free.
    """
    if kind is not Kind.SESSION:
        return None
    sessions = [place for place in places if place.kind is Kind.SESSION]
    if len(sessions) >= most:
        return AdmissionRefused(
            f"All {most} sessions of this server are taken. Try again in about {retry_s} seconds.",
            retry_s,
        )
    key = claimant.owner.key
    if claimant.has_rivals and (
        sum(place.claimant.owner.key == key for place in sessions) >= most_of_one_key(most)
    ):
        return RateLimited(
            f"This key holds {most_of_one_key(most)} of the {most} sessions of this server; the "
            "others are kept for other keys. Try again soon.",
            RETRY_PLACES_FULL_S,
        )
    return None


class Turnover:
    """Rate at which sessions end, from which a full server's `Retry-After` follows."""

    def __init__(self) -> None:
        self._ends_s: deque[float] = deque(maxlen=_MOST_ENDS)

    def end(self, now_s: float) -> None:
        """Record that a place has become free."""
        self._ends_s.append(now_s)

    def retry_after_s(self, now_s: float) -> int:
        """Return the usual time between two ends, in whole seconds.

        It is the time since the first end that is remembered, divided by the number of ends.
        """
        while self._ends_s and self._ends_s[0] < now_s - _WINDOW_S:
            self._ends_s.popleft()
        if not self._ends_s:
            return RETRY_UNKNOWN_S
        usual_s = (now_s - self._ends_s[0]) / len(self._ends_s)
        return max(_LEAST_RETRY_S, min(_MOST_RETRY_S, math.ceil(usual_s)))
