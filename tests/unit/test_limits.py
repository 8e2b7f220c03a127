"""Token buckets: one, one for each name, and one for log lines."""

from rtc_server.limits import Buckets, LogLimit, Rate, ReasonLimit, TokenBucket, not_logged


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


def test_a_bucket_empties_and_fills() -> None:
    buckets, rate = Buckets[str](10), Rate(burst=2, per_second=0.5)
    assert [buckets.take("a", rate, 0.0) for _ in range(4)] == [0, 0, 2.0, 2.0]
    assert buckets.wait_s("a", rate, 1.0) == 1.0
    assert buckets.wait_s("b", rate, 1.0) == 0
    assert buckets.take("a", rate, 2.0) == 0
    assert buckets.take("a", rate, 1e9) == buckets.take("a", rate, 1e9) == 0
    assert buckets.take("a", rate, 1e9) == 2.0


def test_buckets_are_bounded_and_keep_who_is_at_it() -> None:
    buckets, rate = Buckets[str](100), Rate(burst=3, per_second=0.001)
    for i in range(10_000):
        buckets.take("busy", rate, 0.0) if i in (0, 50, 120) else None
        buckets.take(f"other {i}", rate, 0.0)
    assert len(buckets) == 100
    buckets = Buckets[str](100)
    for _ in range(3):
        buckets.take("busy", rate, 0.0)
        for k in range(98):
            buckets.take(f"other {k}", rate, 0.0)
    assert buckets.take("busy", rate, 0.0) > 0


def test_the_log_limit_counts_what_it_held_back() -> None:
    limit = LogLimit(burst=2, per_second=1.0)
    assert [limit.admit(5.0) for _ in range(5)] == [0, 0, None, None, None]
    assert limit.admit(5.5) is None
    assert limit.admit(6.0) == 4
    assert [limit.admit(100.0) for _ in range(3)] == [0, 0, None]


def test_a_bucket_may_be_overdrawn_and_says_when_it_is_paid_back() -> None:
    bucket = TokenBucket(Rate(burst=10, per_second=2))
    assert bucket.overdraw(10, 5.0) == 0.0
    assert bucket.overdraw(3, 5.0) == 1.5
    assert bucket.overdraw(1, 6.0) == 1.0
    assert bucket.take(6.0) == 1.5
    assert bucket.overdraw(10, 100.0) == 0.0


def test_who_is_refused_again_and_again_is_not_forgotten() -> None:
    """Otherwise other names would give a flood its burst again."""
    buckets, rate = Buckets[int](3), Rate(burst=1, per_second=0.001)
    assert buckets.take(0, rate, 0.0) == 0
    for other in range(1, 100):
        buckets.take(other, rate, 0.0)
        assert buckets.take(0, rate, 0.0) > 0


def test_a_reason_is_logged_when_it_is_new_and_reasons_that_take_turns_are_counted() -> None:
    limit = ReasonLimit(burst=3, per_second=0.1)
    assert [limit.admit(each, 0.0) for each in ("a", "a", "", "a", "b")] == [0, None, None, 0, 0]
    turns = [limit.admit(each, 1.0) for each in ("a", "b", "a", "")]
    assert turns == [None, None, None, None]
    assert limit.admit("a", 2.0) is None
    assert limit.admit("a", 20.0) == 3  # it lasts
    assert limit.admit("a", 30.0) is None


def test_a_line_says_how_many_others_it_stands_for() -> None:
    assert (not_logged(0), not_logged(3)) == ("", " (3 more not logged)")
