"""Readers of frames between processes of engines, and of lists of engine servers."""

import numpy as np

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
from rtc_server.errors import EngineError
from tests.fuzz.target import Target


def _wire(data: bytes) -> str:
    """Read a frame's body, after its length in two bytes, and its audio."""
    body_bytes = int.from_bytes(data[:2], "big")
    body, audio = data[2 : 2 + body_bytes], bytearray(data[2 + body_bytes :])
    try:
        message = wire.decode(body, audio)
    except EngineError as error:
        return f"refused: {error}"
    assert b"".join(wire.encode(message)[1:]) == audio
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
    frames = [wire.encode(message) for message in messages]
    return tuple(
        len(start[8:]).to_bytes(2, "big") + bytes(start[8:]) + b"".join(audio)
        for start, *audio in frames
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
        EnginePing(5, "s"),
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


ENGINE_TARGETS = (
    Target("wire", _wire, _wire_seeds()),
    Target("engine_asking", _engine_asking, _asking_seeds()),
    Target("engine_list", _engine_list, (_SERVER_LIST, b'{"deployment": "d", "servers": []}')),
    Target("engine_answering", _engine_answering, _answering_seeds()),
)
"""Everything that reads what engines send."""
