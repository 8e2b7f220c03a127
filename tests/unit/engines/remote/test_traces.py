"""Traces over the engine protocol: a server's spans are children of the requests' spans."""

import asyncio
import json
import struct
from dataclasses import fields, replace

import pytest

from rtc_server.engines.base import AstRequest, TtsRequest
from rtc_server.engines.remote.frames import decode_asking, encode
from rtc_server.engines.remote.messages import (
    Ask,
    AskKind,
    ForgetSession,
    FromMedia,
    KeptAudio,
    SpeakText,
)
from rtc_server.errors import EngineCrashed, EngineError
from tests.support.engine_pool import HeldServer, HeldServers, asked, speaking, talk, translating
from tests.support.spans import KeptSpans, parent_id, span_id, trace_ids

TRACE = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"
FIRST_VERSION = {
    "Ask": {"n", "kind", "session", "request", "wait_ms", "kept", "of"},
    "SpeakText": {"n", "session", "request", "wait_ms"},
    "AstRequest": {
        "samples", "source_language", "target_language", "partial", "wants_target", "committed",
        "context",
    },
    "TtsRequest": {"text", "language", "voice", "rate"},
}  # fmt: skip
"""Fields that a server without traces knows; it refuses others."""
ASK = Ask(1, AskKind.FINAL, "s", asked(talk(0.1)), 1000, trace=TRACE)
SPEAK = SpeakText(2, "s", TtsRequest("да", "ru"), 1000, TRACE)


def head_of(message: FromMedia) -> dict[str, object]:
    frame = encode(message)
    (size,) = struct.unpack_from("!I", frame)
    head: dict[str, object] = json.loads(frame[4 : 4 + size])
    return head


def with_head(message: FromMedia, **changed: object) -> bytes:
    frame = encode(message)
    (size,) = struct.unpack_from("!I", frame)
    head = json.dumps({**head_of(message), **changed}).encode()
    return struct.pack("!I", len(head)) + head + frame[4 + size :]


@pytest.mark.parametrize("message", [ASK, SPEAK], ids=["ask", "speak"])
def test_a_trace_is_where_a_server_without_traces_does_not_look(message: Ask | SpeakText) -> None:
    head = head_of(message)
    assert head["trace"] == TRACE
    sent = head["fields"]
    assert isinstance(sent, dict)
    assert sent.keys() <= FIRST_VERSION[type(message).__name__]
    assert sent["request"].keys() <= FIRST_VERSION[type(message.request).__name__]
    came = decode_asking(encode(message))
    assert isinstance(came, Ask | SpeakText) and came.trace == TRACE


def test_the_fields_of_the_first_version_are_still_there() -> None:
    for kind in (Ask, SpeakText, AstRequest, TtsRequest):
        assert {each.name for each in fields(kind)} - {"trace"} == FIRST_VERSION[kind.__name__]


@pytest.mark.parametrize(
    "trace",
    ["", "x", 7, None, ["a"], TRACE.upper(), f"{TRACE}\n", f"00-{'0' * 32}-0123456789abcdef-01"],
)
def test_what_is_no_trace_is_taken_for_none(trace: object) -> None:
    came = decode_asking(with_head(ASK, trace=trace))
    assert isinstance(came, Ask) and came.trace == ""


def test_a_message_that_is_no_question_has_no_trace() -> None:
    assert decode_asking(with_head(ForgetSession("s"), trace=TRACE)) == ForgetSession("s")


def test_a_trace_in_a_request_is_refused() -> None:
    sent = head_of(SPEAK)["fields"]
    assert isinstance(sent, dict)
    sent["request"]["trace"] = TRACE
    with pytest.raises(EngineError, match="cannot be read"):
        decode_asking(with_head(SPEAK, fields=sent))


