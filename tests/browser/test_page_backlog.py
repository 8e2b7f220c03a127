"""Speech of the time in which the call is set up: it is sent once the call is up."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from playwright.async_api import Page

from tests.support.browser.chromium import visit
from tests.support.browser.held_route import HeldRoute
from tests.support.browser.page import LIVE
from tests.support.browser.scripted_server import ScriptedServer, received, scripted_server
from tests.support.browser.voice import MICROPHONE, hears, say, sound

SAID_HZ, NOW_HZ = 700, 1500
LINE = """async ({ said, quanta, forgetting = false, then = [] }) => {
  const { DelayLine } = await import("/static/worklets/delay-line.js");
  const line = new DelayLine(48000);
  const out = [];
  let number = 0;
  const step = (level) => {
    number += 1;
    const samples = new Float32Array(128);
    for (let at = 0; at < 128; at += 2) [samples[at], samples[at + 1]] = [level, -level];
    line.push(samples);
    line.pull(samples);
    if (Math.abs(samples[0]) > 0.1) out.push(Math.abs(samples[0]).toFixed(2));
  };
  for (const [level, count] of said) for (let i = 0; i < count; i++) step(level);
  if (forgetting) line.forget();
  else line.release();
  for (const [level, count] of then) for (let i = 0; i < count; i++) step(level);
  for (let i = 0; i < quanta; i++) step(0.001);
  return { heard: out, late: line.written - line.read };
}"""
"""Script that feeds quanta of a level each, releases the line in a quiet room, and notes loud ones.
"""


@contextlib.asynccontextmanager
async def held_call() -> AsyncIterator[tuple[Page, ScriptedServer, asyncio.Event]]:
    """A page whose call gets no answer until the event is set, with no other way in."""
    call = HeldRoute()
    async with (
        scripted_server() as server,
        visit(f"{server.url}?transport=webrtc", before_load=MICROPHONE) as seen,
    ):
        await seen.page.route("**/translations/calls?*", call)
        await seen.page.wait_for_selector("#toggle:enabled")
        yield seen.page, server, call.release


async def test_what_is_said_while_it_connects_is_heard_before_what_is_said_then() -> None:
    async with held_call() as (page, server, let_in):
        await page.click("#toggle")
        await page.wait_for_selector("[data-phase=connecting]")
        await say(page, sound(SAID_HZ))
        let_in.set()
        track = await server.calls.track.get()
        await page.wait_for_selector(LIVE)
        await hears(track, SAID_HZ)
        speaking = asyncio.ensure_future(say(page, sound(NOW_HZ)))
        await hears(track, NOW_HZ)
        await speaking


async def test_a_turn_that_was_over_before_the_call_was_up_is_heard_whole() -> None:
    async with held_call() as (page, server, let_in):
        await page.click("#people")
        turn = page.locator(".half:not(.far) .turn")
        await page.wait_for_selector("[data-phase=connecting]")
        await turn.click()
        await say(page, sound(SAID_HZ))
        await turn.click()
        let_in.set()
        track = await server.calls.track.get()
        listening = asyncio.ensure_future(hears(track, SAID_HZ))
        kinds = [event["type"] for event in await received(server.calls, 3)]
        assert kinds == ["x.session", "x.input.start", "x.input.commit"]
        await listening


async def test_a_pause_gives_the_time_back() -> None:
    """The order stays, nothing comes twice, and only silence is left out."""
    async with scripted_server() as server, visit(server.url) as seen:
        said = [[0.001, 200], [0.2, 100], [0.3, 100], [0.001, 400], [0.4, 100]]
        found = await seen.page.evaluate(LINE, {"said": said, "quanta": 700})
        assert found["heard"] == ["0.20"] * 100 + ["0.30"] * 100 + ["0.40"] * 100
        assert found["late"] < 0.03 * 48_000
        loud = await seen.page.evaluate(LINE, {"said": [[0.2, 300]], "quanta": 10})
        assert loud["heard"] == ["0.20"] * 10  # while somebody talks it stays as late as it was
        assert loud["late"] == 300 * 128


async def test_what_is_forgotten_is_not_sent_and_what_follows_is_not_late() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        heard = {"said": [[0.2, 100]], "forgetting": True, "then": [[0.3, 100]], "quanta": 10}
        found = await seen.page.evaluate(LINE, heard)
        assert found == {"heard": ["0.30"] * 100, "late": 0}
