"""JSON Schema of the events, made from their structs: ``python -m rtc_server.events.schema``.

docs/events.schema.json holds it; a test says when the two differ.
"""

import ast
import inspect
import json
import textwrap
from collections.abc import Iterable
from typing import Any, get_args

import msgspec
from msgspec import Struct

from rtc_server.events.client import ClientMessage
from rtc_server.events.server import OutputAudioDelta, PongEvent, ServerEvent
from rtc_server.events.session_events import SessionInfo

REFERENCE = "#/$defs/{name}"
SERVER_EVENTS: tuple[type[Struct], ...] = (*get_args(ServerEvent), OutputAudioDelta)
CLIENT_EVENTS: tuple[type[Struct], ...] = get_args(ClientMessage)


def events_schema() -> dict[str, Any]:
    """Return the schema of all events, as a JSON object."""
    said = _definitions(SERVER_EVENTS)
    for kind in SERVER_EVENTS:
        _number(said[_name(kind)], kind)
    understood = _definitions(CLIENT_EVENTS)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Events of rtc-server",
        "description": (
            "One JSON object for each message of the data channel or of a WebSocket. "
            "$defs/server_event is what the server says, $defs/client_event what it understands. "
            "The WebSocket forms take a few more messages: see protocol.md."
        ),
        "anyOf": [{"$ref": "#/$defs/server_event"}, {"$ref": "#/$defs/client_event"}],
        "$defs": {
            **said,
            **understood,
            "server_event": {"oneOf": [_reference(kind) for kind in SERVER_EVENTS]},
            "client_event": {"oneOf": [_reference(kind) for kind in CLIENT_EVENTS]},
        },
    }


def _definitions(kinds: Iterable[type[Struct]]) -> dict[str, Any]:
    """Return the definition of each event, and of the structs in them, by its public name."""
    structs = {kind.__name__: kind for kind in _all(kinds)}
    _, made = msgspec.json.schema_components(kinds, ref_template=REFERENCE)
    text = json.dumps(made)
    for name, kind in structs.items():
        text = text.replace(json.dumps(_target(name)), json.dumps(_target(_name(kind))))
    named: dict[str, Any] = json.loads(text)
    for body in named.values():
        body.pop("title")
    for name, kind in structs.items():
        _describe(named[name], kind)
    public = {_name(kind): named.pop(name) for name, kind in structs.items()}
    return public | named  # of the rest, enumerations, the name is public


def _all(kinds: Iterable[type[Struct]]) -> list[type[Struct]]:
    """Return these and the structs that their fields hold, these first."""
    found: dict[type[Struct], None] = dict.fromkeys(kinds)
    waiting = [msgspec.inspect.type_info(kind) for kind in found]
    while waiting:
        form: Any = waiting.pop(0)
        if isinstance(form, msgspec.inspect.StructType):
            found.setdefault(form.cls)
            waiting += [each.type for each in form.fields]
        for part in ("type", "item_type"):
            inner = getattr(form, part, None)
            waiting += [inner] if isinstance(inner, msgspec.inspect.Type) else []
        waiting += getattr(form, "types", ()) + getattr(form, "item_types", ())
    return list(found)


def _name(kind: type[Struct]) -> str:
    """Return the name in the schema: of an event its type, of the session ``session``."""
    if kind in SERVER_EVENTS:
        return f"server.{kind.__struct_config__.tag}"
    if kind in CLIENT_EVENTS:
        return f"client.{kind.__struct_config__.tag}"
    return "session" if kind is SessionInfo else kind.__name__


def _target(name: str) -> str:
    return REFERENCE.format(name=name)


def _reference(kind: type[Struct]) -> dict[str, str]:
    return {"$ref": _target(_name(kind))}


def _describe(body: dict[str, Any], kind: type[Struct]) -> None:
    """Add what docstrings say, and take out what says nothing to a client."""
    always = kind in _ALWAYS_SENT
    texts = _field_docstrings(kind)
    for name, field in body["properties"].items():
        field.pop("default", None)
        if name in texts and "description" not in field:
            field["description"] = texts[name]
        if always and name not in body["required"] and not _is_left_out(kind):
            body["required"].append(name)


def _number(body: dict[str, Any], kind: type[Struct]) -> None:
    """Add what every server event carries."""
    numbers: dict[str, Any] = {"event_id": {"type": "string"}}
    if str(kind.__struct_config__.tag).startswith("x."):
        described = "Counts up in the session."
        numbers["seq"] = {"type": "integer", "minimum": 1, "description": described}
    properties = body["properties"]
    body["properties"] = {"type": properties.pop("type"), **numbers, **properties}
    if kind is PongEvent:
        numbers.pop("seq")  # to a participant of a room it comes without
    body["required"] = ["type", *numbers, *(each for each in body["required"] if each != "type")]
    body["additionalProperties"] = False


def _is_left_out(kind: type[Struct]) -> bool:
    """Return whether fields that hold their default are left out."""
    return kind.__struct_config__.omit_defaults


def _field_docstrings(kind: type[Struct]) -> dict[str, str]:
    """Return the docstrings below the fields of a class and its bases, by field."""
    texts: dict[str, str] = {}
    for each in reversed(kind.__mro__):
        if not issubclass(each, Struct) or each is Struct:
            continue
        [body] = ast.parse(textwrap.dedent(inspect.getsource(each))).body
        assert isinstance(body, ast.ClassDef)
        for pair in zip(body.body, body.body[1:], strict=False):
            match pair:
                case (
                    ast.AnnAssign(target=ast.Name(name)),
                    ast.Expr(value=ast.Constant(str(text))),
                ):
                    texts[name] = " ".join(text.replace("``", "`").split())
    return texts


_ALWAYS_SENT = frozenset(_all(SERVER_EVENTS))
"""Structs whose fields the server sends, defaults too."""


if __name__ == "__main__":
    print(json.dumps(events_schema(), ensure_ascii=False, indent=1))
