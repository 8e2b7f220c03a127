"""Prometheus metrics, made once by the app and handed down. No labels that carry user content."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (
    0.01,
    0.02,
    0.05,
    0.1,
    0.15,
    0.2,
    0.3,
    0.4,
    0.5,
    0.6,
    0.8,
    1.0,
    1.5,
    2.0,
    3.0,
    5.0,
    10.0,
)


class Metrics:
    """All metrics of one server. A registry of its own, so that two servers fit in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        r = self.registry
        self.sessions = Gauge("rtc_sessions", "Sessions open now.", registry=r)
        self.sessions_closed = Counter(
            "rtc_sessions_closed", "Sessions ended, by reason.", ["reason"], registry=r
        )
        self.calls_refused = Counter(
            "rtc_calls_refused", "Calls refused at signaling, by error code.", ["code"], registry=r
        )
        self.segments = Counter("rtc_segments", "Segments by final status.", ["status"], registry=r)
        self.queue_drops = Counter(
            "rtc_queue_drops",
            "Things dropped from bounded queues, by queue.",
            ["queue"],
            registry=r,
        )
        self.engine_restarts = Counter(
            "rtc_engine_restarts",
            "Engine processes replaced, by kind and cause.",
            ["kind", "cause"],
            registry=r,
        )
        self.engine_batch_size = Histogram(
            "rtc_engine_batch_size",
            "Requests in one engine call.",
            ["kind"],
            buckets=(1, 2, 4, 8, 16, 32, 64),
            registry=r,
        )
        self.engine_seconds = Histogram(
            "rtc_engine_seconds", "Length of engine calls.", ["kind"], buckets=_SECONDS, registry=r
        )
        self.first_audio_seconds = Histogram(
            "rtc_first_audio_seconds",
            "End of a segment's speech to its first translated audio frame.",
            buckets=_SECONDS,
            registry=r,
        )
        self.loop_lag_seconds = Histogram(
            "rtc_loop_lag_seconds",
            "How late the event loop ran a 20 ms timer.",
            buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5),
            registry=r,
        )

    def exposition(self) -> bytes:
        """Prometheus text format 0.0.4."""
        return generate_latest(self.registry)
