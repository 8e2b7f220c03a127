"""The token bucket under every rate limit."""

from rtc_server.rates import Rate, TokenBucket


def test_a_bucket_allows_its_burst_and_then_its_rate() -> None:
    bucket = TokenBucket(Rate(burst=20, per_second=10))
    assert sum(not bucket.take(5.0) for _ in range(100)) == 20
    assert sum(not bucket.take(6.0) for _ in range(100)) == 10
    assert sum(not bucket.take(100.0) for _ in range(100)) == 20


def test_a_refusal_says_when_to_come_again_and_costs_nothing() -> None:
    bucket = TokenBucket(Rate(burst=1, per_second=0.5))
    assert bucket.take(0.0) == 0
    assert bucket.take(0.0) == bucket.take(0.0) == bucket.wait_s(0.0) == 2.0
    assert bucket.wait_s(1.5) == 0.5
    assert bucket.wait_s(2.0) == bucket.take(2.0) == 0
    assert bucket.take(2.0) == 2.0


def test_a_clock_that_steps_back_gives_and_takes_nothing() -> None:
    bucket = TokenBucket(Rate(burst=2, per_second=1))
    assert [bucket.take(at_s) for at_s in (10.0, 0.0, 0.0)] == [0, 0, 1.0]


def test_another_rate_counts_from_the_next_call() -> None:
    bucket = TokenBucket(Rate(burst=10, per_second=1))
    bucket.rate = Rate(burst=2, per_second=1)
    assert sum(not bucket.take(100.0) for _ in range(10)) == 2
