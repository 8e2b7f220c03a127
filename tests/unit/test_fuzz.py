"""A short fuzz campaign over everything that reads strangers' bytes; see `tests.fuzz.campaign`."""

import time

import pytest

from tests.fuzz.campaign import Found, corpus, fuzz
from tests.fuzz.target import Target
from tests.fuzz.targets import TARGETS

pytestmark = [pytest.mark.real_time, pytest.mark.unmeasured]

INPUTS = 600
MANY_INPUTS = 10 * INPUTS
"""Number of inputs for each target and unit of weight."""
SEED = 1


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
@pytest.mark.parametrize(
    "inputs", [INPUTS, pytest.param(MANY_INPUTS, marks=pytest.mark.slow)], ids=["some", "many"]
)
def test_damaged_input_breaks_nothing_and_is_not_held(target: Target, inputs: int) -> None:
    tally = fuzz(target, iter(range(inputs * target.weight)), SEED)
    assert tally.inputs == inputs * target.weight
    assert tally.kinds > 1  # the damage goes in: not all are refused for the same reason


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_the_corpus_is_read(target: Target) -> None:
    assert all(isinstance(target.read(data), str) for data in corpus(target))


def test_an_input_that_takes_too_long_is_found() -> None:
    def read(data: bytes) -> str:
        until_s = time.thread_time() + (0.02 if len(data) > 3 else 0.0)
        while time.thread_time() < until_s:
            pass
        return "read"

    with pytest.raises(Found, match="ms of CPU"):
        fuzz(Target("slow", read, (b"abc",), limit_s=0.01), iter(range(20)), SEED)