async def test_a_server_goes_on_with_the_trace_of_the_question() -> None:
    clock = asyncio.get_running_loop().time
    ours, theirs = KeptSpans(clock), KeptSpans(clock)
    held = HeldServer("a", tracer=theirs.tracer)
    async with translating(HeldServers(held)) as ast:
        question = ours.tracer.start("translate")
        request = AstRequest(talk(0.2), "ru", "en", trace=question.context)
        answer = ast.submit(request, session_id="s")
        await asyncio.sleep(0.1)
        assert not theirs.all
        held.ast.answer()
        await answer
        question.end()
        ast.submit(asked(talk(0.2)), session_id="s")
        await asyncio.sleep(0.1)
        held.ast.answer()
        await asyncio.sleep(0.1)
    [span] = theirs.all
    assert span.name == "engine translate"
    assert parent_id(span) == span_id(ours.one("translate"))
    assert trace_ids(theirs.all) == trace_ids(ours.all)
    assert not span.attributes, "the server says nothing of what is asked"


async def test_a_server_says_how_a_traced_call_ended() -> None:
    clock = asyncio.get_running_loop().time
    ours, theirs = KeptSpans(clock), KeptSpans(clock)
    held = HeldServer("a", tracer=theirs.tracer)
    context = ours.tracer.start("translate").context
    async with translating(HeldServers(held)) as ast:
        for _ in range(2):
            request = AstRequest(talk(0.2), "ru", "en", trace=context)
            ast.submit(request, session_id="s")
        await asyncio.sleep(0.1)
        held.ast.futures[0].set_exception(EngineCrashed("secret"))
        held.ast.answer()
        await asyncio.sleep(0.1)
    assert [span.status.description for span in theirs.all] == ["engine_crashed", None]


async def test_a_server_reports_nothing_that_nobody_waited_for() -> None:
    clock = asyncio.get_running_loop().time
    ours, theirs = KeptSpans(clock), KeptSpans(clock)
    held = HeldServer("a", tracer=theirs.tracer)
    async with translating(HeldServers(held)) as ast:
        for _ in range(3):
            context = ours.tracer.start("translate").context
            request = AstRequest(talk(0.2), "ru", "en", trace=context)
            answer = ast.submit_speculative(request, session_id="s")
            await asyncio.sleep(0.1)
        answer.cancel()  # speech continued
        held.ast.futures[0].cancel()  # given up by the engine
        held.ast.futures[1].set_result(None)  # type: ignore[arg-type]  # not worth its time
        await asyncio.sleep(0.1)
        assert all(future.done() for future in held.ast.futures)
    voice = HeldServer("b", tracer=theirs.tracer)
    async with speaking(HeldServers(voice)) as tts:
        context = ours.tracer.start("speak").context
        speech = tts.synthesize(TtsRequest("да", "ru", trace=context), session_id="s")
        await asyncio.sleep(0.1)
        speech.abandon()
        await asyncio.sleep(0.1)
    assert voice.tts.speeches
    assert theirs.all == ()


async def test_audio_that_has_to_be_sent_again_is_no_failure() -> None:
    theirs = KeptSpans(asyncio.get_running_loop().time)
    held = HeldServer("a", tracer=theirs.tracer)
    async with translating(HeldServers(held)):
        unknown = KeptAudio("s", 7, 0, 1600)
        frame = encode(replace(ASK, kept=unknown))
        held.ends[-1].inbox.put_nowait(frame)
        await asyncio.sleep(0.1)
    assert [span.status.is_ok for span in theirs.all] == [True]


async def test_speech_is_traced_until_its_last_sample_is_made() -> None:
    clock = asyncio.get_running_loop().time
    ours, theirs = KeptSpans(clock), KeptSpans(clock)
    held = HeldServer("a", tracer=theirs.tracer)
    async with speaking(HeldServers(held)) as tts:
        context = ours.tracer.start("speak").context
        speech = tts.synthesize(TtsRequest("да", "ru", trace=context), session_id="s")
        await asyncio.sleep(0.1)
        held.tts.speeches[0].put(talk(0.1))
        await asyncio.sleep(0.1)
        assert not theirs.all
        held.tts.speeches[0].finish()
        assert [chunk.size async for chunk in speech] == [1600]
    assert theirs.one("engine speak").status.is_ok
