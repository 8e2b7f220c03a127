"""The WebSocket form of OpenAI's Realtime Translations API: base64 audio inside JSON events."""

import base64
import binascii
import json
from typing import Any

from rtc_server.events.server import elapsed_steps
from rtc_server.transport.websocket.forms import AudioIn, Incoming, Refused, event_in

APPEND = "session.input_audio_buffer.append"


class TranslationsForm:
    """24 kHz mono PCM16 both ways, 200 ms in each outgoing delta."""

    sample_rate = 24_000
    block_frames = 10
    max_message_bytes = 2 * 1024 * 1024

    def __init__(self) -> None:
        self._deltas = 0

    def read(self, message: str | bytes) -> Incoming:
        """See `Form.read`."""
        if isinstance(message, bytes):
            return Refused(f"The message is binary. Send audio as base64 in {APPEND}.")
        if APPEND not in message:  # not parsed twice: the session does it
            return event_in(message)
        try:
            body = json.loads(message)
        except (ValueError, RecursionError):
            return Refused("The message is not JSON. Send one JSON object per message.")
        if not isinstance(body, dict) or body.get("type") != APPEND:
            return event_in(message)
        return _audio(body)

    def write(self, pcm: bytes, elapsed_ms: int) -> str:
        """See `Form.write`."""
        self._deltas += 1
        return json.dumps(
            {
                "type": "session.output_audio.delta",
                "event_id": f"audio_{self._deltas}",
                "delta": base64.b64encode(pcm).decode(),
                "sample_rate": self.sample_rate,
                "channels": 1,
                "format": "pcm16",
                "elapsed_ms": elapsed_steps(elapsed_ms),
            },
            separators=(",", ":"),
        )


def _audio(body: dict[str, Any]) -> AudioIn | Refused:
    given = body.get("event_id")
    event_id = given[:64] if isinstance(given, str) and given.isprintable() else None
    audio = body.get("audio")
    if not isinstance(audio, str):
        return Refused("audio must be a string: base64 of 24 kHz mono PCM16.", event_id)
    try:
        pcm = base64.b64decode(audio, validate=True)
    except (binascii.Error, ValueError):
        return Refused("audio is not valid base64.", event_id)
    if len(pcm) % 2:
        return Refused("audio has an odd number of bytes. Send whole PCM16 samples.", event_id)
    return AudioIn(pcm)
