"""``rtc-server serve``: the server in the foreground."""

import argparse
import asyncio
import logging
from collections.abc import Mapping, Sequence

from rtc_server import __version__
from rtc_server.app.connections import raise_file_limit
from rtc_server.app.server import RunningServer
from rtc_server.app.server import serve as run_server
from rtc_server.cli.exact_timers import new_loop
from rtc_server.cli.log import QueuedLog, logging_to
from rtc_server.cli.log_format import FORMATS
from rtc_server.cli.missing_models import check_engines, provide_models
from rtc_server.cli.printed_settings import print_settings
from rtc_server.config import SECTIONS, Settings, load_settings

TALKATIVE = ("aioice", "aiortc")
"""Loggers whose level INFO says the addresses of people."""
STDERR = 2
"""Descriptor of the log, whatever Python's own stream has become."""


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Serve until SIGINT or SIGTERM."""
    if print_settings(arguments, environ, *SECTIONS):
        return 0
    settings = load_settings(arguments, environ)
    check_engines(settings.engines)  # before it listens: a start that fails answers nobody
    provide_models(settings.engines, environ)
    raise_file_limit()
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(logging.WARNING)
    with (
        logging_to(STDERR, settings.http.log_level, FORMATS[settings.http.log_format]()) as log,
        asyncio.Runner(loop_factory=new_loop) as runner,
    ):
        if settings.workers.count() > 1:
            _run_workers(settings, log, runner)
            return 0

        def started(server: RunningServer) -> None:
            log.on_drop = server.metrics.queue_drops.labels("log").inc
            announce(server)

        runner.run(run_server(settings, started))
    return 0


def _run_workers(settings: Settings, log: QueuedLog, runner: asyncio.Runner) -> None:
    # Here: one process loads nothing of it.
    from rtc_server.app.workers.serve import RunningWorkers, serve_workers  # noqa: PLC0415

    def started(running: RunningWorkers) -> None:
        log.on_drop = running.metrics.queue_drops.labels("log").inc
        engines = [(*each[:3], tuple(each[3])) for each in running.announcement["engines"]]
        announce_engines(running.announcement["engine_set"], engines, running.url)

    runner.run(serve_workers(settings, started))


def announce(server: RunningServer) -> None:
    """Print the engines in use, their licences and the URL. Not part of the log."""
    roles = {"Translation": server.engines.ast, "Voice": server.engines.tts}
    engines = [
        (role, engine.title, engine.licence, engine.notes)
        for role, engine in roles.items()
        if engine
    ]
    announce_engines(server.engines.engine_set, engines, server.url)


def announce_engines(
    engine_set: str, engines: Sequence[tuple[str, str, str, Sequence[str]]], url: str
) -> None:
    """Print the same from role, title, licence and notes of each engine."""
    lines = [f"rtc-server {__version__}"]
    if engine_set:
        lines.append(f"Engine set: {engine_set}")
    for role, title, licence, notes in engines:
        lines.append(f"{role}: {title} ({licence})")
        lines += [f"  {note}" for note in notes]
    lines.append(f"Open {url} in a browser. Ctrl+C stops.")
    print("\n".join(lines), flush=True)
