"""Places of a server: how many each kind of caller may hold."""

import pytest

from rtc_server.errors import AdmissionRefused, RateLimited
from rtc_server.session.admission import Admission, AdmissionLimits
from rtc_server.session.place_limits import (
    RETRY_PLACES_FULL_S,
    RETRY_UNCONNECTED_S,
    UNCONNECTED,
    UNCONNECTED_LISTENERS,
    most_of_one_key,
)
from rtc_server.session.places import Kind, Place, PlaceState
from rtc_server.session.quota import KeyLimits
from rtc_server.session.session_api import Claimant, Owner

TWO = KeyLimits(secret_sessions=2)


class AdmissionBench:
    """An admission whose places connect at once, unless a test says otherwise."""

    def __init__(self, sessions: int = 50, address_sessions: int = 0) -> None:
        self.admission = Admission(AdmissionLimits(sessions, address_sessions))
        self.ended: list[str] = []
        """Names of places that had to make room."""

    def enter(
        self,
        claimant: Claimant,
        kind: Kind = Kind.SESSION,
        state: PlaceState = PlaceState.CONNECTED,
        name: str = "",
    ) -> Place:
        place = self.admission.admit(kind, claimant, 0.0, 0.0)
        place.state = state
        place.give_up = lambda: self.ended.append(name)
        return place

    def refuses(self, claimant: Claimant, kind: Kind = Kind.SESSION) -> AdmissionRefused:
        """Return how another place is refused; being asked beforehand says the same."""
        with pytest.raises(AdmissionRefused) as asked:
            self.admission.check(kind, claimant, 0.0, 0.0)
        with pytest.raises(AdmissionRefused) as refusal:
            self.admission.admit(kind, claimant, 0.0, 0.0)
        assert str(asked.value) == str(refusal.value)
        return refusal.value


def secret(name: str, source: str = "", limits: KeyLimits = TWO) -> Claimant:
    return Claimant(Owner("key", name), limits, source)


def test_a_secret_has_two_sessions_and_leaves_the_others_alone() -> None:
    bench = AdmissionBench()
    first = bench.enter(secret("a"))
    bench.enter(secret("a"))
    refusal = bench.refuses(secret("a"))
    assert isinstance(refusal, RateLimited) and "2 sessions that this client secret" in str(refusal)
    assert refusal.retry_after_s == RETRY_PLACES_FULL_S
    bench.enter(secret("b"))
    first.end(1.0, 1.0)
    bench.enter(secret("a"))


def test_a_secret_counts_its_rooms_speakers_too_but_not_its_audience() -> None:
    bench = AdmissionBench()
    bench.enter(secret("a"), Kind.SPEAKER)
    bench.enter(secret("a"))
    for _ in range(UNCONNECTED_LISTENERS + 1):
        bench.enter(secret("a"), Kind.LISTENER)
    bench.refuses(secret("a"), Kind.SPEAKER)


def test_the_key_itself_may_open_many() -> None:
    bench = AdmissionBench()
    for _ in range(10):
        bench.enter(Claimant(Owner("key"), TWO))


@pytest.mark.parametrize("state", [PlaceState.LOST, PlaceState.CONNECTING])
def test_a_page_that_was_reloaded_takes_the_place_it_left(state: PlaceState) -> None:
    bench = AdmissionBench()
    bench.enter(secret("a"), name="open")
    bench.enter(secret("a"), state=state, name="left")
    bench.admission.check(Kind.SESSION, secret("a"), 0.0, 0.0)
    assert not bench.ended
    bench.enter(secret("a"))
    assert bench.ended == ["left"]
    bench.refuses(secret("a"))


def test_a_lost_session_makes_room_before_one_that_connects() -> None:
    bench = AdmissionBench()
    bench.enter(secret("a"), state=PlaceState.CONNECTING, name="connecting")
    bench.enter(secret("a"), state=PlaceState.LOST, name="lost")
    bench.enter(secret("a"))
    assert bench.ended == ["lost"]


def test_nobody_loses_a_session_to_somebody_else() -> None:
    bench = AdmissionBench(sessions=2)
    bench.enter(secret("a"), state=PlaceState.LOST, name="a")
    bench.enter(secret("b"), state=PlaceState.LOST, name="b")
    bench.refuses(secret("c"))
    assert not bench.ended
    bench.enter(secret("b"))
    assert bench.ended == ["b"]


