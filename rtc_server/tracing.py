"""Traces: what was done for a call, as spans with a beginning, an end and a parent.

Everything here is free of any tracing library: `NO_TRACES` forgets all it is given, and
`rtc_server.app.otel` has the tracer that exports. A span says what was done, for which session or
segment, how long it took and how it ended. Texts, audio, SDP and tokens are never part of it:
attributes are limited to the names in `Attribute`.
"""

import re
from enum import StrEnum
from typing import Protocol, TypeAlias

TRACE_CONTEXT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
"""Span that others may be children of, as W3C's ``traceparent`` has it."""

AttributeValue: TypeAlias = str | int | float


class Attribute(StrEnum):
    """Names that a span may carry a value under."""

    SESSION = "rtc.session"
    """Id of the session, or of the room and its language."""
    SEGMENT = "rtc.segment"
    """Id of the segment within its session."""
    SOURCE = "rtc.source_language"
    TARGET = "rtc.target_language"
    STATUS = "rtc.status"
    """Outcome: of a translation that of the engine, of a segment that of its caption."""
    REASON = "rtc.reason"
    """Reason of a call's end."""
    PASS = "rtc.pass"
    """Kind of question to the translation engine: open (the segment goes on), speculative (it may
    be over) or whole."""
    AUDIO_MS = "rtc.audio_ms"
    """Audio that the engine was given."""
    CHARACTERS = "rtc.characters"
    """Length of a text."""
    FIRST_SAMPLE_MS = "rtc.first_sample_ms"
    """Time from the text to its first sample."""


class Span(Protocol):
    """Something that was begun and ends once; nothing can be noted of one that is over."""

    @property
    def context(self) -> str:
        """`TRACE_CONTEXT` of it, for another process; empty when it is not recorded."""

    def child(self, name: str, *, at_s: float | None = None) -> "Span":
        """Begin something that is part of it, now or at `at_s` on the server's clock."""

    def note(self, attribute: Attribute, value: AttributeValue) -> None:
        """Note a value."""

    def fail(self, code: str) -> None:
        """Note that it failed, by `RtcServerError.code`."""

    def end(self, *, at_s: float | None = None) -> None:
        """End it. One that is never ended is never reported."""


class Tracer(Protocol):
    """Beginning of traces."""

    def start(self, name: str, parent: str = "") -> Span:
        """Begin a trace, or go on with that of another process: `parent` is its `Span.context`."""


class NoSpan:
    """A `Span` that is not recorded."""

    context = ""

    def child(self, name: str, *, at_s: float | None = None) -> "NoSpan":
        """Return itself."""
        return self

    def note(self, attribute: Attribute, value: AttributeValue) -> None:
        """Do nothing."""

    def fail(self, code: str) -> None:
        """Do nothing."""

    def end(self, *, at_s: float | None = None) -> None:
        """Do nothing."""


class NoTraces:
    """A `Tracer` that records nothing."""

    def start(self, name: str, parent: str = "") -> NoSpan:
        """Return a span that is not recorded."""
        return NO_SPAN


NO_SPAN = NoSpan()
NO_TRACES = NoTraces()
