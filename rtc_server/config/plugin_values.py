"""Values that an application gives to options of plug-ins: `Settings.plugins`, checked."""

import dataclasses
from collections.abc import Collection, Mapping
from typing import Any, cast

from rtc_server.engines.plugin import OptionValue
from rtc_server.errors import ConfigError
from rtc_server.options.option_text import in_range, is_choice, wanted


def checked(values: Mapping[str, Any], sections: Collection[type[Any]]) -> dict[str, OptionValue]:
    """Return the values as a command line would have given them: lists as tuples.

    Args:
        values: by the names of the options.
        sections: options of the installed plug-ins.

    Raises:
        ConfigError: no plug-in has such an option, or a value does not fit.
    """
    known = {fld.name: fld for each in sections for fld in dataclasses.fields(each)}
    for name in values:
        if name not in known:
            raise ConfigError(
                f"Settings.plugins names {name!r}, an option that no installed plug-in has. "
                f"There are: {', '.join(sorted(known)) or 'none'}."
            )
    return {name: _value(known[name], value) for name, value in values.items()}


def _value(fld: dataclasses.Field[Any], value: object) -> OptionValue:
    if fld.type == tuple[str, ...]:
        if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
            return tuple(value)
        raise _refusal(fld, "a list of texts")
    if fld.type is float and type(value) is int:
        value = float(value)
    if type(value) is not fld.type:
        raise _refusal(fld, "a text" if fld.type is str else wanted(fld, fld.type))
    if isinstance(value, str):
        fits = is_choice(value, fld)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        fits = in_range(value, fld)
    else:
        return cast(bool, value)
    if not fits:
        raise _refusal(fld, wanted(fld, fld.type))
    return value


def _refusal(fld: dataclasses.Field[Any], what: str) -> ConfigError:
    # Without the value: it may be a secret.
    return ConfigError(f"The option {fld.name} in Settings.plugins must be {what}.")
