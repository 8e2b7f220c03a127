"""Frames of the engine protocol: encoded and decoded, and those that are refused."""

import json
import struct
from typing import Any

import numpy as np
import pytest

from rtc_server.engines.base import AstRequest, AstResult, AstStatus, NearPhrase, Texts, TtsRequest
from rtc_server.engines.remote.frames import (
    MOST_ASKING_HEAD_BYTES,
    decode_answering,
    decode_asking,
    encode,
)
from rtc_server.engines.remote.messages import (
    Ask,
    AskKind,
    AstAnswer,
    CallFailed,
    EnginePing,
    KeptAudio,
    PhraseCard,
    ServerHello,
    SpeakText,
    SpokenChunk,
)
from rtc_server.errors import EngineError
from tests.support.engine_pool import talk
from tests.support.fakes import AST_CAPABILITIES


def frame(message: str, fields: dict[str, Any], audio: bytes = b"") -> bytes:
    head = json.dumps({"message": message, "fields": fields}).encode()
    return struct.pack("!I", len(head)) + head + audio


def test_a_question_arrives_as_it_was() -> None:
    request = AstRequest(talk(0.1), "ru", "en", committed=Texts("да", "yes"))
    ask = Ask(7, AskKind.FINAL, "room a ru", request, 9000, KeptAudio("room a de", 3, 4, 5))
    came = decode_asking(encode(ask))
    assert isinstance(came, Ask) and isinstance(came.request, AstRequest)
    np.testing.assert_array_equal(came.request.samples, request.samples)
    assert (came.kind, came.kept, came.request.committed) == (
        ask.kind,
        ask.kept,
        Texts("да", "yes"),
    )


def test_answers_arrive_as_they_were() -> None:
    result = AstResult(AstStatus.NOT_UNDERSTOOD, hints=(NearPhrase("да", "yes"),))
    hello = ServerHello(
        "1", "fake", ast=AST_CAPABILITIES, phrases={"ru": (PhraseCard("да", "yes", "en"),)}
    )
    failed = CallFailed(3, "engine_crashed", ".")
    for message in (AstAnswer(1, result), AstAnswer(2), failed, hello):
        assert decode_answering(encode(message)) == message


def test_samples_beyond_full_scale_are_clipped() -> None:
    chunk = decode_answering(encode(SpokenChunk(1, np.array([2.0, -2.0, 0.5], np.float32))))
    assert isinstance(chunk, SpokenChunk)
    assert chunk.samples.tolist() == [32767 / 32768, -1.0, 0.5]


def test_every_sample_of_16_bits_arrives_as_it_was() -> None:
    every = np.arange(-32768, 32768, dtype=np.int16).astype(np.float32) / np.float32(32768)
    chunk = decode_answering(encode(SpokenChunk(1, every)))
    assert isinstance(chunk, SpokenChunk)
    assert chunk.samples.dtype == np.float32
    np.testing.assert_array_equal(chunk.samples, every)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0\0",
        struct.pack("!I", 9) + b"{}",
        struct.pack("!I", MOST_ASKING_HEAD_BYTES + 1) + bytes(MOST_ASKING_HEAD_BYTES + 1),
        struct.pack("!I", 2) + b"[]",
        frame("EnginePong", {"n": 1}),
        frame("EnginePing", {"n": -1}),
        frame("EnginePing", {"n": 2**60}),
        frame("EnginePing", {"n": "1"}),
        frame("EnginePing", {"n": 1}, b"\0\0"),
        frame("EnginePing", {"n": 1, "more": 1}),
        frame("ForgetSession", {"session": "s" * 201}),
        frame("SpeakText", {"n": 1, "session": "s", "request": {"text": "a", "language": "en",
              "rate": float("nan")}, "wait_ms": 1}),
        frame("SpeakText", {"n": 1, "session": "s", "request": {"text": "a", "language": "en",
              "rate": 1e300}, "wait_ms": 1}),
        encode(Ask(1, AskKind.FINAL, "s", AstRequest(talk(0.1), "a", "b"), 1))[:-3],
    ],
)  # fmt: skip
def test_what_is_no_message_is_refused_with_a_sentence_that_quotes_nothing(data: bytes) -> None:
    with pytest.raises(EngineError, match=r"^A frame [a-z ]+(\(\w+\))?\.$"):
        decode_asking(data)


def test_a_media_process_cannot_send_what_a_server_says() -> None:
    with pytest.raises(EngineError):
        decode_answering(encode(EnginePing(1)))
    with pytest.raises(EngineError):
        decode_asking(encode(CallFailed(1, "engine_error")))
    assert isinstance(decode_asking(encode(SpeakText(1, "s", TtsRequest("a", "en"), 5))), SpeakText)
