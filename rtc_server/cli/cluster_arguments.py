"""Arguments of ``rtc-server cluster``."""

import argparse

from rtc_server.cli.command_parser import add_plugin_options
from rtc_server.config import ClusterSettings, EngineSettings, HttpSettings
from rtc_server.options import add_options

_OF_HTTP = ("tls_cert", "tls_key", "drain_s")
_TO_FIND = ("cluster_name", "ray_address")


def add_cluster_commands(cluster: argparse.ArgumentParser) -> None:
    """Give the parser of ``rtc-server cluster`` its actions."""
    actions = cluster.add_subparsers(dest="action", metavar="ACTION", required=True)
    for action, summary in (
        ("deploy", "run engine servers on the cluster, or replace them one by one"),
        ("status", "show the engine servers of the cluster"),
        ("drain", "stop the engine servers after they have answered their open calls"),
    ):
        parser = actions.add_parser(
            action, help=summary, description=summary.capitalize() + ".", allow_abbrev=False
        )
        if action != "deploy":
            add_options(parser, ClusterSettings, only=_TO_FIND)
            continue
        parser.add_argument(
            "--only",
            choices=("ast", "tts"),
            help="serve only translation (ast) or only speech (tts)",
        )
        add_options(parser, ClusterSettings, EngineSettings)
        add_options(parser, HttpSettings, only=_OF_HTTP)
        add_plugin_options(parser)
