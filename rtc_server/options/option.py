"""Definition of an option: a dataclass field with a help text, limits and its three spellings."""

import dataclasses
import re
from collections.abc import Callable, Sequence
from dataclasses import field
from typing import Any, Final, get_type_hints
from urllib.parse import urlsplit

ENV_PREFIX: Final = "RTC_"
HIDDEN: Final = "(hidden)"

Mask = Callable[[str], str]
"""Makes a value fit to be shown: an empty text for an empty one, otherwise without the secret."""


def option(
    default: Any,
    help_text: str,
    *,
    choices: Sequence[str] = (),
    low: float | None = None,
    high: float | None = None,
    mask: Mask | None = None,
    number_too: bool = False,
) -> Any:
    """Return a dataclass field that is also a flag, an environment variable and a file's key.

    Args:
        default: its value where nobody gives one.
        help_text: half a sentence, in lower case.
        choices: all values that a text may have; empty for any.
        low: least value of a number.
        high: greatest value of a number.
        mask: what is shown of it, for an option that holds a secret.
        number_too: true for a text that a file may also write as a whole number.
    """
    meta = {
        "help": help_text,
        "choices": tuple(choices),
        "low": low,
        "high": high,
        "mask": mask,
        "number_too": number_too,
    }
    return field(default=default, metadata=meta)


def hidden(text: str) -> str:
    """Mask all of a text."""
    return HIDDEN if text else ""


def hidden_password(text: str) -> str:
    """Mask user and password of ``turn:user:password@host``."""
    return re.sub(r"^(\w+:).*@", rf"\1{HIDDEN}@", text)


def hidden_path(text: str) -> str:
    """Mask all of a URL but its scheme, host and port: services put secrets into the rest."""
    if not text:
        return ""
    url = urlsplit(text)
    return f"{url.scheme}://{url.netloc.rpartition('@')[2]}/{HIDDEN}"


def settings_fields(
    *sections: type[Any],
) -> list[tuple[type[Any], dataclasses.Field[Any], Any]]:
    """Return each (section, field, type) of the given sections, in the order they are written."""
    rows = []
    for section in sections:
        hints = get_type_hints(section)
        rows += [(section, f, hints[f.name]) for f in dataclasses.fields(section)]
    return rows


def flag(name: str) -> str:
    """Return ``max_sessions`` as a flag: ``--max-sessions``."""
    return "--" + config_key(name)


def variable(name: str) -> str:
    """Return ``max_sessions`` as an environment variable: ``RTC_MAX_SESSIONS``."""
    return ENV_PREFIX + name.upper()


def config_key(name: str) -> str:
    """Return ``max_sessions`` as a key of a configuration file: ``max-sessions``."""
    return name.replace("_", "-")
