"""Targets of fuzzing: each reads one input, and may refuse it only in the way it says."""

import asyncio
import json
import re
import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

import google_crc32c
import numpy as np
from aioice import stun
from aiortc import RTCCertificate, RTCIceGatherer, RTCIceTransport
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcsctptransport import DataChunk, InitChunk, SackChunk, serialize_packet

from rtc_server.engines import wire
from rtc_server.engines.base import (
    AstRequest,
    AstResult,
    AstStatus,
    NearPhrase,
    Texts,
    TtsCapabilities,
    TtsRequest,
    WordTime,
)
from rtc_server.engines.remote.audio_kept import AudioBudget, ReceivedAudio
from rtc_server.engines.remote.frames import decode_answering, decode_asking, encode
from rtc_server.engines.remote.messages import (
    Ask,
    AskKind,
    AstAnswer,
    CallFailed,
    CancelCall,
    EnginePing,
    EnginePong,
    ForgetSession,
    FromMedia,
    FromServer,
    GoAway,
    KeptAudio,
    PhraseCard,
    ServerHello,
    SpeakText,
    SpokenChunk,
)
from rtc_server.engines.remote.server_lists import parse_server_list
from rtc_server.errors import BadEvent, BadOffer, EngineError, RemoteError
from rtc_server.events.client import parse_client_event
from rtc_server.signaling.bodies import WRAPPED_LIMIT_BYTES
from rtc_server.signaling.multipart import split_form
from rtc_server.signaling.secret_signer import ClientSecret, SecretSigner
from rtc_server.transport.answer import LocalEnd, write_answer
from rtc_server.transport.channel import GuardedSctp
from rtc_server.transport.guard import DatagramGuard
from rtc_server.transport.media.opus import OpusEncoder
from rtc_server.transport.media.receiver import Receiver
from rtc_server.transport.media.rtp import build_rtp
from rtc_server.transport.rtcp import Rtcp
from rtc_server.transport.sdp import parse_fragment, parse_offer
from rtc_server.transport.websocket.plain import PlainForm
from rtc_server.transport.websocket.translations import TranslationsForm
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


MOST_BYTES = 8192
"""Longest input, for most."""
LIMIT_S = 0.05
"""CPU time that reading one input may take: no longer may anything hold the event loop."""


@dataclass(frozen=True, slots=True)
class Target:
    """One reader of strangers' bytes."""

    name: str
    read: Callable[[bytes], str]
    """Reads one input and says, in a few words, what became of it: new words are worth keeping.
    What it raises is a finding."""
    seeds: tuple[bytes, ...]
    """Inputs that are well."""
    weight: int = 1
    """Inputs it is given, in relation to the others."""
    most_bytes: int = MOST_BYTES
    """Longest input."""
    limit_s: float = LIMIT_S
    """CPU time that one input may take; more is a finding."""


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")  # who calls us has refused what is no UTF-8


def _offer(data: bytes) -> str:
    try:
        offer = parse_offer(_text(data))
    except BadOffer as error:
        return f"refused: {error}"
    answer = write_answer(offer, LOCAL)
    assert answer.endswith("\r\n")
    assert answer.count("\r\nm=") == len(offer.sections)
    return f"{len(offer.sections)} sections, data {offer.has_data}, {offer.setup}"


def _fragment(data: bytes) -> str:
    try:
        fragment = parse_fragment(_text(data))
    except RemoteError as error:
        return f"refused: {error}"
    return f"{min(len(fragment.candidates), 3)} candidates"


def _event(data: bytes) -> str:
    try:
        return type(parse_client_event(_text(data))).__name__
    except BadEvent as error:
        json.dumps(str(error)).encode()  # it can be shown back
        return f"refused: {re.sub('[^a-z]+', ' ', str(error))[:24]}"


def _form(data: bytes) -> str:
    """A Content-Type in the first line, the body behind it."""
    content_type, _, body = data.partition(b"\n")
    try:
        parts = split_form(_text(content_type), body)
    except RemoteError as error:
        return f"refused: {re.sub('[^a-z]+', ' ', str(error))}"
    assert sum(len(content) for _, content in parts) <= len(body)
    return f"{len(parts)} parts, {len({name for name, _ in parts})} names"


def _messages(make: Callable[[], Any]) -> Callable[[bytes], str]:
    def read(data: bytes) -> str:
        form = make()
        return " ".join(type(form.read(each)).__name__ for each in (data, _text(data)))

    return read


class _Gate:
    """Behind the guard; its media path is a real receiver and RTCP reader."""

    def __init__(self) -> None:
        self.got: list[str] = []
        self.faults: list[Exception] = []

    def __getattr__(self, name: str) -> Any:
        def note(*_arguments: object) -> bool:
            self.got.append(name)
            return True

        return note

    def media_failed(self, error: Exception) -> None:
        self.faults.append(error)


def _datagram(data: bytes) -> str:
    gate, guard = _guarded()
    gate.got.clear()
    for source in (("192.0.2.1", 1000), ("::1", 1, 0, 0)):
        guard.datagram_received(data, source)
    assert not gate.faults
    return " ".join(gate.got[1:])


