"""Entry point of the command line. Nothing heavy is imported before a subcommand is chosen."""

import argparse
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path

from rtc_server import __version__
from rtc_server.cli.cluster_arguments import add_cluster_commands
from rtc_server.cli.command_parser import CommandParser, add_plugin_options
from rtc_server.cli.engines_arguments import add_engines_commands
from rtc_server.cli.models_arguments import add_models_commands
from rtc_server.cli.printed_settings import add_settings_options
from rtc_server.config import SECTIONS, EngineSettings, InterpreterSettings, SegmenterSettings
from rtc_server.engine_sets import EMBEDDED, ENGINE_SETS
from rtc_server.errors import RtcServerError
from rtc_server.options import add_config_option, add_options, flag
from rtc_server.session.quota import KeyLimits

OWN_PROCESS = {
    # So small are the matrices of voice activity detection that a second thread only costs.
    # OpenBLAS, beneath numpy, reads this when numpy is imported.
    "OPENBLAS_NUM_THREADS": "1",
    # onnxruntime (1.32, for one) reports its use to Microsoft unless told not to.
    "ORT_DISABLE_TELEMETRY": "1",
}
"""Variables of a process that is this command and nothing else, unless the operator set them."""

EXIT_CODES = """\
exit codes:
  0  done
  1  part of the recording was not understood or not translated (translate); a model's file is
     not right (models verify); something does not work (doctor); engine servers do not run
     (cluster status) or are not there (cluster drain)
  2  wrong usage, a wrong setting, or something that is missing; one sentence says what
"""


def build_parser() -> argparse.ArgumentParser:
    """Return a parser of every subcommand with its options. ``command`` names the module that runs
    it.
    """
    parser = CommandParser(
        prog="rtc-server",
        description="A self-hosted live interpreter over WebRTC.",
        epilog=EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"rtc-server {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def command(name: str, summary: str) -> CommandParser:
        made: CommandParser = commands.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            allow_abbrev=False,
        )
        return made

    serve = command("serve", "run the server and its page until interrupted")
    add_settings_options(serve, *SECTIONS)
    add_plugin_options(serve)

    translate = command("translate", "translate a recording, without a network")
    translate.add_argument("recording", metavar="IN.wav", type=Path, help="what was said")
    translate.add_argument(
        "-o", "--output", metavar="OUT.wav", type=Path, help="where to write the translated speech"
    )
    add_config_option(translate)
    add_options(translate, InterpreterSettings, SegmenterSettings, EngineSettings)
    add_plugin_options(translate)

    phrases = command("phrases", "list the phrases that an engine understands")
    phrases.add_argument(
        "--engine",
        metavar="NAME",
        default=ENGINE_SETS[EMBEDDED].ast,
        help="speech translation engine that has the phrases (default: %(default)s)",
    )
    phrases.add_argument(
        "--language",
        metavar="CODE",
        default=InterpreterSettings().source,
        help="the language to say them in (default: %(default)s)",
    )
    add_config_option(phrases)
    add_plugin_options(phrases)

    models = command("models", "list, fetch and check models")
    add_config_option(models)
    add_options(models, EngineSettings, only=["models_dir"])
    add_models_commands(models)

    _add_key_commands(command("keys", "make, list and revoke API keys"))

    doctor = command("doctor", "find problems of network, machine and engines before people call")
    doctor.add_argument(
        "--url",
        metavar="URL",
        default="",
        help="address of a running server to call from this machine; by default this machine "
        "itself is examined, with the settings below",
    )
    add_config_option(doctor)
    add_options(doctor, *SECTIONS)
    add_plugin_options(doctor)

    add_engines_commands(command("engines", "list the engines, or serve them to other processes"))
    add_cluster_commands(command("cluster", "run engine servers on a Ray cluster"))
    return parser


def _add_key_commands(keys: argparse.ArgumentParser) -> None:
    actions = keys.add_subparsers(dest="action", metavar="ACTION", required=True)
    for action, summary in (
        ("new", "add a key to the file and print it, once"),
        ("list", "list the keys of the file by id, day and name"),
        ("revoke", "remove a key from the file"),
    ):
        parser = actions.add_parser(
            action,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            allow_abbrev=False,
        )
        parser.add_argument(
            "--file", metavar="FILE", type=Path, required=True, help="the file of --api-keys"
        )
        if action != "list":
            parser.add_argument("name", metavar="NAME", help="what the key is called")
        if action == "new":
            for limit in fields(KeyLimits):
                parser.add_argument(
                    flag(limit.name),
                    metavar="N",
                    type=_limit,
                    help="this key's limit instead of the server's; 0 for none",
                )


def _limit(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise argparse.ArgumentTypeError("a limit is a whole number, 0 or more")
    return int(text)


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run the command and return its exit code.

    Without `environ` the process is the command's own, and `OWN_PROCESS` is set in it.
    """
    if environ is None:
        environ = os.environ
        for name, value in OWN_PROCESS.items():
            os.environ.setdefault(name, value)
    arguments = build_parser().parse_args(argv)
    module = importlib.import_module(f"rtc_server.cli.{arguments.command}")
    try:
        code: int = module.run(arguments, environ)
        sys.stdout.flush()
    except RtcServerError as error:
        print(f"rtc-server: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader of our output has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    return code
