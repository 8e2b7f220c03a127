"""Readers of offers, bodies, secrets and events."""

import json
import re
from collections.abc import Callable
from typing import Any

from rtc_server.errors import BadEvent, BadOffer, RemoteError
from rtc_server.events.client import parse_client_event
from rtc_server.signaling.bodies import WRAPPED_LIMIT_BYTES
from rtc_server.signaling.multipart import split_form
from rtc_server.signaling.secret_signer import ClientSecret, SecretSigner
from rtc_server.transport.answer import LocalEnd, write_answer
from rtc_server.transport.sdp import parse_fragment, parse_offer
from rtc_server.transport.websocket.plain import PlainForm
from rtc_server.transport.websocket.translations import TranslationsForm
from tests.fuzz.target import Target, as_text
from tests.support.offers import AUDIO, FINGERPRINT, SESSION, TRANSPORT

LOCAL = LocalEnd(
    session_id=1,
    ufrag="abcd",
    pwd="p" * 22,
    fingerprint=FINGERPRINT,
    setup="active",
    candidates=["1 1 udp 1 127.0.0.1 5000 typ host"],
    ssrc=1,
    cname="c",
    stream_id="s",
    track_id="t",
)


def _offer(data: bytes) -> str:
    try:
        offer = parse_offer(as_text(data))
    except BadOffer as error:
        return f"refused: {error}"
    answer = write_answer(offer, LOCAL)
    assert answer.endswith("\r\n")
    assert answer.count("\r\nm=") == len(offer.sections)
    return f"{len(offer.sections)} sections, data {offer.has_data}, {offer.setup}"


def _fragment(data: bytes) -> str:
    try:
        fragment = parse_fragment(as_text(data))
    except RemoteError as error:
        return f"refused: {error}"
    return f"{min(len(fragment.candidates), 3)} candidates"


def _event(data: bytes) -> str:
    try:
        return type(parse_client_event(as_text(data))).__name__
    except BadEvent as error:
        json.dumps(str(error)).encode()  # it can be shown back
        return f"refused: {re.sub('[^a-z]+', ' ', str(error))[:24]}"


def _form(data: bytes) -> str:
    """Read a form: a Content-Type in the first line, then the body."""
    content_type, _, body = data.partition(b"\n")
    try:
        parts = split_form(as_text(content_type), body)
    except RemoteError as error:
        return f"refused: {re.sub('[^a-z]+', ' ', str(error))}"
    assert sum(len(content) for _, content in parts) <= len(body)
    return f"{len(parts)} parts, {len({name for name, _ in parts})} names"


def _messages(make: Callable[[], Any]) -> Callable[[bytes], str]:
    def read(data: bytes) -> str:
        form = make()
        return " ".join(type(form.read(each)).__name__ for each in (data, as_text(data)))

    return read


def _secret(data: bytes) -> str:
    return str(_SIGNER.read(as_text(data)) is not None)


_SIGNER = SecretSigner(b"k" * 32, lambda _key: b"digest")
_SECRET = ClientSecret(id="sess_1", key="a", expires_at=1 << 31, model="m", origin="https://a.b")
OFFER = (SESSION + AUDIO).replace("\n", "\r\n").encode()
EVENT = (
    b'{"type": "session.update", "event_id": "e", "session": {"x_events": ["vad"], "x": {"vad":'
    b' {"mode": "off", "hangover_ms": 300}}, "audio": {"output": {"language": "en"}}}}'
)
FORM = (
    b"multipart/form-data; boundary=b\n"
    b'--b\r\nContent-Disposition: form-data; name="sdp"\r\nContent-Type: application/sdp\r\n\r\n'
    b'v=0\r\n\r\n--b\r\nContent-Disposition: form-data; name="session"\r\n\r\n{}\r\n--b--\r\n'
)
APPEND = b'{"type": "session.input_audio_buffer.append", "audio": "AAAAAAAA"}'


SIGNALING_TARGETS = (
    Target("offer", _offer, (OFFER,), weight=3),
    Target(
        "fragment",
        _fragment,
        (("a=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 5 typ host\r\n" + TRANSPORT).encode(),),
    ),
    Target("form", _form, (FORM,), most_bytes=WRAPPED_LIMIT_BYTES),
    Target("event", _event, (EVENT, b'{"type": "x.ping"}'), weight=3),
    Target("plain", _messages(PlainForm), (b'{"type": "start", "vad": true}', bytes(640))),
    Target("translations", _messages(TranslationsForm), (APPEND, EVENT)),
    Target("secret", _secret, (_SIGNER.sign(_SECRET).encode(),)),
)
"""Everything of signalling that reads what strangers send."""
