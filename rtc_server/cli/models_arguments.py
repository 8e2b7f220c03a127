"""Arguments of ``rtc-server models``."""

import argparse


def add_models_commands(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands and their arguments."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    def action(name: str, summary: str) -> argparse.ArgumentParser:
        return actions.add_parser(
            name,
            help=summary,
            description=f"{summary[0].upper()}{summary[1:]}.",
            allow_abbrev=False,
        )

    listing = action("list", "list sets and models with size, licence and what is fetched")
    listing.add_argument("ids", metavar="ID", nargs="*", help="models or sets (default: all)")
    fetching = action("fetch", "download models, and continue interrupted downloads")
    fetching.add_argument(
        "ids", metavar="ID", nargs="+", help="model or set, as `models list` shows it"
    )
    fetching.add_argument(
        "--from",
        dest="source",
        metavar="FOLDER|URL",
        help="a mirror instead of the publisher; files are looked for as ID/NAME, in a folder "
        "also as NAME. Without it, HF_ENDPOINT may name a mirror of huggingface.co",
    )
    verifying = action("verify", "compare the fetched files with the catalogue's hashes")
    verifying.add_argument(
        "ids", metavar="ID", nargs="*", help="models or sets (default: all that are fetched)"
    )
    for subcommand in (fetching, verifying):
        subcommand.add_argument(
            "--trust-download",
            action="store_true",
            help="accept a file whose hash is unknown or differs from the catalogue's, and record "
            "its hash: then only that file is accepted. Silero's files run code when loaded",
        )
    removing = action("remove", "delete models from this machine")
    removing.add_argument("ids", metavar="ID", nargs="+", help="models or sets")
    where = action("path", "print where models are, or will be")
    where.add_argument(
        "id", metavar="ID", nargs="?", help="model or set (default: the folder of all)"
    )
