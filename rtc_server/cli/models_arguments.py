"""Arguments of ``rtc-server models``."""

import argparse


def add_models_commands(parser: argparse.ArgumentParser) -> None:
    """The subcommands and their arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    def action(name: str, summary: str) -> argparse.ArgumentParser:
        return actions.add_parser(
            name, help=summary, description=summary.capitalize() + ".", allow_abbrev=False
        )

    action("list", "list the models, their size, licence and whether they are here")
    fetching = action("fetch", "download models, going on where a download was cut short")
    fetching.add_argument("ids", metavar="ID", nargs="+", help="model, as `models list` shows it")
    fetching.add_argument(
        "--from",
        dest="source",
        metavar="FOLDER|URL",
        help="a mirror instead of the publisher; files are looked for as ID/NAME, in a folder "
        "also as NAME",
    )
    verifying = action("verify", "compare the files that are here with the catalogue's hashes")
    verifying.add_argument(
        "ids", metavar="ID", nargs="*", help="models (default: all that are here)"
    )
    for subcommand in (fetching, verifying):
        subcommand.add_argument(
            "--trust-download",
            action="store_true",
            help="take a file whose hash is unknown or another than the catalogue's, and record "
            "its hash: from then on it must be this one. Silero's files run code when loaded",
        )
    where = action("path", "print where a model lies, or will lie")
    where.add_argument("id", metavar="ID", nargs="?", help="model (default: the folder of all)")