@cache
def _guarded() -> tuple[_Gate, DatagramGuard]:
    async def make() -> tuple[_Gate, DatagramGuard]:  # aioice asks for the loop
        gate = _Gate()
        return gate, DatagramGuard(gate)

    return asyncio.run(make())


def _rtp(data: bytes) -> str:
    """Packets, each behind its length in two bytes; 20 ms between them."""
    receiver = Receiver(111)
    heard = 0
    try:
        now_s = 0.0
        position = 0
        while position + 2 <= len(data) and now_s < 2:
            size = int.from_bytes(data[position : position + 2], "big") % 1500
            packet = data[position + 2 : position + 2 + size]
            position += 2 + size
            now_s += 0.02
            for pcm in (*receiver.push(packet, now_s), *receiver.pull(now_s)):
                assert np.isfinite(pcm.samples).all()
                assert pcm.start_samples == heard  # without a hole, whatever comes
                heard += len(pcm.samples)
        quality = receiver.counters(now_s)
        receiver.report()
    finally:
        receiver.close()
    happened = ("invalid", "late", "duplicate", "reordered")
    return " ".join(each for each in happened if getattr(quality, f"packets_{each}"))


def _rtcp(data: bytes) -> str:
    rtcp = Rtcp(1, "c")
    rtcp.write(1.0, None, None)
    rtcp.read(data, 2.0)
    trip = rtcp.round_trip_s
    assert trip is None or trip >= 0
    return f"trip {trip is not None} loss {rtcp.peer_loss is not None}"


def _sctp(data: bytes) -> str:
    """A packet as it comes out of DTLS, to an association that stands."""

    async def handle() -> str:
        ice = RTCIceTransport(RTCIceGatherer(iceServers=[]))
        sctp = GuardedSctp(RTCDtlsTransport(ice, [_certificate()]))
        sctp._last_received_tsn = 0
        sctp._set_state(sctp.State.ESTABLISHED)
        sent = 0

        async def send(_data: bytes) -> None:
            nonlocal sent
            sent += 1

        setattr(sctp.transport, "_send_data", send)  # noqa: B010 - a method, for mypy
        try:
            await sctp._handle_data(_sealed(data, sctp._local_verification_tag))
            await asyncio.sleep(0)
        finally:
            for timer in ("_t1_cancel", "_t2_cancel", "_t3_cancel"):
                getattr(sctp, timer)()
            for task in asyncio.all_tasks() - {asyncio.current_task()}:
                task.cancel()
        streams, last = len(sctp._inbound_streams), min(sctp._last_received_tsn or 0, 3)
        return f"{sctp._association_state.name} {min(sent, 3)} {min(streams, 3)} {last}"

    return asyncio.run(handle())


def _sealed(packet: bytes, tag: int) -> bytes:
    """With the tag and the checksum that it needs to be looked at (RFC 9260, section 6.8)."""
    head = packet[:4].ljust(4, b"\0")
    is_init = packet[12:13] == b"\1"
    body = (0 if is_init else tag).to_bytes(4, "big") + bytes(4) + packet[12:]
    checksum: int = google_crc32c.value(head + body)
    return b"".join((head, body[:4], checksum.to_bytes(4, "little"), body[8:]))


@cache
def _certificate() -> RTCCertificate:
    return RTCCertificate.generateCertificate()


def _secret(data: bytes) -> str:
    return str(_SIGNER.read(_text(data)) is not None)


_SIGNER = SecretSigner(b"k" * 32, lambda _key: b"digest")
_SECRET = ClientSecret(id="sess_1", key="a", expires_at=1 << 31, model="m", origin="https://a.b")


def _wire(data: bytes) -> str:
    """A frame's body, behind its length in two bytes, and its audio."""
    body_bytes = int.from_bytes(data[:2], "big")
    body, audio = data[2 : 2 + body_bytes], bytearray(data[2 + body_bytes :])
    try:
        message = wire.decode(body, audio)
    except EngineError as error:
        return f"refused: {error}"
    assert b"".join(wire.encode(message)[2:]) == audio
    return type(message).__name__


def _wire_seeds() -> tuple[bytes, ...]:
    result = AstResult(AstStatus.NOT_UNDERSTOOD, "да", hints=(NearPhrase("да", "yes"),))
    timed = AstResult(AstStatus.OK, "да", "yes", words=(WordTime("да", 80),))
    request = AstRequest(np.ones(3, np.float32), "ru", "en", committed=Texts("да", "yes"))
    messages = (
        wire.Translated((result, timed)),
        wire.Translate((request,)),
        wire.Chunk(np.ones(9, np.float32)),
        wire.Raised("No."),
    )
    frames = [wire.encode(message)[1:] for message in messages]
    return tuple(
        len(body).to_bytes(2, "big") + bytes(body) + b"".join(audio) for body, *audio in frames
    )


