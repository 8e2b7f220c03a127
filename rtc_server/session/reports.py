"""Reports of a session to its client, once a second. Pure."""

from rtc_server.events.server import MetricsEvent, StatsEvent
from rtc_server.interpreter.delays import Delays
from rtc_server.transport.transport_api import TransportStats


def metrics_event(
    delays: Delays | None, stats: TransportStats, *, queue_ms: float, queue_drops: int
) -> MetricsEvent:
    """Return ``x.metrics``: delays of the last translated segment, and the state of
    the transport.
    """
    packets = stats.packets_received + stats.packets_lost
    return MetricsEvent(
        endpoint_ms=delays.endpoint_ms if delays else None,
        ast_ms=delays.ast_ms if delays else None,
        tts_ms=delays.tts_ms if delays else None,
        first_audio_ms=delays.first_audio_ms if delays else None,
        ear_voice_ms=delays.ear_voice_ms if delays else None,
        queue_ms=queue_ms,
        queue_drops=queue_drops,
        loss=stats.packets_lost / packets if packets else 0.0,
        jitter_ms=stats.jitter_ms,
        packets_received=stats.packets_received,
        packets_sent=stats.packets_sent,
        recovered_ms=stats.recovered_ms,
        concealed_ms=stats.concealed_ms,
        buffer_target_ms=stats.buffer_target_ms,
        drift_ppm=stats.drift_ppm,
    )


def stats_event(delays: Delays | None, *, queue_depth: int, queue_drops: int) -> StatsEvent:
    """Return ``stats``: the same in three numbers."""
    return StatsEvent(
        latency_ms=delays.first_audio_ms if delays else None,
        queue_depth=queue_depth,
        queue_drops=queue_drops,
    )
