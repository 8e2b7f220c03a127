"""Delays before workers are started again."""

from rtc_server.app.workers.restarts import CALM_S, FIRST_S, LONGEST_S, WorkerRestarts


def test_each_failure_doubles_the_delay_up_to_a_limit() -> None:
    restarts, now_s, delays = WorkerRestarts(), 0.0, []
    for _ in range(12):
        restarts.began(now_s)
        now_s += 1.0
        delays.append(restarts.delay_s(now_s))
        now_s += delays[-1]
    assert delays[:4] == [FIRST_S, 2 * FIRST_S, 4 * FIRST_S, 8 * FIRST_S]
    assert delays[-1] == LONGEST_S == max(delays)


def test_a_worker_that_ran_for_long_is_back_soon() -> None:
    restarts = WorkerRestarts()
    for _ in range(8):
        restarts.delay_s(0.0)
    restarts.began(100.0)
    assert restarts.delay_s(100.0 + CALM_S) == FIRST_S
