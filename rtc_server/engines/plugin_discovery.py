"""Engines that installed packages bring: their entry points, read and judged one by one.

Importing the module that an entry point names is all that is done here, and only when its name was
asked for or all are listed: no engine is loaded. Each is judged once in the life of a process.
"""

import reprlib
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Final, get_args

from rtc_server.engines.option_forms import WrongForm, wrong_option
from rtc_server.engines.plugin import CONTRACT_VERSION, ENTRY_POINTS, EnginePlugin, Kind
from rtc_server.error_location import location_of

OWN_PACKAGE: Final = "rtc-server"
_CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class FoundPlugin:
    """One entry point: an engine, or the reason why it is none."""

    name: str
    """Name of the engine."""
    package: str
    """Distribution that brings it."""
    version: str
    """Version of it; empty where it is not known."""
    plugin: EnginePlugin | None
    """The engine."""
    fault: str = ""
    """If there is none, a sentence that names engine, package and what to do."""

    @property
    def origin(self) -> str:
        """Package and version, for people."""
        return f"{self.package} {self.version}".strip()

    @property
    def is_own(self) -> bool:
        """True for an engine of this package."""
        return self.package == OWN_PACKAGE

    def complaint(self, what: str) -> str:
        """Return a sentence about something that only the package's authors can mend."""
        return (
            f"Engine {self.name} of the package {self.origin} {what}. "
            f"Report it to the authors of {self.package}."
        )


def found_plugins(name: str = "") -> Iterator[FoundPlugin]:
    """Yield the engines of installed packages of that name, or all; this package's own first."""
    for each in _declared(tuple(sys.path)):
        if name in ("", each.entry.name):
            yield each.judged


def plugins_beside(module: str) -> Iterator[FoundPlugin]:
    """Yield the engines that are described in the same top-level package as a module."""
    for each in _declared(tuple(sys.path)):
        if each.entry.module.partition(".")[0] == module.partition(".")[0]:
            yield each.judged


@dataclass(frozen=True)
class _DeclaredPlugin:
    """An entry point, loaded when its verdict is first asked for."""

    entry: EntryPoint
    package: str
    version: str

    @cached_property
    def judged(self) -> FoundPlugin:
        """Verdict on what the entry point names: an engine of our contract, or a fault.

        Kept, for engines are listed from the event loop while media flows, and a module that fails
        would be imported at each use: a second and more for one that fails late.
        """
        try:
            value = self.entry.load()
        except (Exception, SystemExit) as error:  # SystemExit: a script, meant to be run
            reason = str(error) if isinstance(error, ImportError) else ""
            return self._faulty(
                f"cannot be imported: {location_of(error)}{f' ({reason})' if reason else ''}. "
                f"Install {self.package} again, or remove it."
            )
        if not isinstance(value, EnginePlugin):
            return self._faulty(
                f"is {self.entry.value}, which is no EnginePlugin (docs/plugins.md). "
                f"Report it to the authors of {self.package}."
            )
        if type(value.contract) is not int:
            return self._described_wrongly("contract", "a whole number", value.contract)
        if value.contract != CONTRACT_VERSION:
            remedy = (
                f"Install a newer {OWN_PACKAGE}"
                if value.contract > CONTRACT_VERSION
                else f"Install a newer {self.package}"
            )
            return self._faulty(
                f"was written for version {value.contract} of the engine contract; this server "
                f"has version {CONTRACT_VERSION}. {remedy}."
            )
        if wrong := _wrong_form(value):
            return self._described_wrongly(*wrong)
        return FoundPlugin(self.entry.name, self.package, self.version, value)

    def _described_wrongly(self, field: str, form: str, value: object) -> FoundPlugin:
        return self._faulty(
            f"is described wrongly: {field} must be {form}, and is {_shown(value)} "
            f"(docs/plugins.md). Report it to the authors of {self.package}."
        )

    def _faulty(self, what: str) -> FoundPlugin:
        origin = f"{self.package} {self.version}".strip()
        sentence = f"Engine {self.entry.name} of the package {origin} {what}"
        return FoundPlugin(self.entry.name, self.package, self.version, None, sentence)


@cache
def _declared(_path: tuple[str, ...]) -> tuple[_DeclaredPlugin, ...]:
    """Return what the packages on an import path declare, ours first, then by name.

    Reading the metadata of all packages takes some ten milliseconds, and engines are restarted from
    the event loop: it is done once. A package installed meanwhile is found after a restart.
    """
    own = _declared_in_checkout()
    declared = [] if own is None else own
    for each in entry_points(group=ENTRY_POINTS):
        name, version = (each.dist.name, each.dist.version) if each.dist else ("of no name", "")
        if own is None or name != OWN_PACKAGE:
            declared.append(_DeclaredPlugin(each, name, version))
    return tuple(
        sorted(
            declared, key=lambda each: (each.package != OWN_PACKAGE, each.entry.name, each.package)
        )
    )


def _declared_in_checkout() -> list[_DeclaredPlugin] | None:
    """Return what pyproject.toml declares; None for an installation without one.

    An editable installation keeps the metadata of the day it was made, which may name modules that
    have moved since.
    """
    path = _CHECKOUT / "pyproject.toml"
    if not path.exists():
        return None
    project = tomllib.loads(path.read_text("utf-8")).get("project", {})
    if project.get("name") != OWN_PACKAGE:
        return None
    return [
        _DeclaredPlugin(EntryPoint(name, value, ENTRY_POINTS), OWN_PACKAGE, "")
        for name, value in project.get("entry-points", {}).get(ENTRY_POINTS, {}).items()
    ]


def _wrong_form(described: EnginePlugin) -> WrongForm | None:
    for field, (is_right, form) in _FORMS.items():
        if not is_right(getattr(described, field)):
            return field, form, getattr(described, field)
    return wrong_option(described.options)


def _shown(value: object) -> str:
    try:
        return reprlib.repr(value)
    except ValueError:  # of int.__repr__, which writes no more than some thousand digits
        return "a number of too many digits"


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_texts(value: object) -> bool:
    return isinstance(value, tuple) and all(isinstance(each, str) for each in value)


def _is_reference(value: object) -> bool:
    parts = value.split(":") if isinstance(value, str) else []
    return len(parts) == 2 and all(
        each.isidentifier() for part in parts for each in part.split(".")
    )


def _is_modules(value: object) -> bool:
    return isinstance(value, tuple) and all(
        isinstance(each, str) and each.isidentifier() for each in value
    )


_FORMS: Final[dict[str, tuple[Callable[[object], bool], str]]] = {
    "kind": (lambda value: value in get_args(Kind), '"ast" or "tts"'),
    "title": (_is_text, "a text"),
    "licence": (_is_text, "a text"),
    "languages": (_is_texts, "a tuple of texts"),
    "create": (_is_reference, "module:function"),
    "needs": (_is_modules, "a tuple of top-level modules' names"),
    "install": (_is_text, "a text"),
    "phrases": (lambda value: value == "" or _is_reference(value), "module:function or empty"),
}
"""For each field of `EnginePlugin`, a test of its value and the words for those that pass."""
