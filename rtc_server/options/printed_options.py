"""Options as the text of a configuration file: those in force, or an example of all."""

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

from rtc_server.options.option import config_key, masked, settings_fields
from rtc_server.options.options_file import toml_value
from rtc_server.options.sources import OptionSources

_WIDTH = 100


def effective_file(sources: OptionSources, sections: Sequence[Any]) -> str:
    """Return the options in force, each with the source it came from, secrets masked.

    Read as a file, it gives the same settings but for the secrets: lines that are masked, and those
    that follow from others, are comments.

    Args:
        sources: what `sections` were read from.
        sections: instances, after their own rules filled what nobody gave.
    """
    blocks = []
    for section in sections:
        lines = [f"# {_title(type(section))}"]
        for kind, fld, _ in settings_fields(type(section)):
            value = getattr(section, fld.name)
            shown, origin = masked(fld, value), sources.origin(kind, fld)
            is_derived = not origin and value != fld.default
            origin = origin or ("follows from other options" if is_derived else "default")
            off = "# " if is_derived or shown != value else ""
            lines.append(f"{off}{config_key(fld.name)} = {toml_value(shown)}  # {origin}")
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks) + "\n"


def example_file(sections: Sequence[type[Any]]) -> str:
    """Return every option with its help and default, each switched off by a ``#``."""
    return "\n".join(_example_lines(sections))


def _example_lines(sections: Sequence[type[Any]]) -> Iterator[str]:
    yield from _comment(
        "Configuration of rtc-server: rtc-server serve --config FILE, or RTC_CONFIG=FILE. Every "
        "option with its default; take the # off to set one. A flag wins over the environment, "
        "the environment over this file. Keep a file with secrets readable by its owner alone. "
        "It is read once, at start. Written by: rtc-server serve --print-config=example"
    )
    for section in sections:
        yield ""
        yield ""
        yield f"# ---- {_title(section)}"
        for _, fld, _ in settings_fields(section):
            yield ""
            yield from _comment(fld.metadata["help"].replace(", comma separated", ", as a list"))
            if fld.metadata["choices"]:
                yield from _comment("One of: " + ", ".join(fld.metadata["choices"]))
            yield f"#{config_key(fld.name)} = {toml_value(fld.default)}"
    yield ""


def _comment(text: str) -> Iterator[str]:
    for line in textwrap.wrap(text, _WIDTH - 2, break_long_words=False, break_on_hyphens=False):
        yield f"# {line}"


def _title(section: type[Any]) -> str:
    return (section.__doc__ or "").partition("\n")[0].rstrip(".")