def test_an_address_has_four_calls_on_their_way() -> None:
    bench = AdmissionBench()
    calls = [
        bench.enter(secret(str(n), "192.0.2.1"), state=PlaceState.CONNECTING)
        for n in range(UNCONNECTED)
    ]
    refusal = bench.refuses(secret("new", "192.0.2.1"), Kind.SPEAKER)
    assert isinstance(refusal, RateLimited) and refusal.retry_after_s == RETRY_UNCONNECTED_S
    bench.enter(secret("new", "192.0.2.2"))
    calls[0].state = PlaceState.CONNECTED
    bench.enter(secret("new", "192.0.2.1"))


def test_an_audience_behind_one_address_may_come_together() -> None:
    bench, hall = AdmissionBench(), secret("ticket", "192.0.2.1")
    for _ in range(UNCONNECTED_LISTENERS):
        bench.enter(hall, Kind.LISTENER, PlaceState.CONNECTING)
    bench.refuses(hall, Kind.LISTENER)
    bench.enter(secret("a", "192.0.2.1"))


def test_an_address_has_half_of_the_places_unless_an_option_says_otherwise() -> None:
    for bench, most in (
        (AdmissionBench(20), 10),
        (AdmissionBench(20, 3), 3),
        (AdmissionBench(2), UNCONNECTED),
    ):
        limit = bench.admission.limits.per_address
        assert limit == most
    bench = AdmissionBench(20)
    for number in range(10):
        bench.enter(secret(str(number), "192.0.2.1"))
    assert "All 10 sessions that one address" in str(bench.refuses(secret("new", "192.0.2.1")))
    bench.enter(secret("new", "192.0.2.2"))


def test_those_behind_a_proxy_or_on_this_machine_are_not_counted_by_address() -> None:
    bench = AdmissionBench()
    for number in range(2 * UNCONNECTED):
        bench.enter(secret(str(number)), state=PlaceState.CONNECTING)


def test_a_server_has_a_number_of_places() -> None:
    bench = AdmissionBench(sessions=2)
    bench.enter(Claimant())
    place = bench.enter(Claimant())
    refusal = bench.refuses(Claimant())
    assert not isinstance(refusal, RateLimited) and "All 2 sessions" in str(refusal)
    bench.enter(Claimant(), Kind.SPEAKER)  # rooms are counted separately
    place.end(0.0, 0.0)
    bench.enter(Claimant())


def test_one_key_leaves_places_to_the_others() -> None:
    bench = AdmissionBench(sessions=10)
    one, two = (Claimant(Owner(key), has_rivals=True) for key in ("one", "two"))
    for _ in range(8):
        bench.enter(one)
    assert "kept for other keys" in str(bench.refuses(one))
    bench.enter(two)
    bench.enter(two)
    alone = AdmissionBench(sessions=10)
    for _ in range(10):
        alone.enter(Claimant(Owner("one")))


def test_a_small_server_keeps_one_place_and_the_smallest_none() -> None:
    assert [most_of_one_key(places) for places in (1, 2, 8, 50)] == [1, 1, 6, 40]


def test_a_place_that_is_refused_or_given_back_leaves_the_keys_share_as_it_was() -> None:
    bench, once = AdmissionBench(), KeyLimits(sessions=1, secret_sessions=2)
    place = bench.enter(secret("a", limits=once))
    for _ in range(3):
        bench.refuses(secret("a", limits=once))
    place.end(0.0, 0.0)
    place.end(0.0, 0.0)
    bench.admission.check(Kind.SESSION, secret("a", limits=once), 0.0, 0.0)
    bench.enter(secret("a", limits=once))


def test_a_full_server_says_when_a_place_is_likely() -> None:
    admission = Admission(AdmissionLimits(sessions=1))
    now_s = 0.0
    for _ in range(4):  # calls of half a minute
        place = admission.admit(Kind.SESSION, secret("a"), now_s, now_s)
        now_s += 30.0
        place.end(now_s, now_s)
        place.end(now_s + 20.0, now_s)  # reported twice, counted once
    admission.admit(Kind.SPEAKER, secret("a"), now_s, now_s).end(now_s, now_s)  # no session
    admission.admit(Kind.SESSION, secret("a"), now_s, now_s)
    with pytest.raises(AdmissionRefused, match="about 30 seconds") as refusal:
        admission.admit(Kind.SESSION, secret("b"), now_s + 30.0, now_s)
    assert refusal.value.retry_after_s == 30
