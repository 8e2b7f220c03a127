"""One target of fuzzing."""

from collections.abc import Callable
from dataclasses import dataclass

MOST_BYTES = 8192
"""Longest input, for most."""
LIMIT_S = 0.05
"""CPU time that reading one input may take: no longer may anything hold the event loop."""


@dataclass(frozen=True, slots=True)
class Target:
    """One parser of strangers' bytes."""

    name: str
    read: Callable[[bytes], str]
    """Function that reads one input and describes the outcome in a few words: an input with new
    words is kept. An exception is a finding.
    """
    seeds: tuple[bytes, ...]
    """Inputs that are well."""
    weight: int = 1
    """Number of inputs it gets, in relation to the others."""
    most_bytes: int = MOST_BYTES
    """Longest input."""
    limit_s: float = LIMIT_S
    """CPU time that one input may take; more is a finding."""


def as_text(data: bytes) -> str:
    """Return the text that a reader of text gets for these bytes."""
    return data.decode("utf-8", "replace")  # the caller has refused bytes that are not UTF-8
