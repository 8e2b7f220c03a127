"""Arguments of ``rtc-server engines``."""

import argparse

from rtc_server.cli.command_parser import add_plugin_options
from rtc_server.cli.printed_settings import add_settings_options
from rtc_server.config import EngineSettings, HttpSettings
from rtc_server.options import add_options

_OF_HTTP = ("tls_cert", "tls_key", "drain_s", "log_level", "log_format", "traces")


def add_engines_commands(engines: argparse.ArgumentParser) -> None:
    """Give the parser of ``rtc-server engines`` its actions; without one it lists."""
    actions = engines.add_subparsers(dest="action", metavar="ACTION")
    actions.add_parser(
        "list",
        help="list the engines, their languages, licences and packages (the default)",
        description="List the engines, their languages, licences and packages.",
        allow_abbrev=False,
    )
    serve = actions.add_parser(
        "serve",
        help="run the engines for servers with --ast-servers and --tts-servers",
        description="Run the engines for servers with --ast-servers and --tts-servers.",
        allow_abbrev=False,
    )
    serve.add_argument(
        "--listen",
        metavar="ADDRESS",
        required=True,
        help="unix:PATH, or HOST:PORT; anything but loopback needs a token",
    )
    serve.add_argument(
        "--only",
        choices=("ast", "tts"),
        help="serve only translation (ast) or only speech (tts)",
    )
    add_settings_options(serve, EngineSettings)
    add_options(serve, HttpSettings, only=_OF_HTTP)
    add_plugin_options(serve)
