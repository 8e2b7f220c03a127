"""Form of ``/ws/audio``: raw PCM in binary messages, events in text messages."""

import json
from typing import Any

from rtc_server.pcm import SPEECH_RATE
from rtc_server.transport.websocket.forms import EventIn, Incoming, RefusedMessage, event_in
from rtc_server.transport.websocket.pcm_check import PcmCheck

MAX_BINARY_BYTES = 64 * 1024
"""Two seconds of audio in one message."""


class PlainForm:
    """16 kHz mono Int16LE both ways; ``start`` and ``stop`` are short forms of events."""

    sample_rate = SPEECH_RATE
    block_frames = 1
    max_message_bytes = 2 * MAX_BINARY_BYTES

    def __init__(self) -> None:
        self._check = PcmCheck(self.sample_rate)

    def read(self, message: str | bytes) -> Incoming:
        """See `Form.read`."""
        if isinstance(message, bytes):
            if len(message) > MAX_BINARY_BYTES:
                return RefusedMessage(
                    "The binary message is longer than 64 kB. Send 20 to 30 ms of audio in each."
                )
            return self._check.read(message)
        event = event_in(message)
        return _in_full(event) if isinstance(event, EventIn) else event

    def write(self, pcm: bytes, elapsed_ms: int) -> bytes:
        """See `Form.write`."""
        return pcm


def _in_full(event: EventIn) -> EventIn | RefusedMessage:
    try:
        body = json.loads(event.text)
    except (ValueError, RecursionError):
        return event  # the session reports what is wrong
    match body:
        case {"type": "start"}:
            return _start(body)
        case {"type": "stop"}:
            return _renamed(body, "session.close")
    return event


def _start(body: dict[str, Any]) -> EventIn | RefusedMessage:
    settings = {
        "source_language": body.get("source"),
        "target_language": body.get("target"),
    }
    vad = body.get("vad")
    if vad is not None:
        if not isinstance(vad, bool):
            return RefusedMessage("start.vad must be true or false.")
        settings["vad"] = {"mode": "auto" if vad else "off"}
    return _renamed(body, "x.session", **settings)


def _renamed(body: dict[str, Any], kind: str, **fields: Any) -> EventIn:
    return EventIn(json.dumps({"type": kind, "event_id": body.get("event_id"), **fields}))
