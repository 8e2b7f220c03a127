"""Traces of a process: off and not loaded by default, refused with a remedy, exported at exit."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Sequence

import pytest
from opentelemetry import baggage
from opentelemetry.context import Context, attach, detach
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from rtc_server.app import otel
from rtc_server.app.otel import OtelTracer, OtelTraces
from rtc_server.app.traces import make_traces
from rtc_server.clock import monotonic, wall
from rtc_server.config import HttpSettings
from rtc_server.errors import ConfigError
from rtc_server.tracing import NO_TRACES

CODE = """
import sys
from rtc_server.app.parts import build
from rtc_server.config import Settings
build(Settings())
print([each for each in sys.modules if each.startswith("opentelemetry")])
"""


def test_nothing_is_traced_unless_it_is_asked_for() -> None:
    assert make_traces(HttpSettings(), monotonic, wall).tracer is NO_TRACES
    span = NO_TRACES.start("call")
    assert span.child("segment").context == ""


def test_a_server_without_traces_loads_nothing_of_opentelemetry() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_without_its_packages_the_refusal_says_how_to_get_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "rtc_server.app.otel", raising=False)
    monkeypatch.delattr("rtc_server.app.otel", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(ConfigError, match=r"pip install .*opentelemetry-sdk"):
        make_traces(HttpSettings(traces="otlp"), monotonic, wall)


@pytest.mark.real_time
async def test_what_was_recorded_is_exported_before_the_end() -> None:
    exporter = InMemorySpanExporter()
    traces = OtelTraces(exporter, monotonic, wall)
    before = wall()
    async with traces.exporting():
        traces.tracer.start("call").end()
    [span] = exporter.get_finished_spans()
    assert span.start_time is not None
    assert before - 1 < span.start_time / 1e9 < wall() + 1
    assert span.resource.attributes["service.name"] == "rtc-server"


async def test_the_name_of_the_service_is_the_operators(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_SERVICE_NAME", "interpreter-eu")
    traces = OtelTraces(InMemorySpanExporter(), monotonic, wall)
    span = traces.tracer.start("call")
    assert span._span.resource.attributes["service.name"] == "interpreter-eu"  # type: ignore[attr-defined]


class StuckExporter(SpanExporter):
    """Exporter to a collector that accepts and does not answer."""

    def __init__(self) -> None:
        self.answered = threading.Event()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.answered.wait()
        return SpanExportResult.SUCCESS


@pytest.mark.real_time
async def test_the_end_does_not_wait_for_a_collector_that_does_not_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(otel, "LAST_EXPORT_S", 0.1)
    exporter = StuckExporter()
    traces = OtelTraces(exporter, monotonic, wall)
    try:
        async with asyncio.timeout(20), traces.exporting():
            traces.tracer.start("call").end()
        assert not exporter.answered.is_set()
    finally:
        exporter.answered.set()


async def test_variables_that_cannot_work_are_refused_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4096")
    traces = OtelTraces(InMemorySpanExporter(), monotonic, wall)
    with pytest.raises(ConfigError, match=r"OTEL_BSP_.*max_export_batch_size"):
        async with traces.exporting():
            pass


class KeptContexts(SpanProcessor):
    """Contexts in which spans began."""

    def __init__(self) -> None:
        self.all: list[Context | None] = []

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        self.all.append(parent_context)


def test_the_context_of_the_host_application_is_no_part_of_a_trace() -> None:
    kept, provider = KeptContexts(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(kept)
    token = attach(baggage.set_baggage("tenant", "host"))
    try:
        OtelTracer(provider.get_tracer("test"), lambda: 0.0, 0.0).start("call").child("segment")
    finally:
        detach(token)
    assert [dict(baggage.get_all(context)) for context in kept.all] == [{}, {}]
