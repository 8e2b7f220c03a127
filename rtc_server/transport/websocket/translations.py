"""Form of OpenAI's Realtime Translations API: base64 audio inside JSON events."""

import base64
import contextlib
import json
import re
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from rtc_server.events.server import OutputAudioDelta, elapsed_steps, encode
from rtc_server.transport.websocket.forms import Incoming, RefusedMessage, event_in
from rtc_server.transport.websocket.pcm_check import PcmCheck

APPEND: Final = "session.input_audio_buffer.append"
NOT_BASE64 = re.compile("[^A-Za-z0-9+/=]")
"""Characters outside the alphabet of base64."""
WHITE_SPACE = dict.fromkeys(map(ord, " \t\r\n\v\f"))
"""Characters that line-wrapping encoders insert."""


class AudioAppend(Struct, frozen=True):
    """More audio from the client."""

    type: Literal["session.input_audio_buffer.append"]
    """Type of the event. A msgspec tag would not do: for a single struct it may be missing."""
    audio: bytes
    """24 kHz mono PCM16, in base64 in the message."""
    event_id: Any = None


_DECODER = msgspec.json.Decoder(AudioAppend)


class TranslationsForm:
    """24 kHz mono PCM16 both ways, 200 ms in each outgoing delta."""

    sample_rate = 24_000
    block_frames = 10
    max_message_bytes = 2 * 1024 * 1024

    def __init__(self) -> None:
        self._deltas = 0
        self._check = PcmCheck(self.sample_rate)

    def read(self, message: str | bytes) -> Incoming:
        """See `Form.read`."""
        if isinstance(message, bytes):
            return RefusedMessage(f"The message is binary. Send audio as base64 in {APPEND}.")
        if APPEND not in message:  # any other event is parsed by the session
            return event_in(message)
        try:
            append = _DECODER.decode(message)
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):
            return self._read_again(message)
        return self._check.read(append.audio, _event_id(append.event_id))

    def write(self, pcm: bytes, elapsed_ms: int) -> str:
        """See `Form.write`."""
        self._deltas += 1
        delta = OutputAudioDelta(
            delta=base64.b64encode(pcm).decode(),
            sample_rate=self.sample_rate,
            channels=1,
            format="pcm16",
            elapsed_ms=elapsed_steps(elapsed_ms),
        )
        return encode(delta, event_id=f"audio_{self._deltas}")

    def _read_again(self, message: str) -> Incoming:
        """Read a message that msgspec refused: return what is wrong with it, or its content. White
        space in base64 is allowed.
        """
        try:
            body = json.loads(message)
        except (ValueError, RecursionError):
            return RefusedMessage("The message is not JSON. Send one JSON object per message.")
        if not isinstance(body, dict) or body.get("type") != APPEND:
            return event_in(message)
        event_id, audio = _event_id(body.get("event_id")), body.get("audio")
        if not isinstance(audio, str):
            return RefusedMessage("audio must be a string: base64 of 24 kHz mono PCM16.", event_id)
        try:
            pcm = decoded(audio)
        except ValueError as error:
            return RefusedMessage(f"audio is not valid base64: {error}", event_id)
        return self._check.read(pcm, event_id)


def _event_id(given: object) -> str | None:
    return given[:64] if isinstance(given, str) and given.isprintable() else None


def decoded(text: str) -> bytes:
    """Return the bytes of base64 text (RFC 4648, section 4). White space is ignored.

    Raises:
        ValueError: the text is not base64; the message says why, in a sentence.
    """
    with contextlib.suppress(ValueError):
        return base64.b64decode(text, validate=True)
    if text.startswith("data:"):
        raise ValueError("it begins with `data:`. Send the part after the comma.")
    text = text.translate(WHITE_SPACE)
    with contextlib.suppress(ValueError):
        return base64.b64decode(text, validate=True)
    raise ValueError(_base64_fault(text))


def _base64_fault(text: str) -> str:
    """Return why this text without white space is not base64."""
    if wrong := NOT_BASE64.search(text):
        if wrong[0] in "-_":
            return f"{wrong[0]!r} belongs to the URL-safe alphabet. Use + and /."
        return f"{wrong[0]!a} is not a base64 character."
    data = text.rstrip("=")
    if "=" in data:
        return "`=` is not at its end. Encode each message as a whole."
    if len(data) % 4 == 1:
        return "it has one character too many, or was cut off."
    return "pad it with `=` to a multiple of 4 characters."
