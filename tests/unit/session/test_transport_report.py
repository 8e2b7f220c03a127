"""Counters of many transports in one server's metrics."""

from rtc_server.metrics import Metrics
from rtc_server.session.transport_report import TransportReport
from rtc_server.transport.transport_api import TransportStats


def value(metrics: Metrics, name: str, **labels: str) -> float:
    found = metrics.registry.get_sample_value(name, labels)
    assert found is not None
    return found


def test_sessions_add_up_whenever_they_are_looked_at() -> None:
    metrics = Metrics()
    one, other = TransportReport(metrics), TransportReport(metrics)
    stats = TransportStats(
        packets_received=90, packets_lost=10, packets_sent=50, concealed_ms=120.0
    )
    one.sample(stats)
    one.sample(stats)
    stats.packets_received, stats.concealed_ms, stats.recovered_ms = 190, 200.0, 60.0
    one.sample(stats)
    other.finish(TransportStats(packets_received=100, datagrams_dropped=7, messages_dropped=3))
    assert value(metrics, "rtc_packets_total", way="received") == 290
    assert value(metrics, "rtc_packets_total", way="lost") == 10
    assert value(metrics, "rtc_packets_total", way="sent") == 50
    assert round(value(metrics, "rtc_repaired_seconds_total", how="concealed"), 6) == 0.2
    assert round(value(metrics, "rtc_repaired_seconds_total", how="recovered"), 6) == 0.06
    assert value(metrics, "rtc_datagrams_dropped_total") == 7
    assert value(metrics, "rtc_queue_drops_total", queue="events") == 3
    assert value(metrics, "rtc_jitter_seconds_count") == 3


def test_a_late_packet_takes_its_loss_back_without_a_negative_count() -> None:
    metrics = Metrics()
    report = TransportReport(metrics)
    for lost in (5, 4, 6):
        report.sample(TransportStats(packets_lost=lost))
    assert value(metrics, "rtc_packets_total", way="lost") == 6


def test_loss_and_drift_are_told_once_at_the_end_of_those_that_spoke() -> None:
    metrics = Metrics()
    TransportReport(metrics).finish(
        TransportStats(packets_received=95, packets_lost=5, drift_ppm=-300.0)
    )
    TransportReport(metrics).finish(TransportStats())
    assert value(metrics, "rtc_session_loss_count") == 1
    assert round(value(metrics, "rtc_session_loss_sum"), 6) == 0.05
    assert value(metrics, "rtc_session_drift_ppm_sum") == 300
