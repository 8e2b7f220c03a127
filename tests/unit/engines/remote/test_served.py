"""One connection of an engine server, driven frame by frame, in virtual time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import numpy as np
import pytest

from rtc_server.engines.base import AstRequest, TtsRequest
from rtc_server.engines.registry import Kind
from rtc_server.engines.remote import audio_kept, served
from rtc_server.engines.remote.frames import decode_answering, encode
from rtc_server.engines.remote.messages import (
    NO_AUDIO,
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
    KeptAudio,
    ServerHello,
    SpeakText,
    SpokenAll,
    SpokenChunk,
)
from rtc_server.engines.service.tts import Speech
from rtc_server.pcm import Samples
from tests.support.engine_pool import HeldServer, QueueChannel, asked, talk


class ServedLine:
    """The media process's end of the connection."""

    def __init__(
        self, held: HeldServer, channel: QueueChannel, served_by: asyncio.Task[None]
    ) -> None:
        self.held, self.channel, self.served_by = held, channel, served_by

    async def say(self, *messages: FromMedia) -> None:
        for message in messages:
            await self.channel.send(encode(message))
        await asyncio.sleep(0.01)

    async def read(self) -> FromServer:
        return decode_answering(await self.channel.receive())

    def ask(self, n: int, kind: AskKind = AskKind.FINAL, wait_ms: int = 5000) -> Ask:
        return Ask(n, kind, "s", asked(talk(0.1)), wait_ms)


@asynccontextmanager
async def line(kind: Kind = "ast", held: HeldServer | None = None) -> AsyncIterator[ServedLine]:
    held = held or HeldServer("unix:a")
    ours, theirs = QueueChannel.pair()
    task = asyncio.create_task(held.server.serve(kind, "m", theirs))
    try:
        yield ServedLine(held, ours, task)
    finally:
        await ours.close()
        await task


async def test_the_hello_comes_first_and_says_what_is_there() -> None:
    async with line() as one:
        hello = await one.read()
        assert isinstance(hello, ServerHello) and hello.ast is not None and hello.tts is None
        await one.say(EnginePing(5))
        assert await one.read() == EnginePong(5)


