"""Rules for TCP connections, without a network."""

import resource
from dataclasses import dataclass, field
from ipaddress import ip_network
from unittest import mock

import pytest

from rtc_server.app.connections import (
    FRUITLESS_S,
    Connection,
    ConnectionBook,
    ConnectionLimits,
    ConnectionRefused,
    descriptor_reserve,
    raise_file_limit,
    usual_total,
)
from rtc_server.signaling.proxies import TrustedProxies, counted_source


@dataclass
class Opened:
    """Connections of a book, and those that were closed."""

    book: ConnectionBook
    closed: list[str] = field(default_factory=list)
    looks: int = 0
    """Number of times that a connection was asked whether it is idle."""
    now_s: float = 0.0

    def open(
        self, source: str, *, idle: bool = True, name: str = "", short: bool = False
    ) -> Connection:
        place = self.book.admit(source, is_short=short)
        place.is_idle = lambda: self._is_idle(idle)
        place.close = lambda: self.closed.append(name or source)
        return place

    def _is_idle(self, idle: bool) -> bool:
        self.looks += 1
        return idle

    def refused(self, source: str, *, short: bool = False) -> str:
        with pytest.raises(ConnectionRefused) as error:
            self.book.admit(source, is_short=short)
        return error.value.reason


def opened(total: int = 0, per_address: int = 0) -> Opened:
    there = Opened(ConnectionBook(ConnectionLimits(total, per_address)))
    there.book.clock = lambda: there.now_s
    return there


def test_an_address_that_has_its_share_gives_up_its_oldest_idle_connection() -> None:
    there = opened(per_address=3)
    there.open("a", idle=False, name="busy")
    there.open("a", name="old")
    there.open("a", name="young")
    there.open("a", name="new")
    assert there.closed == ["old"]
    assert len(there.book) == 3
    there.open("b")
    assert there.closed == ["old"]


def test_an_address_whose_connections_are_all_at_work_gets_no_more() -> None:
    there = opened(per_address=2)
    there.open("a", idle=False)
    place = there.open("a", idle=False)
    assert there.refused("a") == "address"
    there.book.remove(place)
    there.book.remove(place)  # told twice
    there.open("a", idle=False)
    assert len(there.book) == 2


def test_whoever_is_not_counted_by_address_is_counted_in_all() -> None:
    there = opened(total=3, per_address=1)
    for _ in range(3):
        there.open("", idle=False)
    assert there.refused("") == "full"


def test_when_all_places_are_taken_whoever_has_most_loses_an_idle_one() -> None:
    there = opened(total=4)
    there.open("honest")
    for name in ("first", "second", "third"):
        there.open("many", name=name)
    there.open("probe")
    assert there.closed == ["first"]
    there.open("probe")
    assert there.closed == ["first", "second"]
    assert len(there.book) == 4


@pytest.mark.parametrize("short", [False, True])
def test_whoever_has_most_and_is_at_work_does_not_shield_the_idle_ones_of_others(
    short: bool,
) -> None:
    there = opened(total=0 if short else 6)
    for _ in range(3):
        there.open("audience", idle=False)
    for name in ("first", "second"):
        there.open("many", name=name)
    there.open("few")
    there.open("honest", idle=False, short=short)
    assert there.closed == ["first"]
    assert len(there.book) == 6


def test_short_descriptors_take_an_idle_connection_too() -> None:
    there = opened()
    assert there.refused("a", short=True) == "descriptors"
    there.now_s += FRUITLESS_S
    there.open("a")
    there.open("b", short=True)
    assert there.closed == ["a"]
    assert len(there.book) == 1


def test_a_flood_does_not_have_every_connection_looked_at_for_each_of_its_own() -> None:
    there = opened(total=4)
    places = [there.open("audience", idle=False) for _ in range(4)]
    for _ in range(100):
        assert there.refused("flood") == "full"
    assert there.looks == 4
    places[2].is_idle = lambda: True
    there.now_s += FRUITLESS_S * 0.9
    assert there.refused("flood") == "full"
    assert there.looks == 4
    there.now_s += FRUITLESS_S * 0.2
    there.open("honest")  # a connection that has become idle since makes room
    assert len(there.book) == 4


def test_half_of_the_descriptors_stay_for_calls_and_engines() -> None:
    assert usual_total(1024) == 512
    assert usual_total(1 << 20) == 4096
    assert descriptor_reserve(1024) == 256
    assert descriptor_reserve(256) == 64


def test_the_soft_limit_is_raised_to_the_hard_one() -> None:
    limits = [(1024, 4096)]
    with (
        mock.patch.object(resource, "getrlimit", lambda _which: limits[-1]),
        mock.patch.object(resource, "setrlimit", lambda _which, new: limits.append(new)),
    ):
        assert raise_file_limit() == 4096
        assert raise_file_limit() == 4096
    assert limits == [(1024, 4096), (4096, 4096)]


@pytest.mark.parametrize(
    ("address", "source"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("127.0.0.1", ""),
        ("::1", ""),
        ("10.1.2.3", ""),
        ("::ffff:127.0.0.1", ""),
        ("::ffff:10.1.2.3", ""),
        ("", ""),
    ],
)
def test_who_is_counted_for_an_address(address: str, source: str) -> None:
    proxies = TrustedProxies((ip_network("10.0.0.0/8"),))
    assert counted_source(address, proxies) == source
