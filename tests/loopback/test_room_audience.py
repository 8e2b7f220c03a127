"""A listener who reads nothing, or whose network is gone, disturbs nobody and is disconnected."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Self

import aiohttp
import numpy as np
import pytest

from rtc_server.app.server import RunningServer, running
from rtc_server.config import HttpSettings, Settings
from tests.support.patient import PATIENT
from tests.support.rooms import finals, heard, listener, say, speaker, told, total
from tests.support.rtc_client import RtcClient
from tests.support.until import until

SETTINGS = Settings(
    http=HttpSettings(port=0),
    engines=replace(PATIENT, ast="tests.support.server_engines:wordy"),
)
CAPTIONS = "/v1/rooms/hall/captions?language=de"


@asynccontextmanager
async def stubborn(running_server: RunningServer) -> AsyncIterator[None]:
    """Request captions without reading them, with little room for unread ones."""
    with socket.socket() as made:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        # So the server has little, too.
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        made.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(made, ("127.0.0.1", running_server.port))
        request = f"GET {CAPTIONS} HTTP/1.1\r\nHost: 127.0.0.1:{running_server.port}\r\n\r\n"
        await loop.sock_sendall(made, request.encode())
        yield


class Reader:
    """Reader of captions as they come."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self.finals: list[str] = []
        """Ids of the segments whose final caption came."""

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_exception: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _read(self) -> None:
        async with self._http.get(CAPTIONS) as stream:
            buffered = b""
            async for chunk in stream.content.iter_any():
                *whole, buffered = (buffered + chunk).split(b"\n\n")
                for each in whole:
                    _, is_event, data = each.partition(b"data: ")
                    if is_event and (event := json.loads(data))["final"]:
                        self.finals.append(event["segment_id"])


async def next_sentence(spoken: RtcClient, good: list[RtcClient], reader: Reader) -> None:
    """Say one more sentence, and wait until all working clients have its caption."""
    count = len(reader.finals) + 1
    say(spoken, "yes")
    for client in good:
        await told(client, count)
    await until(lambda: len(reader.finals) >= count)


def segments(client: RtcClient) -> list[str]:
    return [each["segment_id"] for each in finals(client)]


def speech(client: RtcClient) -> list[bytes]:
    """Return the packets of speech, without those of pauses, of which earlier clients got more."""
    return [each.payload for each in client.packets if len(each.payload) > 20]


def whole(client: RtcClient) -> bool:
    """Return whether no packet is missing."""
    numbers = np.unwrap([each.sequence for each in client.packets], period=65536)
    return bool(np.all(np.diff(numbers) == 1))


async def test_who_reads_nothing_and_who_is_gone_disturb_nobody(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("rtc_server.signaling.rooms.STALL_S", 6.0)
    async with (
        running(SETTINGS) as running_server,
        aiohttp.ClientSession(running_server.url) as http,
        speaker(running_server) as spoken,
        listener(running_server, "de") as first,
        listener(running_server, "de") as second,
        listener(running_server, "de") as full,
        listener(running_server, "de") as dark,
        Reader(http) as reader,
        stubborn(running_server),
    ):
        good = [first, second]
        await until(lambda: total(running_server, "room_listeners") == 6)
        await next_sentence(spoken, [*good, full, dark], reader)

        full.stop_reading()
        dark.go_dark()
        had = len(finals(full)), len(finals(dark))
        await next_sentence(spoken, good, reader)
        assert total(running_server, "room_listeners") > 3, (
            "they are still there, and disturb nobody"
        )
        while total(running_server, "room_listeners") > 3:
            await next_sentence(spoken, good, reader)
        # Who reads nothing was let go with queues that are bounded; the others missed nothing.
        await next_sentence(spoken, good, reader)
        await until(lambda: segments(first) == segments(second) == reader.finals)
        assert len(set(reader.finals)) == len(reader.finals)
        assert total(running_server, "room_translations_total", language="de") >= len(reader.finals)
        for client in good:
            await heard(client)
            assert whole(client)
        frames = list(zip(speech(first), speech(second), strict=False))  # one may be ahead
        assert len(frames) >= 20
        assert all(one == other for one, other in frames), "they heard the same"
        assert (len(finals(full)), len(finals(dark))) == had
    assert "Error handling request" not in caplog.text, "a reader who leaves is no error"
