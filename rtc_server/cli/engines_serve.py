"""``rtc-server engines serve``: an engine server in the foreground."""

import argparse
import asyncio
from collections.abc import Mapping

from rtc_server import __version__
from rtc_server.app.connections import raise_file_limit
from rtc_server.app.engine_server import KINDS, RunningEngineServer, serve_engines
from rtc_server.cli.log import logging_to
from rtc_server.cli.log_format import FORMATS
from rtc_server.cli.missing_models import provide_models
from rtc_server.cli.printed_settings import print_settings
from rtc_server.config import EngineSettings, HttpSettings, load_with_plugins

_STDERR = 2
"""Descriptor of the log, whatever Python's own stream has become."""


def serve(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Serve until SIGINT or SIGTERM."""
    if print_settings(arguments, environ, EngineSettings, HttpSettings):
        return 0
    kinds = tuple(each for each in KINDS if arguments.only in (None, each))
    (engines, http), plugins = load_with_plugins(
        arguments, environ, EngineSettings, HttpSettings, starts=kinds
    )
    provide_models(engines, environ)
    raise_file_limit()
    with logging_to(_STDERR, http.log_level, FORMATS[http.log_format]()) as log:

        def announce(running: RunningEngineServer) -> None:
            log.on_drop = running.metrics.queue_drops.labels("log").inc
            lines = [f"rtc-server {__version__}, engine server", *running.engines]
            lines.append(f"Listening on {running.address}. Ctrl+C stops.")
            print("\n".join(lines), flush=True)

        asyncio.run(
            serve_engines(arguments.listen, kinds, engines, http, announce, plugins=plugins)
        )
    return 0
