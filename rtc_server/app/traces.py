"""Traces of this process: none, or exported with OpenTelemetry with ``--traces``."""

import contextlib
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from rtc_server.clock import Clock
from rtc_server.config import HttpSettings
from rtc_server.engines.extras import install_command
from rtc_server.errors import ConfigError
from rtc_server.tracing import NO_TRACES, Tracer


class Traces(Protocol):
    """Tracer of a process, and the export of its spans."""

    @property
    def tracer(self) -> Tracer:
        """Tracer for all parts that are traced."""

    def exporting(self) -> AbstractAsyncContextManager[None]:
        """Export spans while the block runs, and the last ones at its end."""


@dataclass(frozen=True, slots=True)
class NotTraced:
    """Traces of a process without ``--traces``: none."""

    tracer: Tracer = NO_TRACES

    def exporting(self) -> AbstractAsyncContextManager[None]:
        """Do nothing."""
        return contextlib.nullcontext()


def make_traces(settings: HttpSettings, clock: Clock, wall: Clock) -> Traces:
    """Return the traces that the settings ask for.

    Args:
        clock: the server's clock, monotonic.
        wall: Unix time.

    Raises:
        ConfigError: the packages of the extra ``otel`` are missing.
    """
    if settings.traces == "no":
        return NotTraced()
    try:
        # Imported here: a server without traces does not load OpenTelemetry.
        from rtc_server.app.otel import OtelTraces, otlp_exporter  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("opentelemetry"):
            raise
        raise ConfigError(
            f"--traces needs OpenTelemetry. Install it: {install_command('otel')}"
        ) from None
    return OtelTraces(otlp_exporter(), clock, wall)
