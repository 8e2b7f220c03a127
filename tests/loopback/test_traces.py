"""A call over WebRTC with engines in an engine server: one trace, taken by a collector."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from rtc_server.app.engine_server import engine_server
from rtc_server.app.server import running
from rtc_server.config import EngineSettings, HttpSettings, Settings
from tests.support.patient import PATIENT
from tests.support.server import call, freed, of, said


@dataclass
class Collector:
    """Receiver of exports, and their bodies."""

    bodies: list[bytes] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.read())
        return web.Response()

    @property
    def spans(self) -> dict[str, Span]:
        return {
            span.name: span
            for body in self.bodies
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        }


@asynccontextmanager
async def collecting(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Collector]:
    collector = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", collector.take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "none")
    try:
        yield collector
    finally:
        await runner.cleanup()


async def test_a_call_is_one_trace_through_an_engine_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    http = HttpSettings(port=0, traces="otlp")
    address = f"unix:{tmp_path}/engines"
    async with collecting(monkeypatch) as collector:
        remote = EngineSettings(ast_servers=(address,), tts_servers=(address,), engine_wait_s=60)
        async with (
            engine_server(address, ("ast", "tts"), PATIENT, http),
            running(Settings(http=http, engines=remote)) as running_server,
        ):
            async with call(running_server, said("thank you"), "?source=en&target=ru") as client:
                await client.until(lambda: bool(of(client, "x.playout", state="finished")))
                [caption] = of(client, "x.segment", final=True)
                session = client.location.rpartition("/")[2]
            await freed(running_server)
        spans = collector.spans
        names = ["call", "segment", "translate", "speak", "first audio"]
        assert spans.keys() >= {*names, "engine translate", "engine speak"}
        assert len({span.trace_id for span in spans.values()}) == 1
        parents = {
            "segment": "call",
            "translate": "segment",
            "engine translate": "translate",
            "speak": "segment",
            "engine speak": "speak",
            "first audio": "segment",
        }
        for name, parent in parents.items():
            assert spans[name].parent_span_id == spans[parent].span_id, name
        assert spans["first audio"].end_time_unix_nano >= spans["translate"].end_time_unix_nano
        exported = b"".join(collector.bodies)
        for text in (caption["source"]["text"], caption["target"]["text"]):
            assert text and text.encode() not in exported
        assert session.encode() in exported
