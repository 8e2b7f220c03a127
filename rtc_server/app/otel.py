"""Traces with OpenTelemetry: the only module that imports it (extra ``otel``).

Destination and sampling are set by the variables that every OpenTelemetry SDK reads, such as
OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS and OTEL_TRACES_SAMPLER. The global tracer
provider of the process is not changed.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.trace import Span as ApiSpan
from opentelemetry.trace import Tracer as ApiTracer

from rtc_server import __version__
from rtc_server.clock import Clock
from rtc_server.errors import ConfigError
from rtc_server.tracing import TRACE_CONTEXT, Attribute, AttributeValue

NAME = "rtc-server"
LAST_EXPORT_S = 5.0
"""Longest wait for the last spans to be exported when the server stops."""


class OtelTraces:
    """Tracer of this process, and the thread that exports what it records."""

    def __init__(self, exporter: SpanExporter, clock: Clock, wall: Clock) -> None:
        """`clock` is the server's, `wall` gives Unix time."""
        # OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win: `create` reads them.
        resource = Resource.create({SERVICE_VERSION: __version__})
        if str(resource.attributes[SERVICE_NAME]).startswith("unknown_service"):
            resource = resource.merge(Resource({SERVICE_NAME: NAME}))
        # Not at exit: `exporting` ends it in time, and a second server may run in this process.
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._exporter = exporter
        self.tracer = OtelTracer(
            self._provider.get_tracer(NAME, __version__), clock, wall() - clock()
        )
        """Tracer for all parts that are traced."""

    @asynccontextmanager
    async def exporting(self) -> AsyncIterator[None]:
        """Export while the block runs, and the last spans for `LAST_EXPORT_S` at most after it.

        Raises:
            ConfigError: the OTEL_BSP variables cannot work together.
        """
        try:
            processor = BatchSpanProcessor(self._exporter)  # made here: it starts a thread
        except ValueError as error:
            raise ConfigError(f"The OTEL_BSP_ variables of --traces cannot work: {error}") from None
        self._provider.add_span_processor(processor)
        try:
            yield
        finally:
            await self._export_the_rest(processor)

    async def _export_the_rest(self, processor: BatchSpanProcessor) -> None:
        loop, over = asyncio.get_running_loop(), asyncio.Event()
        export: Callable[[], None] = processor.shutdown

        def shut_down() -> None:
            try:
                export()
            finally:
                with suppress(RuntimeError):  # the loop has closed: nothing waits
                    loop.call_soon_threadsafe(over.set)

        # Nothing interrupts a request that a collector does not answer, so its thread is left
        # behind. Not `to_thread`: asyncio.run waits for those threads.
        threading.Thread(target=shut_down, name="last traces", daemon=True).start()
        with suppress(TimeoutError):
            async with asyncio.timeout(LAST_EXPORT_S):
                await over.wait()
        if not over.is_set():
            self._exporter.shutdown()  # no more tries


class OtelTracer:
    """Implementation of `Tracer`."""

    def __init__(self, tracer: ApiTracer, clock: Clock, began_at: float) -> None:
        """`began_at` is the Unix time at which `clock` was 0."""
        self._tracer, self._clock, self._began_at = tracer, clock, began_at

    def start(self, name: str, parent: str = "") -> "OtelSpan":
        """Begin a trace, or a span of another process's trace."""
        if not TRACE_CONTEXT.fullmatch(parent):
            return self.begin(name, None, None)
        _, trace_id, span_id, flags = parent.split("-")
        context = SpanContext(
            int(trace_id, 16),
            int(span_id, 16),
            is_remote=True,
            trace_flags=TraceFlags(int(flags, 16)),
        )
        return self.begin(name, NonRecordingSpan(context), None)

    def begin(self, name: str, parent: ApiSpan | None, at_s: float | None) -> "OtelSpan":
        """Begin a span, now or at `at_s` on the server's clock."""
        # From an empty context: the current one may be that of the host application.
        context = set_span_in_context(parent or NonRecordingSpan(_NO_PARENT), Context())
        return OtelSpan(
            self, self._tracer.start_span(name, context=context, start_time=self.nanoseconds(at_s))
        )

    def nanoseconds(self, at_s: float | None) -> int:
        """Return a time of the server's clock as Unix time in ns; None means now."""
        moment_s = self._clock() if at_s is None else at_s
        return round((moment_s + self._began_at) * 1e9)


class OtelSpan:
    """Implementation of `Span`."""

    def __init__(self, tracer: OtelTracer, span: ApiSpan) -> None:
        self._tracer, self._span = tracer, span
        self._is_over = False

    @property
    def context(self) -> str:
        """See `Span.context`."""
        own = self._span.get_span_context()
        if not own.trace_flags.sampled:
            return ""
        return f"00-{own.trace_id:032x}-{own.span_id:016x}-{own.trace_flags:02x}"

    def child(self, name: str, *, at_s: float | None = None) -> "OtelSpan":
        """See `Span.child`."""
        return self._tracer.begin(name, self._span, at_s)

    def note(self, attribute: Attribute, value: AttributeValue) -> None:
        """See `Span.note`."""
        if not self._is_over:
            self._span.set_attribute(attribute.value, value)

    def fail(self, code: str) -> None:
        """See `Span.fail`."""
        if not self._is_over:
            self._span.set_status(Status(StatusCode.ERROR, code))

    def end(self, *, at_s: float | None = None) -> None:
        """See `Span.end`. Idempotent."""
        if not self._is_over:
            self._is_over = True
            self._span.end(self._tracer.nanoseconds(at_s))


def otlp_exporter() -> SpanExporter:
    """Return the exporter that the OTEL_EXPORTER_OTLP variables describe, by HTTP."""
    return OTLPSpanExporter()


_NO_PARENT = SpanContext(0, 0, is_remote=False)
