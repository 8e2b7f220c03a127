"""Sections of the options that plug-ins declare, and the plug-ins whose options cannot be used."""

import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, make_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from rtc_server.engines.plugin import Kind, OptionValue, PluginOption
from rtc_server.errors import ConfigError
from rtc_server.options import config_key, option
from rtc_server.options.option import hidden

if TYPE_CHECKING:
    from rtc_server.engines.plugin_discovery import FoundPlugin


@dataclass(frozen=True, slots=True)
class PluginSections:
    """One section for each plug-in that has options, and what is wrong with plug-ins."""

    sections: tuple[type[Any], ...]
    """Data classes; a name is in one of them only."""
    clashes: Mapping[tuple[Kind, str], str]
    """Sentence for each engine, by kind and name or factory, that claims an option of another."""
    faults: tuple[str, ...]
    """All sentences: these, and those about plug-ins that cannot be read."""

    def check(self, kind: Kind, engine: str) -> None:
        """Raise `ConfigError` for an engine whose options are another's, too."""
        if sentence := self.clashes.get((kind, engine)):
            raise ConfigError(sentence)


def plugin_sections(reserved: Collection[str]) -> PluginSections:
    """Return the sections of installed plug-ins.

    Imports the module of each entry point, which holds its description and no engine.

    Args:
        reserved: names of options that plug-ins cannot have.
    """
    return _sections(tuple(sys.path), frozenset(reserved))


def values_of(sections: Collection[Any]) -> dict[str, OptionValue]:
    """Return the values of sections of plug-ins by the names of the options."""
    return {
        name: getattr(section, name)
        for section in sections
        for name in type(section).__dataclass_fields__
    }


@cache
def _sections(_path: tuple[str, ...], reserved: frozenset[str]) -> PluginSections:
    # Here: reading the metadata of packages takes longer than all that a plain --help imports.
    from rtc_server.engines.plugin_discovery import found_plugins  # noqa: PLC0415

    sections = []
    clashes: dict[tuple[Kind, str], str] = {}
    owners: dict[str, tuple[FoundPlugin, PluginOption]] = {}
    faults = []
    for found in found_plugins():
        if found.plugin is None:
            faults.append(found.fault)
            continue
        fresh = []
        for each in found.plugin.options:
            owner, same = owners.get(each.name, (None, None))
            if each.name in reserved:
                _refuse(clashes, found, each, "the server has such an option")
            elif owner is None:
                owners[each.name] = (found, each)
                fresh.append(each)
            elif (owner.package, same) != (found.package, each):
                # One package may have several engines with an option in common.
                _refuse(clashes, found, each, _has_it(owner))
                # Ours is documented and stays; of two others neither is more in the right.
                if not owner.is_own:
                    _refuse(clashes, owner, each, _has_it(found))
        if fresh:
            sections.append(_section(found, fresh))
    return PluginSections(tuple(sections), clashes, (*faults, *dict.fromkeys(clashes.values())))


def _has_it(other: "FoundPlugin") -> str:
    return f"engine {other.name} of {other.origin} has one of this name"


def _refuse(
    clashes: dict[tuple[Kind, str], str], found: "FoundPlugin", claimed: PluginOption, reason: str
) -> None:
    assert found.plugin
    sentence = (
        f"Engine {found.name} of the package {found.origin} cannot be used with its option "
        f"--{config_key(claimed.name)}: {reason}. Remove one of the packages, or report it to the "
        f"authors of {found.package}."
    )
    for engine in (found.name, found.plugin.create):
        clashes.setdefault((found.plugin.kind, engine), sentence)


def _section(found: "FoundPlugin", options: Collection[PluginOption]) -> type[Any]:
    """Return a section of the options; its docstring is the title, as of any other."""
    assert found.plugin
    package = "" if found.is_own else f" of the package {found.origin}"
    return make_dataclass(
        f"{found.plugin.kind}:{found.name}@{found.package}",
        [(each.name, each.type, _field(each)) for each in options],
        namespace={"__doc__": f"Options of the engine {found.name}{package}."},
        frozen=True,
        slots=True,
    )


def _field(declared: PluginOption) -> Any:
    return option(
        declared.default,
        declared.help,
        choices=declared.choices,
        low=declared.low,
        high=declared.high,
        mask=hidden if declared.secret else None,
        metavar=declared.metavar,
    )
