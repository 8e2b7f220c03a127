"""Time after which it pays to ask a full server again."""

import pytest

from rtc_server.session.place_limits import RETRY_UNKNOWN_S, Turnover


@pytest.mark.parametrize(
    ("ends_s", "now_s", "retry_s"),
    [
        ([], 100.0, RETRY_UNKNOWN_S),
        ([100.0 + 10.0 * n for n in range(20)], 300.0, 10),  # one in ten seconds
        ([100.0 + 0.1 * n for n in range(2000)], 300.0, 2),  # many a second: all at once is no use
        ([100.0], 140.0, 40),  # one so far
        ([100.0], 390.0, 60),  # nobody has to wait for minutes
        ([100.0], 401.0, RETRY_UNKNOWN_S),  # long ago
    ],
)
def test_callers_come_back_when_a_place_is_likely(
    ends_s: list[float], now_s: float, retry_s: int
) -> None:
    turnover = Turnover()
    for end_s in ends_s:
        turnover.end(end_s)
    assert turnover.retry_after_s(now_s) == retry_s
