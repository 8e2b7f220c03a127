"""Media processes and engine servers of different versions: frames as the earlier one wrote them.

The earlier version is the one before traces and newcomers: it refuses a field that it does not know
and ignores names beside the fields.
"""

import asyncio
import json
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from rtc_server.engines.base import TtsRequest
from rtc_server.engines.registry import Kind
from rtc_server.engines.remote.channel import FrameChannel
from rtc_server.engines.remote.messages import ServerHello
from rtc_server.engines.remote.server import EngineServer, Served
from tests.support.engine_pool import (
    HeldServer,
    HeldServers,
    QueueChannel,
    asked,
    speaking,
    talk,
    translating,
)
from tests.support.fakes import AST_CAPABILITIES
from tests.support.virtual_engine import Machine, virtual_service

FOR_ONE = Machine(0.3, 0.5, capabilities=replace(AST_CAPABILITIES, max_batch=1))
"""Engine that carries one session."""
SECOND = struct.pack("<16000h", *([300] * 16_000))
HELLOS: dict[Kind, dict[str, Any]] = {
    "ast": {
        "version": "0.9",
        "chosen": "fake",
        "ast": {
            "name": "fake",
            "title": "Fake",
            "licence": "none",
            "pairs": [["ru", "en"]],
            "partials": True,
            "max_batch": 4,
            "max_audio_s": 20.0,
        },
    },
    "tts": {
        "version": "0.9",
        "chosen": "fake",
        "tts": {
            "name": "fake",
            "title": "Fake",
            "licence": "none",
            "voices": {"en": ["one"]},
            "sample_rate": 24000,
        },
    },
}
FIELDS = {
    "Ask": {"n", "kind", "session", "request", "wait_ms", "kept", "of"},
    "SpeakText": {"n", "session", "request", "wait_ms"},
    "CancelCall": {"n"},
    "ForgetSession": {"session"},
    "EnginePing": {"n"},
}
"""Messages of a media process and their fields, as the earlier version knows them."""
REQUEST_FIELDS = {
    "samples",
    "source_language",
    "target_language",
    "partial",
    "wants_target",
    "committed",
    "context",
    "text",
    "language",
    "voice",
    "rate",
}
ANSWER_FIELDS = {
    "ServerHello": {"version", "chosen", "ast", "tts", "cards", "phrases"},
    "AstAnswer": {"n", "result"},
    "EnginePong": {"n", "ready", "retry_after_s"},
}


def frame(message: str, fields: dict[str, Any], audio: bytes = b"") -> bytes:
    head = json.dumps({"message": message, "fields": fields}).encode()
    return struct.pack("!I", len(head)) + head + audio


def read(got: bytes) -> tuple[str, dict[str, Any]]:
    (size,) = struct.unpack_from("!I", got)
    named = json.loads(got[4 : 4 + size])
    return named["message"], named["fields"]


class EarlierServer:
    """Engine server of the earlier version: knows a session by its first question only."""

    def __init__(self, most_sessions: int = 100) -> None:
        self.asked: list[str] = []
        self.forgotten: list[str] = []
        self.refused: list[tuple[str, set[str]]] = []
        """Messages for which it cut a media process off, each with what it did not know."""
        self._most_sessions = most_sessions

    def check(self, _kind: Kind) -> None:
        """Refuse nobody."""

    async def serve(self, kind: Kind, _client: str, channel: FrameChannel) -> None:
        await channel.send(frame("ServerHello", HELLOS[kind]))
        while True:
            try:
                message, fields = read(await channel.receive())
            except EOFError:
                return
            unknown = set(fields) - FIELDS[message]
            unknown |= set(fields.get("request", {})) - REQUEST_FIELDS
            if unknown:
                self.refused.append((message, unknown))
                await channel.close()
                return
            for answer in self._answers(message, fields):
                await channel.send(answer)

    def _answers(self, message: str, fields: dict[str, Any]) -> list[bytes]:
        n = fields.get("n")
        match message:
            case "EnginePing":
                is_full = len(set(self.asked)) >= self._most_sessions
                pong = {"n": n, "retry_after_s": 5} if is_full else {"n": n}
                return [frame("EnginePong", pong)]
            case "Ask":
                self.asked.append(fields["session"])
                result = {"status": "ok", "source_text": "слово", "target_text": "word"}
                return [frame("AstAnswer", {"n": n, "result": result})]
            case "SpeakText":
                samples = frame("SpokenChunk", {"n": n, "samples": 16_000}, SECOND)
                return [samples, frame("SpokenAll", {"n": n})]
            case "ForgetSession":
                self.forgotten.append(fields["session"])
        return []


def earlier(server: EarlierServer) -> HeldServers:
    held = HeldServer("unix:a")
    held.server = server  # type: ignore[assignment]
    return HeldServers(held)


