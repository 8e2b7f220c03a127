"""Client events: JSON text in, one typed event out, or `BadEvent` with a sentence.

Unknown keys are ignored, as the public API does; a known key with a wrong type is refused, and a
refused event changes nothing.
"""

import json
from dataclasses import dataclass
from typing import TypeAlias, get_args

import msgspec
from msgspec import Struct

from rtc_server.errors import BadEvent
from rtc_server.events.faults import first_fault
from rtc_server.events.fields import MODES, EventId, SayText, TailMs
from rtc_server.events.session_patch import (
    RequestedSession,
    RequestedSettings,
    SessionPatch,
    language_code,
)

__all__ = ["MODES", "SessionPatch", "language_code", "parse_client_event"]

SAY_FAULT = "x.say needs a text of 1 to 300 characters."
EVENT_ID_CHARS = 64
"""Part of a client's ``event_id`` that comes back."""


class SettingsUpdate(Struct, frozen=True, tag_field="type", tag="session.update"):
    """Change settings."""

    session: RequestedSession
    event_id: EventId | None = None


class FlatSettingsUpdate(RequestedSettings, frozen=True, tag_field="type", tag="x.session"):
    """Change settings, named flat."""

    event_id: EventId | None = None


class SessionClose(Struct, frozen=True, tag_field="type", tag="session.close"):
    """Translate and speak what is pending, then end."""

    event_id: EventId | None = None


class InputStart(Struct, frozen=True, tag_field="type", tag="x.input.start"):
    """Push-to-talk pressed."""

    event_id: EventId | None = None


class InputCommit(Struct, frozen=True, tag_field="type", tag="x.input.commit"):
    """Push-to-talk released."""

    tail_ms: TailMs | None = None
    """So much sound was said before and is on its way; null when the client does not know."""
    event_id: EventId | None = None


class OutputClear(Struct, frozen=True, tag_field="type", tag="x.output.clear"):
    """Stop speaking now."""

    event_id: EventId | None = None


class Say(Struct, frozen=True, tag_field="type", tag="x.say"):
    """Translate and speak a phrase that was picked from the phrasebook."""

    text: SayText
    """As ``/v1/phrases`` gives it, in the session's source language."""
    event_id: EventId | None = None


class Ping(Struct, frozen=True, tag_field="type", tag="x.ping"):
    """Answered with ``x.pong``."""

    event_id: EventId | None = None


@dataclass(frozen=True, slots=True)
class SessionUpdate:
    """``session.update`` or ``x.session``: change settings."""

    patch: SessionPatch
    event_id: str | None


ClientEvent: TypeAlias = (
    SessionUpdate | SessionClose | InputStart | InputCommit | OutputClear | Say | Ping
)
ClientMessage: TypeAlias = (
    SettingsUpdate
    | SessionClose
    | FlatSettingsUpdate
    | InputStart
    | InputCommit
    | OutputClear
    | Say
    | Ping
)
"""Client event as JSON has it."""

_MESSAGES: dict[str, type[ClientMessage]] = {
    str(kind.__struct_config__.tag): kind for kind in get_args(ClientMessage)
}
_DECODER = msgspec.json.Decoder(ClientMessage)


def parse_client_event(text: str) -> ClientEvent:
    """Read one message.

    Raises:
        BadEvent: not JSON, not an object, an unknown type or a field that does not fit; carries
            the client's event_id where there was one.
    """
    try:
        message = _DECODER.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
        return _event(_read_again(text))
    if not _is_printable(message) or len(message.event_id or "") > EVENT_ID_CHARS:
        return _event(_read_again(text))
    return _event(message)


def _read_again(text: str) -> ClientMessage:
    """Read a message that msgspec did not take, or that is not printable: to say what is wrong, and
    because `json` takes more (NaN, a lone surrogate), which may stand where nobody looks.
    """
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        raise BadEvent("The message is not JSON. Send one JSON object per message.") from None
    if not isinstance(body, dict):
        raise BadEvent("The message is not a JSON object with a type.")
    given_id = body.get("event_id")
    fits = isinstance(given_id, str) and given_id.isprintable()
    body["event_id"] = event_id = str(given_id)[:EVENT_ID_CHARS] if fits else None
    try:
        return _converted(body)
    except BadEvent as error:
        error.event_id = event_id
        raise


def _converted(body: dict[str, object]) -> ClientMessage:
    kind = body.get("type")
    if not isinstance(kind, str):
        raise BadEvent("The message has no type. The protocol lists the types.")
    form = _MESSAGES.get(kind)
    if form is None:
        known = ", ".join(sorted(_MESSAGES))
        raise BadEvent(f"There is no event of type {kind[:64]!a}. The types are: {known}.")
    if fault := first_fault(form, body, "" if form is SettingsUpdate else kind):
        raise BadEvent(SAY_FAULT if form is Say else fault)
    return msgspec.convert(body, form)


def _event(message: ClientMessage) -> ClientEvent:
    match message:
        case SettingsUpdate(session, event_id):
            return SessionUpdate(session.patch(), event_id)
        case FlatSettingsUpdate():
            return SessionUpdate(message.patch(), message.event_id)
    return message


def _is_printable(value: object) -> bool:
    if isinstance(value, Struct):
        return all(_is_printable(getattr(value, name)) for name in value.__struct_fields__)
    return not isinstance(value, str) or value.isprintable()
