"""Captions of a segment, as ``x.segment`` carries them."""

from enum import StrEnum
from typing import ClassVar

from msgspec import Struct

from rtc_server.events.base_event import BaseEvent
from rtc_server.events.fields import Count, Language


class SegmentStatus(StrEnum):
    """State of a segment's captions."""

    PARTIAL = "partial"
    FINAL = "final"
    NOT_UNDERSTOOD = "not_understood"
    FAILED = "failed"


class SourceCaption(Struct, frozen=True):
    """Caption in the source language."""

    language: Language
    text: str
    stable_chars: Count
    """Leading characters that no later revision changes."""
    start_ms: int
    """Start of the segment on the session's audio clock."""
    end_ms: int
    """End of the segment, or where it has come to."""


class TargetCaption(Struct, frozen=True):
    """Caption in the target language."""

    language: Language
    text: str
    stable_chars: Count
    """Leading characters that no later revision changes."""


class CaptionHint(Struct, frozen=True):
    """A phrase near to what was not understood."""

    source: str
    target: str


class SegmentEvent(BaseEvent, frozen=True, tag="x.segment", omit_defaults=True):
    """The captions of one segment; replaces what came before under the same id."""

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
