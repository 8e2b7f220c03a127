"""Sections of the options that plug-ins declare, and the plug-ins whose options cannot be used."""

import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, make_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from rtc_server.engines.plugin import Kind, OptionValue, PluginOption
from rtc_server.errors import ConfigError
from rtc_server.options import config_key, option
from rtc_server.options.option import hidden

if TYPE_CHECKING:
    from rtc_server.engines.plugin_discovery import FoundPlugin

    _Claim: TypeAlias = tuple[FoundPlugin, PluginOption]


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

    described, faults = [], []
    claims: dict[str, list[_Claim]] = {}
    for found in found_plugins():
        if found.plugin is None:
            faults.append(found.fault)
            continue
        described.append((found, found.plugin.options))
        for each in found.plugin.options:
            claims.setdefault(each.name, []).append((found, each))
    sections = []
    clashes: dict[tuple[Kind, str], str] = {}
    for found, options in described:
        for each in options:
            if reason := _reason(found, each, claims[each.name], reserved):
                _refuse(clashes, found, each, reason)
        # The first one has the field, also where none of them can be used: the option is known.
        fresh = [o for o in options if o.name not in reserved and claims[o.name][0] == (found, o)]
        if fresh:
            sections.append(_section(found, fresh))
    return PluginSections(tuple(sections), clashes, (*faults, *dict.fromkeys(clashes.values())))


def _reason(
    found: "FoundPlugin",
    declared: PluginOption,
    claims: "Collection[_Claim]",
    reserved: Collection[str],
) -> str:
    """Return why an engine cannot have an option, and what to do; empty where it can.

    `claims`: all that are made on the option's name, this one among them.
    """
    authors = f"the authors of {found.package}"
    if declared.name in reserved:
        return (
            f"the server has such an option. Remove one of the packages, or report it to {authors}"
        )
    # Ours is documented and stays; of others none is more in the right.
    if not found.is_own:
        for other, _ in claims:
            if other.package != found.package:
                return (
                    f"engine {other.name} of {other.origin} has one of this name. Remove one of "
                    f"the packages, or report it to {authors}"
                )
    # One package may have several engines with an option in common.
    for other, form in claims:
        if other.package == found.package and form != declared:
            return (
                f"engine {other.name} of the same package describes it differently. Report it to "
                f"{authors}"
            )
    return ""


def _refuse(
    clashes: dict[tuple[Kind, str], str], found: "FoundPlugin", claimed: PluginOption, reason: str
) -> None:
    assert found.plugin
    sentence = (
        f"Engine {found.name} of the package {found.origin} cannot be used with its option "
        f"--{config_key(claimed.name)}: {reason}."
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
