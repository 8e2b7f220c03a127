"""Limits of a key, fed with time."""

import math

import pytest

from rtc_server.errors import RateLimited
from rtc_server.session.quota import DAY_S, RENEWED_BEFORE_S, KeyLimits, Quotas


def test_without_limits_nothing_ends() -> None:
    lease = Quotas().admit("k", KeyLimits(), 0.0, 0.0)
    assert lease.left_s(1e9, 1e9) == math.inf
    assert lease.expires_at == DAY_S


def test_a_session_without_a_length_is_renewed_before_its_day_ends() -> None:
    lease = Quotas().admit("k", KeyLimits(), 0.0, 1_000.0)
    assert lease.expires_at == 1_000 + DAY_S
    assert not lease.renew(1_000.0 + DAY_S - RENEWED_BEFORE_S - 1)
    late = 1_000.0 + DAY_S - RENEWED_BEFORE_S
    assert lease.renew(late)
    assert lease.expires_at == int(late) + DAY_S
    assert not lease.renew(late)
    limited = Quotas().admit("k", KeyLimits(session_minutes=2), 0.0, 1_000.0)
    assert not limited.renew(1_100.0)


def test_a_key_has_so_many_sessions_at_once_and_gets_one_back() -> None:
    quotas, limits = Quotas(), KeyLimits(sessions=2)
    first, _ = quotas.admit("k", limits, 0.0, 0.0), quotas.admit("k", limits, 0.0, 0.0)
    with pytest.raises(RateLimited, match="All 2 sessions") as refusal:
        quotas.admit("k", limits, 0.0, 0.0)
    assert refusal.value.retry_after_s > 0
    quotas.admit("other", limits, 0.0, 0.0)
    first.end(1.0, 1.0)
    first.end(2.0, 2.0)
    quotas.admit("k", limits, 3.0, 3.0)
    with pytest.raises(RateLimited):
        quotas.admit("k", limits, 3.0, 3.0)


def test_a_session_has_a_length() -> None:
    lease = Quotas().admit("k", KeyLimits(session_minutes=2), 100.0, 5_000.5)
    assert lease.expires_at == 5_120
    assert lease.left_s(190.0, 5_090.5) == 30.0
    assert lease.left_s(221.0, 5_121.5) == 0.0


def test_sessions_of_a_key_drink_from_the_same_minutes() -> None:
    quotas, limits = Quotas(), KeyLimits(minutes_a_day=1)
    one = quotas.admit("k", limits, 0.0, 1_000.0)
    assert one.left_s(20.0, 1_020.0) == 40.0
    two = quotas.admit("k", limits, 20.0, 1_020.0)
    assert one.left_s(20.0, 1_020.0) == two.left_s(20.0, 1_020.0) == 20.0
    one.end(30.0, 1_030.0)
    assert two.left_s(30.0, 1_030.0) == 20.0
    assert two.left_s(50.0, 1_050.0) == 0.0
    two.end(50.0, 1_050.0)
    with pytest.raises(RateLimited, match="midnight UTC") as refusal:
        quotas.admit("k", limits, 50.0, 1_050.0)
    assert refusal.value.retry_after_s == DAY_S - 1_050
    three = quotas.admit("k", limits, 99_999.0, DAY_S + 1.0)
    assert three.left_s(99_999.0, DAY_S + 1.0) == 60.0


def test_a_revoked_key_leaves_nothing() -> None:
    quotas = Quotas()
    mine, other = quotas.admit("k", KeyLimits(), 0.0, 0.0), quotas.admit("o", KeyLimits(), 0.0, 0.0)
    quotas.revoke("k")
    quotas.revoke("never seen")
    assert mine.left_s(0.0, 0.0) == 0.0
    assert other.left_s(0.0, 0.0) == math.inf


def test_keys_of_other_days_are_forgotten() -> None:
    quotas, limits = Quotas(), KeyLimits(minutes_a_day=1)
    for day in range(1000):
        quotas.admit(f"k{day}", limits, day * DAY_S, day * DAY_S).end(
            day * DAY_S + 1.0, day * DAY_S + 1.0
        )
    assert len(quotas._usage) <= 2


def test_minutes_renew_at_midnight_for_a_session_that_runs() -> None:
    limits = KeyLimits(minutes_a_day=10)
    lease = Quotas().admit("k", limits, 1000.0, DAY_S - 300.0)
    assert lease.left_s(1299.0, DAY_S - 1.0) == 301.0
    assert (
        lease.left_s(1600.0, DAY_S + 300.0) == 300.0
    )  # five minutes into the new day, counted from midnight


def test_the_day_is_that_of_a_clock_that_was_set_meanwhile() -> None:
    limits = KeyLimits(minutes_a_day=10)
    lease = Quotas().admit("k", limits, 1000.0, 300.0)  # the host came up with a wrong clock
    assert lease.left_s(1060.0, 360.0) == 540.0
    # It was set to a minute past a later midnight: of the new day one minute is used.
    assert lease.left_s(1120.0, 50 * DAY_S + 60.0) == 540.0
    assert lease.left_s(1180.0, 50 * DAY_S + 120.0) == 480.0


def test_what_a_key_used_before_a_restart_counts() -> None:
    quotas, limits = Quotas(), KeyLimits(minutes_a_day=10)
    quotas.restore({"k": 9 * 60.0}, 5.0, 1_000.0)
    lease = quotas.admit("k", limits, 5.0, 1_000.0)
    assert lease.left_s(5.0, 1_000.0) == 60.0
    assert quotas.used_s(35.0, 1_030.0) == {"k": 570.0}
    assert quotas.used_s(35.0 + DAY_S, 1_030.0 + DAY_S)["k"] < DAY_S, "today's only"
