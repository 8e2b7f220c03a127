"""Values of the options that belong to one engine, for its factory."""

from collections.abc import Mapping

from rtc_server.engines.plugin import Kind, OptionValue
from rtc_server.engines.plugin_discovery import found_plugins, plugins_beside


def own_options(
    kind: Kind, engine: str, values: Mapping[str, OptionValue]
) -> dict[str, OptionValue]:
    """Return the values of an engine's own options; empty for an engine that has none.

    Args:
        kind: kind of the engine.
        engine: name of the engine, or ``module:function`` of its factory, for which the package
            of the factory is looked through.
        values: options of all plug-ins by name; one that is absent has its default.
    """
    module, is_factory, _ = engine.partition(":")
    # Not all plug-ins: a server may be built from its event loop, and importing takes time.
    for found in plugins_beside(module) if is_factory else found_plugins(engine):
        described = found.plugin
        if described and described.kind == kind and engine in (found.name, described.create):
            return {each.name: values.get(each.name, each.default) for each in described.options}
    return {}
