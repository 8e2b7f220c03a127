"""Speech over the WebSocket, at both ends of a turn: nothing of it is lost there, either."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import numpy as np
from playwright.async_api import Page, Route, WebSocketRoute

from rtc_server.pcm import SPEECH_RATE, from_int16
from tests.support.browser.chromium import visit
from tests.support.browser.page import LIVE
from tests.support.browser.scripted_server import scripted_server
from tests.support.browser.voice import MICROPHONE, say
from tests.support.signals import loudest_hz, tone

SAID_HZ, NOW_HZ = 700, 1500
CHUNK_MS = 20
TAIL_MS = 300
CREATED = {"type": "session.created", "session": {"id": "sess_1"}}
NO_ICON = ["Failed to load resource"]
SIGN_OF_LIFE = {"type": "x.metrics"}
CHUNKS_A_SIGN = 25


class Socket:
    """Server's end of the page's WebSocket: accepts it when the test says so, keeps messages."""

    def __init__(self) -> None:
        self.let_in = asyncio.Event()
        self.sent: list[bytes | dict[str, Any]] = []
        self._grown = asyncio.Event()

    async def __call__(self, route: WebSocketRoute) -> None:
        def take(message: str | bytes) -> None:
            self.sent.append(message if isinstance(message, bytes) else json.loads(message))
            if len(self.sent) % CHUNKS_A_SIGN == 0:
                route.send(json.dumps(SIGN_OF_LIFE))
            self._grown.set()

        route.on_message(take)
        await self.let_in.wait()
        route.send(json.dumps(CREATED))

    async def until(self, condition: Any) -> None:
        """Wait until the messages fulfil the condition."""
        async with asyncio.timeout(60):
            while not condition():
                self._grown.clear()
                await self._grown.wait()

    def events(self) -> list[str]:
        return [str(each["type"]) for each in self.sent if isinstance(each, dict)]

    def after(self, kind: str) -> list[bytes]:
        """Return the chunks that came after an event."""
        at = next(
            index
            for index, each in enumerate(self.sent)
            if isinstance(each, dict) and each["type"] == kind
        )
        return [each for each in self.sent[at:] if isinstance(each, bytes)]

    def heard(self, frequency_hz: float) -> bool:
        """Return whether there is a second of this tone."""
        chunks = [
            from_int16(np.frombuffer(each, "<i2")) for each in self.sent if isinstance(each, bytes)
        ]
        loud = [each for each in chunks if len(each) and np.abs(each).max() > 0.05]
        return (
            sum(abs(loudest_hz(each, SPEECH_RATE) - frequency_hz) < 60 for each in loud)
            >= 1000 // CHUNK_MS
        )


async def gone(route: Route) -> None:
    """Answer a page that hangs up: the server knows of no such session."""
    await route.fulfill(status=204)


@contextlib.asynccontextmanager
async def page_on_a_socket() -> AsyncIterator[tuple[Page, Socket]]:
    """A page whose only way is the WebSocket, which nobody has answered yet."""
    socket = Socket()
    async with (
        scripted_server() as server,
        visit(f"{server.url}/healthz", before_load=MICROPHONE, expected_errors=NO_ICON) as seen,
    ):
        await seen.page.route("**/calls/sess_1", gone)
        await seen.page.route_web_socket("**/ws/audio?*", socket)
        await seen.page.goto(f"{server.url}?transport=websocket")
        await seen.page.wait_for_selector("#toggle:enabled")
        yield seen.page, socket


def sound(frequency_hz: float, duration_ms: int = 1500) -> Any:
    return tone(frequency_hz, duration_ms, sample_rate=SPEECH_RATE)


async def test_what_is_said_while_a_socket_connects_is_sent_first() -> None:
    async with page_on_a_socket() as (page, socket):
        await page.click("#toggle")
        await page.wait_for_selector("[data-phase=connecting]")
        await say(page, sound(SAID_HZ))
        assert not socket.sent
        socket.let_in.set()
        await page.wait_for_selector(LIVE)
        await socket.until(lambda: socket.heard(SAID_HZ))
        assert not socket.heard(NOW_HZ)
        speaking = asyncio.ensure_future(say(page, sound(NOW_HZ)))
        await socket.until(lambda: socket.heard(NOW_HZ))
        await speaking


async def test_a_turn_before_a_socket_is_up_is_sent_whole() -> None:
    async with page_on_a_socket() as (page, socket):
        await page.click("#people")
        turn = page.locator(".half:not(.far) .turn")
        await page.wait_for_selector("[data-phase=connecting]")
        await turn.click()
        await say(page, sound(SAID_HZ))
        await turn.click()
        socket.let_in.set()
        await socket.until(lambda: "x.input.commit" in socket.events())
        assert socket.events()[:3] == ["session.update", "x.session", "x.input.start"]
        await socket.until(lambda: socket.heard(SAID_HZ))


async def test_the_end_of_a_word_follows_the_release_of_the_button() -> None:
    """The client says for how long the server has to listen on, and sends sound for that time."""
    async with page_on_a_socket() as (page, socket):
        socket.let_in.set()
        await page.evaluate("localStorage.setItem('settings', '{\"talk\":\"hold\"}')")
        await page.reload()
        await page.click("#toggle:enabled")
        await page.wait_for_selector(LIVE)
        await page.hover("#talk")
        await page.mouse.down()
        speaking = asyncio.ensure_future(say(page, sound(SAID_HZ, 10_000)))
        await socket.until(lambda: "x.input.start" in socket.events() and socket.heard(SAID_HZ))
        await page.mouse.up()
        await socket.until(lambda: "x.input.commit" in socket.events())
        await socket.until(lambda: len(socket.after("x.input.commit")) >= TAIL_MS / CHUNK_MS)
        commit = next(
            each
            for each in socket.sent
            if isinstance(each, dict) and each["type"] == "x.input.commit"
        )
        assert commit["tail_ms"] == TAIL_MS
        tail = from_int16(np.frombuffer(b"".join(socket.after("x.input.commit")), "<i2"))
        assert np.abs(tail).max() > 0.05  # the tone that went on while the button came up
        await speaking
