"""Reports of a session to its client, once a second."""

from collections.abc import Awaitable, Callable

from rtc_server.events.server import MetricsEvent, StatsEvent
from rtc_server.interpreter.delays import Delays
from rtc_server.interpreter.interpreter import Interpreter
from rtc_server.session.client_connection import ClientConnection
from rtc_server.session.event_stream import EventStream
from rtc_server.session.session_settings import SessionSettings
from rtc_server.transport.transport_api import TransportStats

METRICS_INTERVAL_S = 1.0
"""Interval of ``x.metrics`` and ``stats``."""


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
    """Return ``stats``: the most important of them, in three numbers."""
    return StatsEvent(
        latency_ms=delays.first_audio_ms if delays else None,
        queue_depth=queue_depth,
        queue_drops=queue_drops,
    )


class ClientReports:
    """Reports to one client, once a second while it is connected."""

    def __init__(
        self,
        interpreter: Interpreter,
        connection: ClientConnection,
        events: EventStream,
        settings: SessionSettings,
        *,
        wants_stats: bool,
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        """`wants_stats`: True to send ``stats``, whatever the client's settings. `sleep`: see
        `MediaScheduler.sleep`.
        """
        self._interpreter, self._connection = interpreter, connection
        self._events, self._settings, self._wants_stats = events, settings, wants_stats
        self._sleep = sleep

    async def run(self) -> None:
        """Report until cancelled."""
        while True:
            await self._sleep(METRICS_INTERVAL_S)
            binding = self._connection.binding
            if binding is not None and binding.connected:
                binding.sample()
                self._connection.note_sign_of_life(binding)
                self._report(binding.stats)

    def _report(self, stats: TransportStats) -> None:
        interpreter = self._interpreter
        delays = interpreter.last_delays
        drops = interpreter.queue_drops + self._connection.messages_dropped
        if self._settings.wants_metrics:
            queue_ms = interpreter.queue_ms
            self._events.emit(metrics_event(delays, stats, queue_ms=queue_ms, queue_drops=drops))
        if self._wants_stats:
            depth = interpreter.queue_depth
            self._events.emit(stats_event(delays, queue_depth=depth, queue_drops=drops))
