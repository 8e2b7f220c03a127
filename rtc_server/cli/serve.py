"""``rtc-server serve``: the server in the foreground."""

import argparse
import asyncio
import logging
from collections.abc import Mapping

from rtc_server import __version__
from rtc_server.app.connections import raise_file_limit
from rtc_server.app.server import RunningServer
from rtc_server.app.server import serve as run_server
from rtc_server.cli.log import logging_to
from rtc_server.cli.log_format import FORMATS
from rtc_server.cli.missing_models import provide_models
from rtc_server.config import load_settings
from rtc_server.transport.paced_loop import new_loop

_TALKATIVE = ("aioice", "aiortc")
"""Loggers whose level INFO says the addresses of people."""
_STDERR = 2
"""Descriptor of the log, whatever Python's own stream has become."""


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Serve until SIGINT or SIGTERM."""
    settings = load_settings(arguments, environ)
    provide_models(settings.engines, environ)
    raise_file_limit()
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    with (
        logging_to(_STDERR, settings.http.log_level, FORMATS[settings.http.log_format]()) as log,
        asyncio.Runner(loop_factory=new_loop) as runner,
    ):

        def started(server: RunningServer) -> None:
            log.on_drop = server.metrics.queue_drops.labels("log").inc
            announce(server)

        runner.run(run_server(settings, started))
    return 0


def announce(server: RunningServer) -> None:
    """Print the engines in use, their licences and the URL. Not part of the log."""
    lines = [f"rtc-server {__version__}"]
    if chosen := server.engines.engine_set:
        lines.append(f"Engine set: {chosen}")
    for role, engine in (("Translation", server.engines.ast), ("Voice", server.engines.tts)):
        if engine:
            lines.append(f"{role}: {engine.title} ({engine.licence})")
            lines += [f"  {note}" for note in engine.notes]
    lines.append(f"Open {server.url} in a browser. Ctrl+C stops.")
    print("\n".join(lines), flush=True)
