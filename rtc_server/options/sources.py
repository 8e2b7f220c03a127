"""Choice between flag, variable, file and default, for each option."""

import argparse
import dataclasses
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from rtc_server.errors import ConfigError
from rtc_server.options.option import (
    ENV_PREFIX,
    config_key,
    flag,
    masked,
    settings_fields,
    variable,
)
from rtc_server.options.option_text import from_text
from rtc_server.options.options_file import OptionsFile, with_notes

CONFIG_VARIABLE: Final = ENV_PREFIX + "CONFIG"

T = TypeVar("T")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OptionSources:
    """Sources that give options, the first that has one wins: flags, variables, a file."""

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
        notes: Sequence[str] = (),
    ) -> "OptionSources":
        """Read the file, if one is named, and log its warnings.

        Args:
            arguments: flags, parsed.
            environ: environment of the process.
            known: every section there is, in use or not.
            notes: sentences that may say why an option is unknown.

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
                f"{with_notes(notes)}"
            )
        named = getattr(arguments, "config", None)
        path, origin = (
            (named, "--config") if named else (environ.get(CONFIG_VARIABLE), CONFIG_VARIABLE)
        )
        file = OptionsFile.read(Path(path), known, origin, notes) if path else None
        for warning in file.warnings if file else ():
            _log.warning("%s", warning)
        return cls(arguments, environ, file)

    def sections(self, *sections: type[T]) -> list[Any]:
        """Return the given sections, checked, and log where an empty variable drops a secret.

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
                self._warn_of_lost_secret(fld)
            elif self.file and origin:
                values[section][fld.name] = self.file.values[fld.name]
        return [self._checked(section, given) for section, given in values.items()]

    def _warn_of_lost_secret(self, fld: dataclasses.Field[Any]) -> None:
        """Log that an empty variable wins over a secret of the file, where it does."""
        in_file = self.file.values.get(fld.name, fld.default) if self.file else fld.default
        if self.file and not self.environ[variable(fld.name)] and masked(fld, in_file) != in_file:
            _log.warning(
                "%s is set, but empty, and wins over %s in %s: unset it to use that of the file.",
                variable(fld.name),
                config_key(fld.name),
                self.file.path,
            )

    def _checked(self, section: type[Any], given: Mapping[str, Any]) -> Any:
        """Return a section; where its rules refuse it and the file has a part in it, name it."""
        try:
            return section(**given)
        except ConfigError as error:
            path = str(self.file.path) if self.file else ""
            origins = {
                flag(fld.name): self.origin(section, fld) for fld in dataclasses.fields(section)
            }
            named = [origins.get(each, "") for each in re.findall(r"--[a-z0-9-]+", str(error))]
            # What flags and variables did wrong by themselves is no fault of the file.
            of_others = named and all(each not in ("", path) for each in named)
            if not path or of_others or path not in origins.values():
                raise
            raise ConfigError(f"{error} (from {path})") from None

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