async def test_an_earlier_server_translates_for_a_newer_media_process() -> None:
    server = EarlierServer()
    async with translating(earlier(server)) as ast:
        ast.expect("s")
        request = replace(asked(talk(1.0)), trace="00-" + "1" * 32 + "-" + "2" * 16 + "-01")
        assert (await ast.submit(request, session_id="s")).target_text == "word"
        partial = replace(request, partial=True)
        assert (await ast.submit_partial(partial, session_id="s")) is not None
        ast.forget("s")
        await asyncio.sleep(0.3)
        assert ast.ready
    assert server.refused == []
    assert (server.asked, server.forgotten) == (["s", "s"], ["s"])


async def test_an_earlier_server_speaks_for_a_newer_media_process() -> None:
    server = EarlierServer()
    async with speaking(earlier(server)) as tts:
        tts.expect("s")
        speech = tts.synthesize(TtsRequest("word", "en"), session_id="s")
        assert sum([chunk.size async for chunk in speech]) == 16_000
    assert server.refused == []


async def test_an_earlier_server_counts_sessions_from_their_first_answer() -> None:
    async with translating(earlier(EarlierServer(most_sessions=2))) as ast:
        for session in "abc":
            ast.expect(session)
        await asyncio.sleep(0.3)
        assert ast.retry_after_s == 0
        for session in "ab":
            await ast.submit(asked(talk(1.0)), session_id=session)
        await asyncio.sleep(0.3)
        assert ast.retry_after_s == 5


@asynccontextmanager
async def earlier_media(server: EngineServer) -> AsyncIterator[QueueChannel]:
    """The earlier media process's end of a connection."""
    ours, theirs = QueueChannel.pair()
    serving = asyncio.create_task(server.serve("ast", "m", theirs))
    try:
        message, _ = await answered(ours)
        assert message == "ServerHello"
        yield ours
    finally:
        await ours.close()
        await serving


async def answered(channel: QueueChannel) -> tuple[str, dict[str, Any]]:
    """Return the next answer; it has nothing that the earlier version would refuse."""
    message, fields = read(await channel.receive())
    assert set(fields) <= ANSWER_FIELDS[message]
    return message, fields


async def test_a_newer_server_answers_an_earlier_media_process_and_knows_its_sessions() -> None:
    async with virtual_service(FOR_ONE) as (service, _):
        hello = ServerHello("1", "fake", ast=service.capabilities)
        server = EngineServer(Served(ast=service, ast_hello=hello))
        async with earlier_media(server) as channel:
            await channel.send(frame("EnginePing", {"n": 1}))
            assert await answered(channel) == ("EnginePong", {"n": 1})
            request = {"samples": 16_000, "source_language": "ru", "target_language": "en"}
            ask = {"n": 2, "kind": "final", "session": "s", "request": request, "wait_ms": 5000}
            await channel.send(frame("Ask", ask, SECOND))
            message, fields = await answered(channel)
            assert (message, fields["n"]) == ("AstAnswer", 2)
            assert fields["result"]["target_text"] == "word"
            await channel.send(frame("EnginePing", {"n": 3}))
            _, pong = await answered(channel)
            assert pong["retry_after_s"] > 0, "one session more would be late"


@pytest.mark.parametrize(
    "unknown",
    [
        pytest.param(frame("EnginePing", {"n": 1, "later": 2}), id="a field"),
        pytest.param(frame("Sing", {"n": 1}), id="a message"),
    ],
)
async def test_what_no_version_may_send_ends_the_connection_with_a_sentence(
    unknown: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    held = HeldServer("unix:a")
    async with earlier_media(held.server) as channel:
        await channel.send(unknown)
        with pytest.raises(EOFError):
            await channel.receive()
    assert "A media process was cut off. A frame cannot be read" in caplog.text


async def test_a_server_that_answers_otherwise_is_left_out_with_a_sentence(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class LaterServer(EarlierServer):
        async def serve(self, kind: Kind, _client: str, channel: FrameChannel) -> None:
            hello = {**HELLOS[kind], "needs": "another media process"}
            await channel.send(frame("ServerHello", hello))
            await asyncio.sleep(10)

    servers = earlier(LaterServer())
    servers.by_name["unix:b"] = HeldServer("unix:b")
    servers.listed = [each.address for each in servers.by_name.values()]
    async with translating(servers) as ast:
        waiting = ast.submit(asked(talk(1.0)), session_id="s")
        await asyncio.sleep(0.1)
        servers.by_name["unix:b"].ast.answer("word")
        assert (await waiting).target_text == "word"
    assert "Engine server unix:a: " in caplog.text
    assert "cannot be read" in caplog.text
