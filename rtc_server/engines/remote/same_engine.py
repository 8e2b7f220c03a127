"""Check that all servers of a pool have the same engine, so that any of them can answer."""

from rtc_server.engines.registry import Kind
from rtc_server.engines.remote.messages import ServerHello
from rtc_server.engines.remote.unusable import Cause, UnusableServer


def check_same_engine(kind: Kind, ours: ServerHello | None, theirs: ServerHello) -> None:
    """Raise `UnusableServer` unless `theirs` is of that kind and can do all that `ours` can.

    With None for `ours` the kind alone counts.
    """
    theirs_title = _title(kind, theirs)
    if not theirs_title:
        raise UnusableServer(Cause.CLOSED, "it has no engine of this kind")
    if ours is not None and not (
        _translates_as(ours, theirs) if kind == "ast" else _speaks_as(ours, theirs)
    ):
        raise UnusableServer(
            Cause.OTHER_ENGINE,
            f"it runs {theirs_title}, which cannot stand in for {_title(kind, ours)} of the other "
            "servers; servers of one pool have the same engine",
        )


def _title(kind: Kind, hello: ServerHello) -> str:
    engine = hello.ast if kind == "ast" else hello.tts
    return engine.title if engine is not None else ""


def _translates_as(ours: ServerHello, theirs: ServerHello) -> bool:
    if ours.ast is None or theirs.ast is None:
        return False
    return ours.ast.name == theirs.ast.name and set(ours.ast.pairs) <= set(theirs.ast.pairs)


def _speaks_as(ours: ServerHello, theirs: ServerHello) -> bool:
    if ours.tts is None or theirs.tts is None:
        return False
    return (ours.tts.name, ours.tts.sample_rate) == (
        theirs.tts.name,
        theirs.tts.sample_rate,
    ) and all(
        set(voices) <= set(theirs.tts.voices.get(language, ()))
        for language, voices in ours.tts.voices.items()
    )
