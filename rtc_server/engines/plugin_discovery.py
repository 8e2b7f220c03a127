"""Engines that installed packages bring: their entry points, read and judged one by one.

Importing the module that an entry point names is all that is done here, and only when its name was
asked for or all are listed: no engine is loaded.
"""

import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Final

from rtc_server.engines.plugin import CONTRACT_VERSION, ENTRY_POINTS, EnginePlugin
from rtc_server.errors import place_of

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
    """Its version; empty where it is not known."""
    plugin: EnginePlugin | None
    """The engine."""
    fault: str = ""
    """If there is none, a sentence that names engine, package and what to do."""

    @property
    def origin(self) -> str:
        """Package and version, for people."""
        return f"{self.package} {self.version}".strip()


def found_plugins(name: str = "") -> Iterator[FoundPlugin]:
    """Yield the engines of installed packages of that name, or all; this package's own first."""
    for each in _declared(tuple(sys.path)):
        if name in ("", each.entry.name):
            yield each.judged()


@dataclass(frozen=True, slots=True)
class _DeclaredPlugin:
    """An entry point that nobody has loaded yet."""

    entry: EntryPoint
    package: str
    version: str

    def judged(self) -> FoundPlugin:
        """Import what the entry point names, and see that it is an engine of our contract."""
        try:
            value = self.entry.load()
        except Exception as error:
            reason = str(error) if isinstance(error, ImportError) else ""
            return self._faulty(
                f"cannot be imported: {place_of(error)}{f' ({reason})' if reason else ''}. "
                f"Install {self.package} again, or remove it."
            )
        if not isinstance(value, EnginePlugin):
            return self._faulty(
                f"is {self.entry.value}, which is no EnginePlugin (docs/plugins.md). "
                f"Report it to the authors of {self.package}."
            )
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
        return FoundPlugin(self.entry.name, self.package, self.version, value)

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
    declared = []
    for each in entry_points(group=ENTRY_POINTS):
        name, version = (each.dist.name, each.dist.version) if each.dist else ("of no name", "")
        declared.append(_DeclaredPlugin(each, name, version))
    if all(each.package != OWN_PACKAGE for each in declared):
        declared += _declared_in_checkout()
    return tuple(
        sorted(
            declared, key=lambda each: (each.package != OWN_PACKAGE, each.entry.name, each.package)
        )
    )


def _declared_in_checkout() -> Iterator[_DeclaredPlugin]:
    """Yield what pyproject.toml declares beside a package that was installed before it did so."""
    path = _CHECKOUT / "pyproject.toml"
    if not path.exists():
        return
    project = tomllib.loads(path.read_text("utf-8")).get("project", {})
    if project.get("name") == OWN_PACKAGE:
        for name, value in project.get("entry-points", {}).get(ENTRY_POINTS, {}).items():
            yield _DeclaredPlugin(EntryPoint(name, value, ENTRY_POINTS), OWN_PACKAGE, "")
