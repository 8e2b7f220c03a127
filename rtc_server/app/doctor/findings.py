"""What the doctor has to say."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    NOTE = "note"
    """Works, and may surprise."""
    FAULT = "fault"
    """Somebody will not be heard."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    level: Level
    what: str
    """A sentence."""
    fix: str = ""
    """What to do about it, unless it is well."""


def ok(what: str) -> Finding:
    """It is well."""
    return Finding(Level.OK, what)


def note(what: str, fix: str) -> Finding:
    """It may surprise."""
    return Finding(Level.NOTE, what, fix)


def fault(what: str, fix: str) -> Finding:
    """It does not work."""
    return Finding(Level.FAULT, what, fix)
