"""Captions of a segment, as ``x.segment`` carries them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar


class SegmentStatus(StrEnum):
    """State of a segment's captions."""

    PARTIAL = "partial"
    FINAL = "final"
    NOT_UNDERSTOOD = "not_understood"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SourceCaption:
    """Caption in the source language."""

    language: str
    text: str
    stable_chars: int
    """Leading characters that no later revision changes."""
    start_ms: int
    """Start of the segment on the session's audio clock."""
    end_ms: int
    """End of the segment, or where it has come to."""


@dataclass(frozen=True, slots=True)
class TargetCaption:
    """Caption in the target language."""

    language: str
    text: str
    stable_chars: int
    """Leading characters that no later revision changes."""


@dataclass(frozen=True, slots=True)
class CaptionHint:
    """A phrase near to what was not understood."""

    source: str
    target: str


@dataclass(frozen=True, slots=True)
class SegmentEvent:
    """The captions of one segment; replaces what came before under the same id."""

    type: ClassVar[str] = "x.segment"
    group: ClassVar[str | None] = "segment"
    segment_id: str
    rev: int
    """Counts up within a segment; a lower one that comes late is to be ignored."""
    final: bool
    status: SegmentStatus
    source: SourceCaption
    target: TargetCaption
    hints: tuple[CaptionHint, ...] = ()
    """With not_understood: what it might have been."""
    message: str = ""
    """With failed: a sentence for the user."""
    code: str = ""
    """With failed: why, by a stable name, as in the ``error`` event that comes with it."""
