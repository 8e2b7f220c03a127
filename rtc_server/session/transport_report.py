"""Counters of one transport of a session or a room, added to the server's metrics."""

from dataclasses import replace

from rtc_server.metrics import Metrics
from rtc_server.transport.transport_api import TransportStats


class TransportReport:
    """Report of one transport: adds the growth of its counters to the metrics of the server."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._last = TransportStats()

    def sample(self, stats: TransportStats) -> None:
        """Add what happened since the last call, once a second while connected."""
        self._count(stats)
        if stats.packets_received:  # a listener sends no audio, and has no jitter
            self._metrics.jitter_seconds.observe(stats.jitter_ms / 1000)
            self._metrics.buffer_target_seconds.observe(stats.buffer_target_ms / 1000)

    def finish(self, stats: TransportStats) -> None:
        """Add the rest at the end of a transport that was connected."""
        self._count(stats)
        packets = stats.packets_received + stats.packets_lost
        if packets:
            self._metrics.session_loss.observe(stats.packets_lost / packets)
            self._metrics.session_drift_ppm.observe(abs(stats.drift_ppm))

    def _count(self, stats: TransportStats) -> None:
        metrics, last = self._metrics, self._last
        # A late packet lowers the number of lost ones, but a counter cannot go down.
        now = self._last = replace(stats, packets_lost=max(stats.packets_lost, last.packets_lost))
        metrics.packets.labels("received").inc(now.packets_received - last.packets_received)
        metrics.packets.labels("lost").inc(now.packets_lost - last.packets_lost)
        metrics.packets.labels("sent").inc(now.packets_sent - last.packets_sent)
        recovered_ms = now.recovered_ms - last.recovered_ms
        metrics.repaired_seconds.labels("recovered").inc(recovered_ms / 1000)
        concealed_ms = now.concealed_ms - last.concealed_ms
        metrics.repaired_seconds.labels("concealed").inc(concealed_ms / 1000)
        metrics.queue_drops.labels("events").inc(now.messages_dropped - last.messages_dropped)
        metrics.datagrams_dropped.inc(now.datagrams_dropped - last.datagrams_dropped)
        metrics.media_faults.inc(now.media_faults - last.media_faults)