@pytest.mark.parametrize("drip", [b"", b"\0\0\0\x02{}"], ids=["nothing", "garbage"])
async def test_who_says_nothing_whole_is_cut_off(
    drip: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with line() as one:
        began_s = asyncio.get_running_loop().time()
        if drip:
            await one.channel.send(drip)
        await one.served_by
        took_s = asyncio.get_running_loop().time() - began_s
        assert took_s == pytest.approx(0 if drip else served.SILENT_S, abs=0.1)
        assert len([each for each in caplog.messages if "was cut off" in each]) == 1
        assert one.held.server.calls == 0


async def test_a_number_that_is_in_use_ends_the_connection() -> None:
    async with line() as one:
        await one.say(one.ask(1), one.ask(1))
        await one.served_by
        assert [each.cancelled() for each in one.held.ast.futures] == [True]


async def test_a_call_ends_when_nobody_waits_any_more() -> None:
    async with line() as one:
        await one.read()
        await one.say(one.ask(1, wait_ms=3000), one.ask(2))
        await one.say(CancelCall(2), CancelCall(77))
        await asyncio.sleep(2.9)
        assert [each.cancelled() for each in one.held.ast.futures] == [False, True]
        await asyncio.sleep(0.2)
        assert one.held.ast.futures[0].cancelled()
        failed = await one.read()
        assert isinstance(failed, CallFailed) and (failed.n, failed.code) == (1, "engine_timeout")
        await one.say(EnginePing(9))
        assert await one.read() == EnginePong(9)  # and nothing more of either


async def test_audio_that_is_not_there_is_asked_for_again() -> None:
    async with line() as one:
        await one.read()
        lost = Ask(1, AskKind.FINAL, "s", asked(talk(0.1)), 1, KeptAudio("s", 9, 0, 5))
        await one.say(lost)
        assert await one.read() == CallFailed(1, NO_AUDIO)
        await one.say(Ask(2, AskKind.FINAL, "s", AstRequest(talk(0.0), "ru", "en"), 1000))
        failed = await one.read()
        assert isinstance(failed, CallFailed) and failed.code == "engine_error"
        assert not one.held.ast.futures


async def test_audio_that_media_processes_keep_is_bounded_for_all_of_them_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def continued(n: int, of: str) -> Ask:
        request = AstRequest(talk(0.0), "ru", "en")
        return Ask(n, AskKind.FINAL, of, request, 1000, KeptAudio(of, n - 1, 0, 1600))

    def whole(n: int, session: str) -> Ask:
        return Ask(n, AskKind.FINAL, session, asked(talk(0.1)), 1000)

    monkeypatch.setattr(audio_kept, "MOST_KEPT_BYTES_OF_ALL", 2 * talk(0.1).nbytes)
    held = HeldServer("unix:a")
    async with line(held=held) as stays:
        await stays.read()
        await stays.say(whole(1, "s"))
        async with line(held=held) as leaves:
            await leaves.say(whole(1, "s"))
        await stays.say(whole(3, "t"))  # in the place of what has left
        await stays.say(continued(2, "s"))
        assert len(held.ast.futures) == 4
        async with line(held=held) as other:
            await other.say(whole(1, "s"))
            await stays.say(continued(4, "t"))
            assert await stays.read() == CallFailed(4, NO_AUDIO)


async def test_two_media_processes_do_not_mix_their_sessions() -> None:
    async with line() as one:
        await one.say(one.ask(1), ForgetSession("s"))
        assert one.held.ast.sessions == ["m/s"]
        assert one.held.ast.forgotten == ["m/s"]


async def test_more_calls_than_a_process_may_have_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(served, "MOST_CALLS", 2)
    async with line() as one:
        await one.read()
        await one.say(one.ask(1), one.ask(2), one.ask(3))
        failed = await one.read()
        assert isinstance(failed, CallFailed)
        assert (failed.n, failed.code) == (3, "engine_overloaded")
        one.held.ast.answer()
        assert {type(await one.read()) for _ in range(2)} == {AstAnswer}


async def test_a_connection_serves_its_own_kind_alone() -> None:
    async with line() as one:
        await one.read()
        await one.say(SpeakText(1, "s", TtsRequest("a", "en"), 1000))
        assert isinstance(await one.read(), CallFailed)
    async with line("tts") as one:
        await one.read()
        await one.say(one.ask(1))
        assert isinstance(await one.read(), CallFailed)


async def test_speech_goes_as_it_is_made_and_waits_for_who_reads_slowly() -> None:
    async with line("tts") as one:
        await one.read()
        await one.say(SpeakText(1, "s", TtsRequest("a", "en"), 2000))
        [speech] = one.held.tts.speeches
        speech.put(np.full(2400, 0.5, np.float32))
        chunk = await one.read()
        assert isinstance(chunk, SpokenChunk) and chunk.samples.size == 2400
        await asyncio.sleep(5)  # it has begun: no deadline ends it
        speech.put(np.full(2400, 0.5, np.float32))
        speech.finish()
        assert isinstance(await one.read(), SpokenChunk)
        assert await one.read() == SpokenAll(1)
        await one.say(SpeakText(2, "s", TtsRequest("b", "en"), 2000))
        await asyncio.sleep(2.1)
        failed = await one.read()
        assert isinstance(failed, CallFailed) and failed.code == "engine_timeout"
        assert one.held.tts.speeches[1].done()


@pytest.mark.parametrize("has_begun", [False, True])
async def test_speech_that_is_cancelled_is_not_made(has_begun: bool) -> None:
    async with line("tts") as one:
        await one.read()
        asking, cancelling = SpeakText(1, "s", TtsRequest("a", "en"), 2000), CancelCall(1)
        if has_begun:
            await one.say(asking)
            await one.say(cancelling)
        else:  # both are read before its task gets its turn
            await one.say(asking, cancelling)
        [speech] = one.held.tts.speeches
        assert speech.done()
        assert one.held.server.calls == 0
        await one.say(EnginePing(9))
        assert await one.read() == EnginePong(9)  # and nothing before it


async def test_a_bug_in_a_voice_is_an_answer_too(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(_speech: Speech) -> Samples:
        raise ValueError("said in confidence")

    monkeypatch.setattr(Speech, "__anext__", broken)
    async with line("tts") as one:
        await one.read()
        await one.say(SpeakText(1, "s", TtsRequest("a", "en"), 2000))
        failed = await one.read()
        assert isinstance(failed, CallFailed) and (failed.n, failed.code) == (1, "engine_error")
        assert "has a bug" in failed.reason and "confidence" not in failed.reason + caplog.text
        assert one.held.tts.speeches[0].done()
        await one.say(EnginePing(9))
        assert await one.read() == EnginePong(9)
