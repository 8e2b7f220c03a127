"""Traces of a process: off and unloaded by default, refused with a way out, exported to the end."""

import subprocess
import sys

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from rtc_server.app.otel import OtelTraces
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
