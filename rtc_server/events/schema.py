"""JSON Schema of the events, made from their structs: ``python -m rtc_server.events.schema``.

docs/events.schema.json holds it; a test says when the two differ.
"""

import json
from typing import Any, get_args

from msgspec import Struct

from rtc_server.events.client import ClientMessage
from rtc_server.events.server import OutputAudioDelta, PongEvent, ServerEvent
from rtc_server.events.session_events import SessionInfo
from rtc_server.events.struct_schema import definitions

REFERENCE = "#/$defs/{name}"
SERVER_EVENTS: tuple[type[Struct], ...] = (*get_args(ServerEvent), OutputAudioDelta)
CLIENT_EVENTS: tuple[type[Struct], ...] = get_args(ClientMessage)


def events_schema() -> dict[str, Any]:
    """Return the schema of all events, as a JSON object."""
    said = definitions(SERVER_EVENTS, REFERENCE, _name, always_sent=True)
    for kind in SERVER_EVENTS:
        _number(said[_name(kind)], kind)
    understood = definitions(CLIENT_EVENTS, REFERENCE, _name, always_sent=False)
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


def _name(kind: type) -> str:
    """Return the name in the schema: of an event its type, of the session ``session``."""
    for side, events in (("server", SERVER_EVENTS), ("client", CLIENT_EVENTS)):
        for event in events:
            if event is kind:
                return f"{side}.{event.__struct_config__.tag}"
    return "session" if kind is SessionInfo else kind.__name__


def _reference(kind: type[Struct]) -> dict[str, str]:
    return {"$ref": REFERENCE.format(name=_name(kind))}


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


if __name__ == "__main__":
    print(json.dumps(events_schema(), ensure_ascii=False, indent=1))
