"""The order in which tests are handed to workers."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from tests.support.worker_order import dealt


@given(st.integers(0, 40), st.integers(0, 200), st.integers(1, 8))
def test_each_worker_begins_with_its_part_of_the_slow_tests(
    slow: int, quick: int, workers: int
) -> None:
    order = dealt([-1 - each for each in range(slow)], range(quick), workers)
    assert sorted(order) == [*range(-slow, 0), *range(quick)]
    if quick < workers * (slow + 1):
        return  # with so few quick ones a piece may be shorter than its worker's part
    begins = [len(order) * worker // workers for worker in range(workers + 1)]
    for worker, (begin, end) in enumerate(itertools.pairwise(begins)):
        mine = len(range(worker, slow, workers))
        assert all(each < 0 for each in order[begin : begin + mine])
        assert all(each >= 0 for each in order[begin + mine : end])


def test_without_slow_tests_the_order_is_kept() -> None:
    assert dealt([], range(7), 3) == [*range(7)]
