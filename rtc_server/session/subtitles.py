"""Transcript as a file: plain text, SRT, WebVTT or JSON. Pure.

The page writes the same files from its own captions (``static/export.js``), and a test compares
both. The times of subtitles are on the session's audio clock. A subtitle stays for as long as the
segment was spoken, at least `LEAST_MS`, and ends when the next one begins. If two languages are
spoken, plain text has the time and the language before each segment.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from rtc_server.events.fields import Count
from rtc_server.session.cues import cut
from rtc_server.session.session_api import TranscriptEntry

LEAST_MS = 1500
"""Shortest time that a subtitle stays, unless the next one begins earlier."""


class Format(StrEnum):
    """Kinds of transcript files."""

    TXT = "txt"
    SRT = "srt"
    VTT = "vtt"
    JSON = "json"


class Side(StrEnum):
    """Texts of a transcript: both, source or translation."""

    BOTH = "both"
    SOURCE = "source"
    TARGET = "target"


CONTENT_TYPES = {
    Format.TXT: "text/plain",
    Format.SRT: "application/x-subrip",
    Format.VTT: "text/vtt",
    Format.JSON: "application/json",
}


class TranscriptText(Struct, frozen=True):
    """Text of one language."""

    language: str
    text: str


class TranscriptSegment(Struct, frozen=True):
    """Segment that was understood."""

    at: Annotated[str, Meta(extra_json_schema={"format": "date-time"})]
    """Time when its first caption came."""
    start_ms: Count
    """On the session's audio clock."""
    end_ms: Count
    source: TranscriptText
    target: TranscriptText


class TranscriptFile(Struct, frozen=True):
    """Transcript of a session as JSON."""

    segments: list[TranscriptSegment]


def written(segments: Sequence[TranscriptEntry], form: Format, side: Side) -> str:
    """Return the whole file. JSON has both texts, whatever `side` is."""
    return "".join(pieces(segments, form, side))


def pieces(segments: Sequence[TranscriptEntry], form: Format, side: Side) -> Iterator[str]:
    """Yield the file in parts of one segment at most.

    A day of talk takes a second to write, so the caller can let other tasks run in between.
    """
    match form:
        case Format.TXT:
            yield from _text(segments, side)
        case Format.SRT:
            for number, cue in enumerate(_cues(segments, side, ","), start=1):
                yield f"{number}\n{cue}\n" if number == 1 else f"\n{number}\n{cue}\n"
        case Format.VTT:
            yield "WEBVTT\n"
            for cue in _cues(segments, side, "."):
                yield f"\n{cue}\n"
        case Format.JSON:
            yield from _json(segments)


def _text(segments: Sequence[TranscriptEntry], side: Side) -> Iterator[str]:
    two = len({each.source.language for each in segments}) > 1
    before = ""
    for each in segments:
        who = f"[{_clock(each.source.start_ms)}] {each.source.language.upper()}"
        yield before + "\n".join([*([who] if two else []), *_texts(each, side)])
        before = "\n\n"
    yield "\n"


def _texts(segment: TranscriptEntry, side: Side) -> list[str]:
    if side is Side.BOTH:
        return [segment.source.text, segment.target.text]
    return [segment.source.text if side is Side.SOURCE else segment.target.text]


def _cues(segments: Sequence[TranscriptEntry], side: Side, mark: str) -> Iterator[str]:
    """Yield the cues of SRT (decimal `mark` ``,``) or WebVTT (``.``, with escapes)."""
    for index, segment in enumerate(segments):
        start = segment.source.start_ms
        end = start + max(segment.source.end_ms - start, LEAST_MS)
        if index + 1 < len(segments):
            end = min(end, segments[index + 1].source.start_ms)
        for cue in cut(_texts(segment, side), start, max(end, start + 1)):
            words = "\n".join(cue.lines)
            if mark == ".":
                words = words.replace("&", "&amp;").replace("<", "&lt;")
            times = f"{_timestamp(cue.start_ms, mark)} --> {_timestamp(cue.end_ms, mark)}"
            yield f"{times}\n{words}"


def _timestamp(ms: int, mark: str) -> str:
    """Return 3723004 as ``01:02:03,004``."""
    return f"{_clock(ms)}{mark}{ms % 1000:03}"


def _clock(ms: int) -> str:
    """Return 3723004 as ``01:02:03``."""
    seconds = ms // 1000
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _json(segments: Sequence[TranscriptEntry]) -> Iterator[str]:
    yield '{\n  "segments": ['
    before = "\n    "
    for each in segments:
        row = TranscriptSegment(
            _iso(each.at_s),
            each.source.start_ms,
            each.source.end_ms,
            TranscriptText(each.source.language, each.source.text),
            TranscriptText(each.target.language, each.target.text),
        )
        text = json.dumps(msgspec.to_builtins(row), ensure_ascii=False, indent=2)
        # The only line ends are those of the indentation; those in texts are escaped.
        yield before + text.replace("\n", "\n    ")
        before = ",\n    "
    yield "\n  ]\n}\n" if segments else "]\n}\n"


def _iso(unix_s: float) -> str:
    """Return Unix seconds as JavaScript's ``toISOString`` writes them."""
    moment = datetime.fromtimestamp(unix_s, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
