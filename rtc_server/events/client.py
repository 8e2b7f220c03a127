"""Client events: JSON text in, one typed event out, or `BadEvent` with a sentence.

Unknown keys are ignored, as the public API does; a known key with a wrong type is refused, and a
refused event changes nothing.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from rtc_server.errors import BadEvent
from rtc_server.events.server import EXTENSION_GROUPS

VAD_MODES = ("auto", "off")
MODES = ("fast", "balanced", "accurate", "consecutive")
HANGOVER_MS = (100, 3000)
"""Bounds of ``vad.hangover_ms``."""
TAIL_MS = (0, 1000)
"""Bounds of ``tail_ms``."""
SAY_CHARS = 300
"""Longest text of ``x.say``."""


@dataclass(frozen=True, slots=True)
class SessionPatch:
    """Settings that a client named; None leaves a setting as it is."""

    source_language: str | None = None
    """ISO 639-1, region cut off; not yet checked against the engines."""
    target_language: str | None = None
    """The same."""
    transcription: bool | None = None
    """True if input deltas are wanted."""
    x_events: frozenset[str] | None = None
    """Extension groups wanted."""
    vad_mode: str | None = None
    """One of `VAD_MODES`."""
    hangover_ms: int | None = None
    """Within `HANGOVER_MS`."""
    voice: str | None = None
    """A voice of the synthesis engine; not yet checked."""
    engine: str | None = None
    """A translation engine by name; not yet checked."""
    mode: str | None = None
    """One of `MODES`: when speech is translated."""

    def over(self, below: "SessionPatch") -> "SessionPatch":
        """Return both, with this one winning where both name a setting."""
        named = {k: v for k in self.__slots__ if (v := getattr(self, k)) is not None}
        return replace(below, **named)


@dataclass(frozen=True, slots=True)
class SessionUpdate:
    """``session.update`` and ``x.session``: change settings."""

    patch: SessionPatch
    event_id: str | None


@dataclass(frozen=True, slots=True)
class SessionClose:
    """``session.close``: speak what is pending, then end."""

    event_id: str | None


@dataclass(frozen=True, slots=True)
class InputStart:
    """``x.input.start``: push-to-talk pressed."""

    event_id: str | None


@dataclass(frozen=True, slots=True)
class InputCommit:
    """``x.input.commit``: push-to-talk released."""

    tail_ms: int | None
    """So much sound was said before and is on its way; None when the client does not know."""
    event_id: str | None


@dataclass(frozen=True, slots=True)
class OutputClear:
    """``x.output.clear``: stop speaking now."""

    event_id: str | None


@dataclass(frozen=True, slots=True)
class Ping:
    """``x.ping``: answered with ``x.pong``."""

    event_id: str | None


@dataclass(frozen=True, slots=True)
class Say:
    """``x.say``: translate and speak a phrase that was picked from the phrasebook."""

    text: str
    """As ``/v1/phrases`` gives it; at most `SAY_CHARS`."""
    event_id: str | None


ClientEvent: TypeAlias = (
    SessionUpdate | SessionClose | InputStart | InputCommit | OutputClear | Say | Ping
)

_BARE: Mapping[str, type[SessionClose | InputStart | OutputClear | Ping]] = {
    "session.close": SessionClose,
    "x.input.start": InputStart,
    "x.output.clear": OutputClear,
    "x.ping": Ping,
}


def parse_client_event(text: str) -> ClientEvent:
    """Read one message.

    Raises:
        BadEvent: not JSON, not an object, an unknown type or a field that does not fit; carries
            the client's event_id where there was one.
    """
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        raise BadEvent("The message is not JSON. Send one JSON object per message.") from None
    if not isinstance(body, dict):
        raise BadEvent("The message is not a JSON object with a type.")
    given_id = body.get("event_id")
    event_id = given_id[:64] if isinstance(given_id, str) and given_id.isprintable() else None
    try:
        return _event(body, event_id)
    except BadEvent as error:
        error.event_id = event_id
        raise


def _event(body: dict[str, Any], event_id: str | None) -> ClientEvent:
    kind = body.get("type")
    if not isinstance(kind, str):
        raise BadEvent("The message has no type. See the protocol for the types there are.")
    if bare := _BARE.get(kind):
        return bare(event_id)
    if kind == "session.update":
        return SessionUpdate(parse_session(body.get("session"), "session"), event_id)
    if kind == "x.session":
        return SessionUpdate(_extension(body, "x.session"), event_id)
    if kind == "x.input.commit":
        return InputCommit(_milliseconds(body, "tail_ms", kind, TAIL_MS), event_id)
    if kind == "x.say":
        text = body.get("text")
        if not isinstance(text, str) or not 0 < len(text) <= SAY_CHARS:
            raise BadEvent(f"x.say needs a text of 1 to {SAY_CHARS} characters.")
        return Say(text, event_id)
    known = ", ".join(sorted([*_BARE, "session.update", "x.input.commit", "x.say", "x.session"]))
    raise BadEvent(f"There is no event of type {kind[:64]!a}. There are: {known}.")


def parse_session(value: object, path: str) -> SessionPatch:
    """Parse a ``session`` object: of an update, of a call or of a client secret.

    Raises:
        BadEvent: a field has the wrong type; the sentence names it by `path`.
    """
    session = _object(value, path)
    audio = _object(session.get("audio"), f"{path}.audio", absent={})
    output = _object(audio.get("output"), f"{path}.audio.output", absent={})
    source = _object(audio.get("input"), f"{path}.audio.input", absent={})
    patch = SessionPatch(
        target_language=_language(output, "language", f"{path}.audio.output"),
        x_events=_groups(session, path),
    )
    if "transcription" in source:
        patch = replace(patch, transcription=source["transcription"] is not None)
    if source.get("transcription") is not None:
        where = f"{path}.audio.input.transcription"
        transcription = _object(source["transcription"], where)
        _text(transcription, "model", where)
        patch = replace(patch, source_language=_language(transcription, "language", where))
    if source.get("noise_reduction") is not None:
        where = f"{path}.audio.input.noise_reduction"
        _text(_object(source["noise_reduction"], where), "type", where)
    if session.get("x") is not None:
        patch = _extension(_object(session["x"], f"{path}.x"), f"{path}.x").over(patch)
    return patch


def _extension(x: dict[str, Any], path: str) -> SessionPatch:
    vad = _object(x.get("vad"), f"{path}.vad", absent={})
    mode = _text(vad, "mode", f"{path}.vad")
    if mode is not None and mode not in VAD_MODES:
        raise BadEvent(f"{path}.vad.mode must be one of {', '.join(VAD_MODES)}.")
    when = _text(x, "mode", path)
    if when is not None and when not in MODES:
        raise BadEvent(f"{path}.mode must be one of {', '.join(MODES)}.")
    return SessionPatch(
        source_language=_language(x, "source_language", path),
        target_language=_language(x, "target_language", path),
        x_events=_groups(x, path),
        vad_mode=mode,
        hangover_ms=_milliseconds(vad, "hangover_ms", f"{path}.vad", HANGOVER_MS),
        voice=_text(x, "voice", path),
        engine=_text(x, "engine", path),
        mode=when,
    )


def language_code(text: str) -> str:
    """Return ``pt-BR`` and ``PT`` as ``pt``."""
    return text.strip().replace("_", "-").split("-")[0].lower()


def _object(value: object, path: str, absent: dict[str, Any] | None = None) -> dict[str, Any]:
    if value is None and absent is not None:
        return absent
    if not isinstance(value, dict):
        raise BadEvent(f"{path} must be an object.")
    return value


def _text(obj: dict[str, Any], key: str, path: str) -> str | None:
    value = obj.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > 128 or not value.isprintable():
        raise BadEvent(f"{path}.{key} must be a short string of printable text.")
    return value


def _milliseconds(obj: dict[str, Any], key: str, path: str, within: tuple[int, int]) -> int | None:
    value, (low, high) = obj.get(key), within
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise BadEvent(f"{path}.{key} must be a number from {low} to {high}.")
    return round(value)


def _language(obj: dict[str, Any], key: str, path: str) -> str | None:
    value = _text(obj, key, path)
    return None if value is None else language_code(value)


def _groups(obj: dict[str, Any], path: str) -> frozenset[str] | None:
    value = obj.get("x_events")
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise BadEvent(f"{path}.x_events must be a list of strings.")
    if unknown := sorted(set(value) - EXTENSION_GROUPS):
        there = ", ".join(sorted(EXTENSION_GROUPS))
        raise BadEvent(f"{path}.x_events has no group {unknown[0][:64]!a}; there are: {there}.")
    return frozenset(value)
