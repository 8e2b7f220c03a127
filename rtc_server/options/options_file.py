"""Configuration file: TOML whose keys are the names of options, checked as a whole when read."""

import dataclasses
import difflib
import json
import os
import stat
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Never, get_args, get_origin

from rtc_server.errors import ConfigError
from rtc_server.options.option import HIDDEN, config_key, masked, refuse_hidden, settings_fields
from rtc_server.options.option_text import in_range, is_choice, wanted

_SHOWN_CHARS: Final = 80
"""Characters of a wrong value that an error shows."""


@dataclass(frozen=True, slots=True)
class OptionsFile:
    """Options of one file."""

    path: Path
    """Path as the operator named it."""
    values: Mapping[str, Any]
    """Values by field, each of its field's type."""
    warnings: tuple[str, ...] = ()
    """Sentences that an operator should read."""

    @classmethod
    def read(
        cls, path: Path, sections: Sequence[type[Any]], origin: str, notes: Sequence[str] = ()
    ) -> "OptionsFile":
        """Read and check a file.

        Args:
            path: path as the operator named it.
            sections: all that there are, not only those in use.
            origin: flag or variable that named the file.
            notes: sentences that may say why an option is unknown.

        Raises:
            ConfigError: it cannot be read, is not TOML, has a key that no section has, or a value
                that does not fit.
        """
        try:
            with path.open("rb") as file:
                mode = os.fstat(file.fileno()).st_mode
                table = tomllib.loads(file.read().decode("utf-8-sig"))  # editors add a mark
        except OSError as error:
            raise ConfigError(
                f"Cannot read the options file {path} ({error.strerror}). Correct {origin}, or "
                "leave it out."
            ) from None
        except UnicodeDecodeError:
            raise ConfigError(f"{path} is not text in UTF-8, which TOML is.") from None
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{path} is not TOML: {error}.") from None
        except ValueError:  # of int(), which takes no more than some thousand digits
            raise ConfigError(f"{path} has a number of too many digits.") from None
        except RecursionError:
            raise ConfigError(f"{path} has lists or tables that are nested too deeply.") from None
        fields = {config_key(fld.name): (fld, kind) for _, fld, kind in settings_fields(*sections)}
        values, secrets = {}, []
        for key, value in table.items():
            if key not in fields:
                _refuse_key(path, key, value, list(fields), notes)
            fld, kind = fields[key]
            try:
                checked = _TomlValue(path, key, fld, kind, value).checked()
            except ValueError:  # of str(): int() takes any hexadecimal number
                raise ConfigError(f"{path}: {key} has a number of too many digits.") from None
            refuse_hidden(fld, checked, f"{path}: {key}")
            values[fld.name] = checked
            if masked(fld, checked) != checked:
                secrets.append(key)
        warnings = []
        if secrets and stat.S_IMODE(mode) & stat.S_IROTH:
            warnings.append(
                f"{path} holds {', '.join(secrets)} and every user of this machine can read it. "
                f"Run: chmod o-r {path}"
            )
        return cls(path, values, tuple(warnings))


def with_notes(notes: Sequence[str]) -> str:
    """Return what follows a sentence about an unknown option; empty where there is nothing."""
    return f" It may belong to an engine that cannot be used. {' '.join(notes)}" if notes else ""


def _refuse_key(
    path: Path, key: str, value: object, known: Sequence[str], notes: Sequence[str]
) -> Never:
    if isinstance(value, dict):
        raise ConfigError(
            f"{path}: [{key}] is a table, and options are not in tables. Write them at the top of "
            "the file, such as: max-sessions = 50"
        )
    near = difflib.get_close_matches(key.replace("_", "-").lower(), known, 1)
    advice = f"Is it {near[0]}?" if near else "`rtc-server serve --help` lists the options."
    raise ConfigError(f"{path}: there is no option {key}. {advice}{with_notes(notes)}")


@dataclass(frozen=True, slots=True)
class _TomlValue:
    """One line of the file."""

    path: Path
    key: str
    fld: dataclasses.Field[Any]
    kind: Any
    """Type of the field."""
    value: Any
    """Value as TOML has it."""

    def checked(self) -> Any:
        """Return the value as its field takes it. Raises `ConfigError`."""
        kind, value = self.kind, self.value
        if get_origin(kind) is tuple:
            if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
                parts = value.split(",") if isinstance(value, str) else ["one", "two"]
                self._refuse("a list of texts", [part.strip() for part in parts])
            item = get_args(kind)[0]
            return tuple(item(part.strip()) for part in value if part.strip())  # as in a flag
        if kind is bool:
            if not isinstance(value, bool):
                self._refuse("true or false", self.fld.default)
            return value
        if kind in (int, float):
            return self._number()
        if self.fld.metadata["number_too"] and type(value) is int:
            return str(value)
        if not isinstance(value, str):
            self._refuse("a text", str(value) if isinstance(value, int | float) else "…")
        if not is_choice(value, self.fld):
            self._refuse(
                wanted(self.fld, kind), self.fld.default or self.fld.metadata["choices"][0]
            )
        return kind(value)

    def _number(self) -> int | float:
        kind, value = self.kind, self.value
        accepted = int if kind is int else (int, float)
        if isinstance(value, bool) or not isinstance(value, accepted):
            self._refuse(wanted(self.fld, kind), self._number_meant())
        if not in_range(value, self.fld):
            self._refuse(wanted(self.fld, kind), self.fld.default)
        number: int | float = kind(value)
        return number

    def _number_meant(self) -> Any:
        """Return the number that a text holds, or the default."""
        if not isinstance(self.value, str):
            return self.fld.default
        try:
            meant = self.kind(self.value)
        except ValueError:
            return self.fld.default
        return meant if in_range(meant, self.fld) else self.fld.default

    def _refuse(self, wants: str, example: Any) -> Never:
        hides = self.fld.metadata["mask"]
        shown = HIDDEN if hides else toml_value(self.value)[:_SHOWN_CHARS]
        form = (
            toml_value(example) if not hides else ('["…"]' if isinstance(example, list) else '"…"')
        )
        raise ConfigError(
            f"{self.path}: {self.key} must be {wants}, not {shown}. "
            f"Write it as: {self.key} = {form}"
        )


def toml_value(value: Any) -> str:
    """Return a value as TOML writes it; dates and tables as Python shows them."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case str() | Path():
            # JSON's text is TOML's basic string, but for DEL, which TOML wants escaped.
            return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
        case list() | tuple():
            return "[" + ", ".join(map(toml_value, value)) + "]"
    return str(value)
