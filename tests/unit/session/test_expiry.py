"""Ends that come by themselves, fed with time."""

from rtc_server.events.server import ExpiringEvent, ExpiringReason
from rtc_server.session.expiry import EXPIRING_S, Expiry
from rtc_server.session.quota import KeyLimits, Lease, Quotas

IDLE, LIMIT = ExpiringReason.IDLE, ExpiringReason.LIMIT


def lease(session_minutes: int = 0) -> Lease:
    return Quotas().admit("k", KeyLimits(session_minutes=session_minutes), 0.0, 0.0)


def test_without_limits_there_is_never_news() -> None:
    expiry = Expiry(lease(), 0, 0.0)
    assert expiry.news(1e9, 1e9) is None


def test_silence_is_told_a_minute_before_it_ends_the_session_and_then_again() -> None:
    expiry = Expiry(lease(), 5, 0.0)
    told = [(now_s, expiry.news(now_s, now_s)) for now_s in range(0, 301, 10)]
    assert [(now_s, event) for now_s, event in told if event] == [
        (300 - EXPIRING_S, ExpiringEvent(60_000, IDLE)),
        (300, ExpiringEvent(0, IDLE)),
    ]


def test_speech_calls_it_off_and_the_next_silence_is_news_again() -> None:
    expiry = Expiry(lease(), 5, 0.0)
    assert expiry.news(250.0, 250.0) == ExpiringEvent(50_000, IDLE)
    expiry.active(260.0)
    assert expiry.news(300.0, 300.0) is None
    assert expiry.news(550.0, 550.0) == ExpiringEvent(10_000, IDLE)


def test_the_nearer_end_is_the_one_that_counts() -> None:
    expiry = Expiry(lease(session_minutes=6), 5, 0.0)
    assert expiry.left_s(0.0, 0.0) == (300.0, IDLE)
    assert expiry.news(240.0, 240.0) == ExpiringEvent(60_000, IDLE)
    expiry.active(299.0)
    assert expiry.left_s(300.0, 300.0) == (60.0, LIMIT)
    assert expiry.news(301.0, 301.0) == ExpiringEvent(59_000, LIMIT)
    assert expiry.news(360.0, 360.0) == ExpiringEvent(0, LIMIT)
