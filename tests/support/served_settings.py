"""Settings of ``rtc-server serve``, read from flags, variables and a file."""

from pathlib import Path

from rtc_server.cli.main import build_parser
from rtc_server.config import Settings, load_settings


def served_settings(folder: Path, *argv: str, text: str = "", **environ: str) -> Settings:
    """Write `text` into a file of the folder and return what the command would run with."""
    path = folder / "server.toml"
    path.write_text(text)
    arguments = build_parser().parse_args(["serve", "--config", str(path), *argv])
    return load_settings(arguments, environ)
