"""Choice between flag, variable, file and default, for each option."""

import argparse
import dataclasses
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from rtc_server.errors import ConfigError
from rtc_server.options.option import ENV_PREFIX, flag, settings_fields, variable
from rtc_server.options.option_text import from_text
from rtc_server.options.options_file import OptionsFile

CONFIG_VARIABLE: Final = ENV_PREFIX + "CONFIG"

T = TypeVar("T")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OptionSources:
    """Places that give options, the first that has one wins: flags, variables, a file."""

    arguments: argparse.Namespace
    """Flags that `add_options` and `add_config_option` defined."""
    environ: Mapping[str, str]
    file: OptionsFile | None
    """File that ``--config`` or else ``RTC_CONFIG`` names."""

    @classmethod
    def open(
        cls,
        arguments: argparse.Namespace,
        environ: Mapping[str, str],
        known: Sequence[type[Any]],
    ) -> "OptionSources":
        """Read the file, if one is named, and log its warnings.

        Args:
            arguments: flags, parsed.
            environ: environment of the process.
            known: every section there is, in use or not.

        Raises:
            ConfigError: the environment or the file names an option that no section has, or the
                file cannot be used.
        """
        names = {CONFIG_VARIABLE, *(variable(fld.name) for _, fld, _ in settings_fields(*known))}
        unknown = sorted(k for k in environ if k.startswith(ENV_PREFIX) and k not in names)
        if unknown:
            raise ConfigError(
                f"Unknown environment variable {unknown[0]}. "
                f"`rtc-server serve --help` lists the {ENV_PREFIX}* variables that exist."
            )
        path = getattr(arguments, "config", None) or environ.get(CONFIG_VARIABLE)
        file = OptionsFile.read(Path(path), known) if path else None
        for warning in file.warnings if file else ():
            _log.warning("%s", warning)
        return cls(arguments, environ, file)

    def sections(self, *sections: type[T]) -> list[Any]:
        """Return the given sections, checked.

        Raises:
            ConfigError: a value does not fit.
        """
        values: dict[type[Any], dict[str, Any]] = {section: {} for section in sections}
        for section, fld, kind in settings_fields(*sections):
            origin = self.origin(section, fld)
            if origin == flag(fld.name):
                text = getattr(self.arguments, _destination(section, fld))
                values[section][fld.name] = from_text(text, fld, kind, origin)
            elif origin == variable(fld.name):
                values[section][fld.name] = from_text(self.environ[origin], fld, kind, origin)
            elif self.file and origin:
                values[section][fld.name] = self.file.values[fld.name]
        return [section(**given) for section, given in values.items()]

    def origin(self, section: type[Any], fld: dataclasses.Field[Any]) -> str:
        """Return the flag, variable or path that gives an option; empty for its default."""
        if getattr(self.arguments, _destination(section, fld), None) is not None:
            return flag(fld.name)
        if variable(fld.name) in self.environ:
            return variable(fld.name)
        return str(self.file.path) if self.file and fld.name in self.file.values else ""


def _destination(section: type[Any], fld: dataclasses.Field[Any]) -> str:
    """Return the attribute of parsed arguments that holds a field."""
    return f"{section.__name__}.{fld.name}"
