"""Definition of an option: a dataclass field with a help text, limits and its three spellings."""

import dataclasses
import re
from collections.abc import Callable, Sequence
from dataclasses import field
from typing import Any, Final, get_type_hints
from urllib.parse import urlsplit

from rtc_server.errors import ConfigError

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
    metavar: str = "",
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
        metavar: word for its value in the help; empty for one by its type.
    """
    meta = {
        "help": help_text,
        "choices": tuple(choices),
        "low": low,
        "high": high,
        "mask": mask,
        "number_too": number_too,
        "metavar": metavar,
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
    try:
        url = urlsplit(text)
    except ValueError:  # an IPv6 address without its end
        return HIDDEN
    return f"{url.scheme}://{url.netloc.rpartition('@')[2]}/{HIDDEN}"


def hidden_query(text: str) -> str:
    """Mask user, password and query of an address, which may be malformed."""
    if text.startswith("unix:"):
        return text
    # Up to the last @, wherever a ? stands: a password may hold one.
    text = re.sub(r"^([a-z][a-z0-9+.-]*://)?.*@", rf"\1{HIDDEN}@", text, flags=re.I | re.S)
    return re.sub(r"[?#].*", f"?{HIDDEN}", text, flags=re.S)


def masked(fld: dataclasses.Field[Any], value: Any) -> Any:
    """Return what may be shown of a field's value: the value itself, where it holds no secret."""
    mask: Mask | None = fld.metadata["mask"]
    if mask is None:
        return value
    return tuple(map(mask, value)) if isinstance(value, tuple) else mask(value)


def refuse_hidden(fld: dataclasses.Field[Any], value: Any, place: str) -> None:
    """Raise `ConfigError` for a mask where the secret belongs; `place` begins the sentence."""
    texts = value if isinstance(value, tuple) else (value,)
    if fld.metadata["mask"] and any(HIDDEN in text for text in texts):
        raise ConfigError(
            f"{place} holds {HIDDEN}, which --print-config shows instead of a secret. Give the "
            "secret itself, or leave the option out."
        )


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
