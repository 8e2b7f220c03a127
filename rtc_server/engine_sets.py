"""Sets of engines that work together, each chosen by one name: ``--engines laptop``.

A set fills ``--ast`` and ``--tts`` where the operator named none. The models it needs are the
catalogue's set of the same name (`rtc_server.catalog.model_sets`), if there is one.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EngineSet:
    """Two engines and what brings them."""

    name: str
    """Value of ``--engines``."""
    ast: str
    """Speech translation engine, as in ``--ast``."""
    tts: str
    """Speech synthesis engine, as in ``--tts``."""
    extras: tuple[str, ...] = ()
    """Extras of this package that install them."""


ENGINE_SETS = {
    each.name: each
    for each in (
        EngineSet("embedded", "phrasebook", "espeak"),
        EngineSet("laptop", "laptop", "auto", ("laptop",)),
        EngineSet("gpu", "canary", "silero", ("canary", "silero")),
    )
}
"""Sets by name, the default first."""

EMBEDDED = next(iter(ENGINE_SETS))


def set_of(ast: str, tts: str) -> str:
    """Return the name of the set that these two engines are, however chosen; "" for none."""
    return next((s.name for s in ENGINE_SETS.values() if (s.ast, s.tts) == (ast, tts)), "")
