"""``rtc-server serve``: the server in the foreground."""

import argparse
import asyncio
import logging
from collections.abc import Mapping

from rtc_server.config import load_settings


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Serve until SIGINT or SIGTERM."""
    settings = load_settings(arguments, environ)
    logging.basicConfig(
        level=settings.http.log_level.upper(),
        format="%(asctime)s %(levelname)-7s %(name)s: %(message)s",
    )
    from rtc_server.app.server import run as serve  # noqa: PLC0415 — after the settings are known good

    asyncio.run(serve(settings))
    return 0
