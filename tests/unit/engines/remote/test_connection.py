"""One connection to an engine server, without a pool."""

import asyncio
import contextlib

import pytest

from rtc_server.engines.remote import connection
from rtc_server.engines.remote.calls import AstCall, PooledCall
from rtc_server.engines.remote.connection import EngineConnection
from rtc_server.engines.remote.frames import encode
from rtc_server.engines.remote.messages import NO_AUDIO, AskKind, CallFailed
from rtc_server.errors import EngineCrashed
from tests.support.engine_pool import QueueChannel, asked, talk


async def test_a_call_that_finds_no_room_is_not_the_servers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "MOST_UNSENT_BYTES", 1)  # one frame at a time
    ours, _ = QueueChannel.pair()
    some = EngineConnection(ours, lambda _: None)
    first, second = (AstCall(AskKind.FINAL, asked(talk(0.1)), "s") for _ in range(2))
    some.submit(first, 1000)
    with pytest.raises(EngineCrashed):
        some.submit(second, 1000)
    assert some.calls == [first]


async def test_a_call_whose_audio_finds_no_room_the_second_time_goes_to_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "MOST_UNSENT_BYTES", 1)
    again: list[PooledCall] = []
    ours, theirs = QueueChannel.pair()
    some = EngineConnection(ours, again.append)
    call = AstCall(AskKind.FINAL, asked(talk(0.1)), "s")
    some.submit(call, 1000)
    await theirs.send(encode(CallFailed(1, NO_AUDIO)))  # is read before the first is written
    running = asyncio.create_task(some.run())
    await asyncio.sleep(0.01)
    assert (again, some.calls) == ([call], [])
    assert not running.done()  # it is not the connection that failed
    await some.close()
    with contextlib.suppress(EOFError):
        await running
