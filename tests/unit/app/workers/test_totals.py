"""Metrics of several workers as one exposition."""

from prometheus_client.parser import text_string_to_metric_families

from rtc_server.app.workers.totals import Totals
from rtc_server.metrics import Metrics


def worker(sessions: int, refused: int, lag_s: float, retry_after_s: int = 0) -> Metrics:
    metrics = Metrics()
    metrics.ready.set(1)
    metrics.sessions.set(sessions)
    metrics.calls_refused.labels("session_limit_reached").inc(refused)
    metrics.loop_lag_seconds.observe(lag_s)
    metrics.retry_after_seconds.set(retry_after_s)
    return metrics


def samples(totals: Totals, own: Metrics) -> dict[str, float]:
    found = {}
    for family in text_string_to_metric_families(totals.exposition(own.exposition().decode())):
        for sample in family.samples:
            labels = ",".join(f"{k}={v}" for k, v in sorted(sample.labels.items()))
            name = f"{sample.name}{{{labels}}}" if labels else sample.name
            assert name not in found
            found[name] = sample.value
    return found


def take(totals: Totals, number: int, metrics: Metrics) -> None:
    totals.take(number, metrics.exposition().decode())


def test_counters_gauges_and_histograms_are_added_up() -> None:
    totals, own = Totals(), Metrics()
    own.ready.set(1)
    own.connections.set(7)
    take(totals, 1, worker(3, 2, 0.004, retry_after_s=5))
    take(totals, 2, worker(4, 1, 0.2))
    found = samples(totals, own)
    assert found["rtc_sessions"] == 7
    assert found["rtc_calls_refused_total{code=session_limit_reached}"] == 3
    assert found["rtc_loop_lag_seconds_count"] == 2
    assert found["rtc_loop_lag_seconds_bucket{le=0.005}"] == 1
    assert found["rtc_connections"] == 7
    assert found["rtc_ready"] == 1  # of the whole server, not of each worker
    assert found["rtc_retry_after_seconds"] == 0  # a call goes to a worker that has room


def test_what_a_worker_counted_stays_when_it_is_gone() -> None:
    totals, own = Totals(), Metrics()
    take(totals, 1, worker(3, 2, 0.004))
    take(totals, 2, worker(4, 1, 0.004))
    totals.end(1)
    totals.end(1)
    found = samples(totals, own)
    assert found["rtc_sessions"] == 4
    assert found["rtc_calls_refused_total{code=session_limit_reached}"] == 3
    assert found["rtc_loop_lag_seconds_count"] == 2


def test_an_engine_server_that_one_worker_has_lost_is_down() -> None:
    totals = Totals()
    for number, is_up in ((1, 1), (2, 0), (3, 1)):
        metrics = Metrics()
        metrics.engine_server_up.labels("ast", "lost").set(is_up)
        metrics.engine_server_up.labels("ast", "there").set(1)
        take(totals, number, metrics)
    found = samples(totals, Metrics())
    assert found["rtc_engine_server_up{kind=ast,server=lost}"] == 0
    assert found["rtc_engine_server_up{kind=ast,server=there}"] == 1


def test_every_metric_of_one_process_is_there() -> None:
    alone = set(samples(Totals(), Metrics()))
    totals = Totals()
    take(totals, 1, Metrics())
    assert set(samples(totals, Metrics())) == alone
