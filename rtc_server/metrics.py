"""Prometheus metrics, made once by the app and handed down. No labels that carry user content."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from rtc_server.errors import AdmissionRefused, RtcServerError

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
_LATENESS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5)


class Metrics:
    """All metrics of one server. A registry of its own, so that two servers fit in one process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        r = self.registry
        self.ready = Gauge("rtc_ready", "1 while new calls are accepted, like /readyz.", registry=r)
        self.retry_after_seconds = Gauge(
            "rtc_retry_after_seconds",
            "When the engines can carry another session; 0 for at once, else calls are refused.",
            registry=r,
        )
        self.workers = Gauge(
            "rtc_workers", "Media processes that accept calls; 0 if there is only one.", registry=r
        )
        self.worker_restarts = Counter(
            "rtc_worker_restarts", "Media processes that ended unexpectedly.", registry=r
        )
        self.sessions_moved = Counter(
            "rtc_sessions_moved",
            "Sessions that went on in another media process because theirs had ended.",
            registry=r,
        )
        self.sessions = Gauge("rtc_sessions", "Sessions open now.", registry=r)
        self.sessions_closed = Counter(
            "rtc_sessions_closed", "Sessions ended, by reason.", ["reason"], registry=r
        )
        self.waiting_callers = Gauge(
            "rtc_waiting_callers", "Callers in line for a session now.", registry=r
        )
        self.calls_refused = Counter(
            "rtc_calls_refused",
            "Calls refused at signaling, by error code; in_line for each time that a caller in "
            "line was sent its position.",
            ["code"],
            registry=r,
        )
        self.connections = Gauge("rtc_connections", "TCP connections open now.", registry=r)
        self.connections_refused = Counter(
            "rtc_connections_refused",
            "TCP connections not accepted: too many of one address, in all, or no descriptors.",
            ["reason"],
            registry=r,
        )
        self.segments = Counter("rtc_segments", "Segments by final status.", ["status"], registry=r)
        self.not_understood = Counter(
            "rtc_not_understood",
            "Whole segments, guessed ends included, that the engine had no answer for, by reason.",
            ["reason"],
            registry=r,
        )
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
        self.engine_server_up = Gauge(
            "rtc_engine_server_up",
            "1 while an engine server is connected and shows life, by kind of engine and address.",
            ["kind", "server"],
            registry=r,
        )
        self.engine_server_calls = Counter(
            "rtc_engine_server_calls",
            "Calls to engine servers by their end: answered, failed, or unwanted before that.",
            ["kind", "server", "outcome"],
            registry=r,
        )
        self.engine_server_seconds = Histogram(
            "rtc_engine_server_seconds",
            "Length of calls to engine servers, from the question to the whole answer.",
            ["kind"],
            buckets=_SECONDS,
            registry=r,
        )
        self.engine_calls_moved = Counter(
            "rtc_engine_calls_moved",
            "Calls asked of another engine server, for theirs was lost, silent or stopping.",
            ["kind"],
            registry=r,
        )
        self.rooms = Gauge("rtc_rooms", "Rooms open now.", registry=r)
        self.room_listeners = Gauge(
            "rtc_room_listeners", "Listeners and readers in rooms now.", registry=r
        )
        self.room_translations = Counter(
            "rtc_room_translations",
            "Segments given to translation by rooms, by target language: one for each segment and "
            "language, however many listen.",
            ["language"],
            registry=r,
        )
        self.room_frames_encoded = Counter(
            "rtc_room_frames_encoded",
            "Packets of 20 ms encoded by rooms: one for each language, however many listen.",
            registry=r,
        )
        self.first_audio_seconds = Histogram(
            "rtc_first_audio_seconds",
            "End of a segment's speech to its first translated audio frame.",
            buckets=_SECONDS,
            registry=r,
        )
        self.ear_voice_seconds = Histogram(
            "rtc_ear_voice_seconds",
            "First word of a segment, or of a clause of it, to its first translated audio frame.",
            buckets=(*_SECONDS, 20.0, 30.0),
            registry=r,
        )
        self.mended = Counter(
            "rtc_interpreter_mended",
            "Stretches of speech begun afresh because the translation had lost its way, by cause.",
            ["cause"],
            registry=r,
        )
        self.loop_lag_seconds = Histogram(
            "rtc_loop_lag_seconds",
            "How late the event loop ran a timer, ten times a second.",
            buckets=_LATENESS,
            registry=r,
        )
        self.tasks = Gauge("rtc_tasks", "Tasks of the event loop now.", registry=r)
        self.tick_lateness_seconds = Histogram(
            "rtc_tick_lateness_seconds",
            "How late the 20 ms tick of outgoing media was.",
            buckets=_LATENESS,
            registry=r,
        )
        self.packets = Counter(
            "rtc_packets",
            "Media packets of all sessions and rooms: received, lost (they never came), sent.",
            ["way"],
            registry=r,
        )
        self.repaired_seconds = Counter(
            "rtc_repaired_seconds",
            "Lost audio that was recovered from redundancy, or concealed.",
            ["how"],
            registry=r,
        )
        self.datagrams_dropped = Counter(
            "rtc_datagrams_dropped",
            "Datagrams from strangers, malformed ones, and floods.",
            registry=r,
        )
        self.media_faults = Counter(
            "rtc_media_faults",
            "Media packets lost to a bug of this server; the log says where.",
            registry=r,
        )
        self.jitter_seconds = Histogram(
            "rtc_jitter_seconds",
            "Interarrival jitter of each session and room speaker, each second.",
            buckets=(0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2),
            registry=r,
        )
        self.buffer_target_seconds = Histogram(
            "rtc_buffer_target_seconds",
            "How long the jitter buffer of each session and room speaker waits for overtaken "
            "packets, each second.",
            buckets=(0.0, 0.01, 0.02, 0.04, 0.06, 0.1, 0.15, 0.2),
            registry=r,
        )
        self.session_loss = Histogram(
            "rtc_session_loss",
            "Share of the packets of a session or room speaker that never came, reported at its "
            "end.",
            buckets=(0.0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5),
            registry=r,
        )
        self.session_drift_ppm = Histogram(
            "rtc_session_drift_ppm",
            "Clock drift of the client of a session, or of a room speaker, either way, reported "
            "at its end.",
            buckets=(10, 20, 50, 100, 200, 500, 1000, 5000),
            registry=r,
        )
        self._make_first_series()

    def _make_first_series(self) -> None:
        """Count from 0 what alerts watch: of a series that begins at 1 nobody sees the increase."""
        for reason in ("error", "failed", "connect_timeout"):
            self.sessions_closed.labels(reason)
        for kind in ("ast", "tts"):
            for cause in ("crash", "timeout", "faults"):
                self.engine_restarts.labels(kind=kind, cause=cause)
        self.calls_refused.labels("session_limit_reached")
        self.segments.labels("failed")
        for queue in ("log", "usage", "journal"):
            self.queue_drops.labels(queue)

    def count_refusal(self, error: RtcServerError) -> None:
        """Count a call that was refused. One that waits in line comes again and was not turned
        away.
        """
        waits = isinstance(error, AdmissionRefused) and error.line_ticket is not None
        self.calls_refused.labels("in_line" if waits else error.code).inc()

    def exposition(self) -> bytes:
        """Return Prometheus text format 0.0.4."""
        return generate_latest(self.registry)
