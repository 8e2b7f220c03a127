"""Findings of the doctor."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """Severity of a finding."""

    OK = "ok"
    NOTE = "note"
    """Works, but may surprise."""
    FAULT = "fault"
    """Does not work: some calls will fail."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Result of one check."""

    level: Level
    what: str
    """A sentence."""
    fix: str = ""
    """Remedy, unless all is well."""


def ok(what: str) -> Finding:
    """Return a finding that something is well."""
    return Finding(Level.OK, what)


def note(what: str, fix: str) -> Finding:
    """Return a finding that something may surprise."""
    return Finding(Level.NOTE, what, fix)


def fault(what: str, fix: str) -> Finding:
    """Return a finding that something does not work."""
    return Finding(Level.FAULT, what, fix)
