"""``rtc-server keys``: make, list and revoke API keys."""

import argparse
from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

from rtc_server.errors import ConfigError
from rtc_server.options import flag
from rtc_server.session.quota import KeyLimits
from rtc_server.signaling.keys import ApiKey, changing, check_name, new_key, read_keys, write_keys

LIMITS = tuple(field.name for field in fields(KeyLimits))


def run(arguments: argparse.Namespace, _environ: Mapping[str, str]) -> int:
    """Make, list or revoke keys in the key file."""
    if arguments.action == "list":
        for key in read_keys(arguments.file):
            print(line(key))
        return 0
    with changing(arguments.file) as path:
        return (_new if arguments.action == "new" else _revoke)(path, arguments)


def _revoke(path: Path, arguments: argparse.Namespace) -> int:
    keys = read_keys(path)
    kept = [key for key in keys if arguments.name not in (key.name, key.id)]
    if len(kept) == len(keys):
        names = ", ".join(key.name for key in keys) or "none"
        raise ConfigError(f"There is no key {arguments.name!a} in {path}. There are: {names}.")
    write_keys(path, kept)
    print("Revoked. A running server notices within a second or two.")
    return 0


def _new(path: Path, arguments: argparse.Namespace) -> int:
    keys = read_keys(path) if path.exists() else ()
    check_name(arguments.name, keys)
    limits = {name: value for name in LIMITS if (value := getattr(arguments, name)) is not None}
    text, key = new_key(arguments.name, datetime.now(UTC).date().isoformat(), limits)
    write_keys(path, [*keys, key])
    print(text)  # alone on its line, so that scripts can take it
    return 0


def line(key: ApiKey) -> str:
    """Return ``3f9a02bc 2026-01-31 shop sessions 5``: nothing of the key itself."""
    own = [f"{flag(n)[2:]} {getattr(key, n)}" for n in LIMITS if getattr(key, n) is not None]
    return "  ".join([key.id, key.created, key.name, *own])