def _engine_asking(data: bytes) -> str:
    """A frame of a media process, and the audio that it continues."""
    try:
        message = decode_asking(data)
    except EngineError as error:
        return f"refused: {error}"
    assert type(decode_asking(encode(message))) is type(message)
    if isinstance(message, Ask):
        kept = ReceivedAudio(AudioBudget())
        kept.receive("s", 1, None, np.ones(9, np.float32))
        try:
            kept.receive(message.session, message.n, message.kept, message.request.samples)
        except EngineError as error:
            return f"refused: {error}"
    return type(message).__name__


def _engine_answering(data: bytes) -> str:
    """A frame of an engine server."""
    try:
        message = decode_answering(data)
    except EngineError as error:
        return f"refused: {error}"
    assert type(decode_answering(encode(message))) is type(message)
    return type(message).__name__


def _engine_list(data: bytes) -> str:
    """A directory's list of engine servers."""
    try:
        found = parse_server_list(data)
    except EngineError as error:
        return f"refused: {error}"
    assert not any(each.unix for each in found.servers)
    return f"{len(found.servers)} servers"


_SERVER_LIST = (
    b'{"deployment": "d", "servers": [{"address": "10.0.0.3:7070", "certified": "a.internal"},'
    b' {"address": "ws://[::1]:7071"}]}'
)


def _asking_seeds() -> tuple[bytes, ...]:
    request = AstRequest(np.ones(3, np.float32), "ru", "en", committed=Texts("да", "yes"))
    messages: tuple[FromMedia, ...] = (
        Ask(2, AskKind.COMMIT, "s", request, 5000, KeptAudio("s", 1, 2, 7), 1),
        SpeakText(3, "s", TtsRequest("да", "ru", rate=1.2), 5000),
        CancelCall(3),
        ForgetSession("s"),
        EnginePing(4),
    )
    return tuple(encode(each) for each in messages)


def _answering_seeds() -> tuple[bytes, ...]:
    result = AstResult(AstStatus.OK, "да", "yes", words=(WordTime("да", 80),))
    tts = TtsCapabilities("t", "T", "none", {"en": ("a",)}, 8000)
    phrases = {"ru": (PhraseCard("да", "yes", "en"),)}
    messages: tuple[FromServer, ...] = (
        ServerHello("1", "t", tts=tts, phrases=phrases),
        AstAnswer(1, result),
        SpokenChunk(2, np.ones(5, np.float32)),
        CallFailed(3, "engine_error", "No."),
        EnginePong(4, True, 2),
        GoAway(),
    )
    return tuple(encode(each) for each in messages)


def _stun_seeds() -> tuple[bytes, ...]:
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    request.attributes["USERNAME"] = "abcd:efgh"
    request.attributes["PRIORITY"] = 1
    request.attributes["ICE-CONTROLLING"] = 2
    request.add_message_integrity(b"p" * 22)
    answer = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE)
    answer.attributes["XOR-MAPPED-ADDRESS"] = ("192.0.2.1", 1000)
    return (
        bytes(request),
        bytes(answer),
        bytes([0x80, 111]) + bytes(40),
        bytes([22, 254, 253, 0] * 9),
    )


def _rtp_seeds() -> tuple[bytes, ...]:
    with OpusEncoder() as encoder:
        tone = np.sin(np.arange(960) * 0.05).astype(np.float32)
        packets = [
            build_rtp(encoder.encode(tone), payload_type=111, marker=n == 0, sequence=n,
                      timestamp=960 * n, ssrc=7)
            for n in range(12)
        ]  # fmt: skip
    return (b"".join(len(each).to_bytes(2, "big") + each for each in packets),)


def _sctp_seeds() -> tuple[bytes, ...]:
    init = InitChunk()
    init.initiate_tag, init.advertised_rwnd, init.initial_tsn = 5, 65536, 1
    init.outbound_streams = init.inbound_streams = 4
    data = DataChunk(3)
    data.tsn, data.stream_id, data.protocol, data.user_data = 1, 1, 51, b'{"type": "x.ping"}'
    sack = SackChunk()
    sack.cumulative_tsn, sack.advertised_rwnd = 1, 65536
    return tuple(serialize_packet(5000, 5000, 0, cast(Any, chunk)) for chunk in (init, data, sack))


_RECEIVER_REPORT = struct.pack("!BBHIIIIIII", 0x81, 201, 7, 7, 1, 64 << 24, 9, 3, 0x10000, 0x100)
"""A quarter lost of what we sent (SSRC 1), and an answer to our last sender report."""
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

TARGETS = (
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
    Target("datagram", _datagram, _stun_seeds(), weight=4),
    Target("rtp", _rtp, _rtp_seeds(), weight=2, limit_s=0.5),  # two seconds of audio
    Target("rtcp", _rtcp, (Rtcp(1, "c").bye(), _RECEIVER_REPORT)),
    Target("sctp", _sctp, _sctp_seeds()),
    Target("secret", _secret, (_SIGNER.sign(_SECRET).encode(),)),
    Target("wire", _wire, _wire_seeds()),
    Target("engine_asking", _engine_asking, _asking_seeds()),
    Target("engine_list", _engine_list, (_SERVER_LIST, b'{"deployment": "d", "servers": []}')),
    Target("engine_answering", _engine_answering, _answering_seeds()),
)
"""Everything that reads what strangers, or engines, send."""
