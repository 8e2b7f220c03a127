"""A minute of misbehaviour beside honest callers; `bench.chaos` takes ten and reports the times."""

import pytest

from bench import chaos

GROWTH_MB = 50.0
"""Permitted growth. The server goes from 114 MB to 142 within a minute and a half, at the full
speed of visits, and stays there for ten minutes (`bench.chaos`). `test_many_sessions` checks that
sessions free what they took.
"""


@pytest.mark.slow
async def test_honest_callers_are_answered_and_all_is_given_back() -> None:
    outcome = await chaos.run(minutes=1.0, seed=14, hands=2)
    assert sum(each.said for each in outcome.honest.values()) > 0
    assert outcome.unanswered == 0
    assert outcome.after.is_back(outcome.before), (outcome.before, outcome.after)
    assert outcome.after.memory_mb - outcome.before.memory_mb < GROWTH_MB
    assert outcome.complaints == []
    assert not [code for code in outcome.answers if code >= 500 and code != 503]
