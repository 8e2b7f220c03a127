"""Two people with one device: each has a side, a language and a button."""

import asyncio
from typing import Any

import numpy as np
import pytest
from playwright.async_api import Locator, Page, expect

from rtc_server.app.server import running
from rtc_server.errors import AdmissionRefused, LineTicket
from rtc_server.pcm import Samples
from tests.support.browser.chromium import visit
from tests.support.browser.page import FAILED_REQUEST, LIVE
from tests.support.browser.recording import RATE, finish_recording, start_recording
from tests.support.browser.scripted_server import ScriptedCalls, say, scripted_server, segment
from tests.support.browser.voice import MICROPHONE, with_pause
from tests.support.browser.voice import say as speak
from tests.support.patient import SETTINGS
from tests.support.signals import audible, english, russian

PHONE = {"width": 390, "height": 844}
SAID = {"ru": "Где находится вокзал?", "en": "Where is the train station?"}


def half(page: Page, which: str) -> Locator:
    """The "near" half or the "far" one."""
    return page.locator(".half.far" if which == "far" else ".half:not(.far)")


async def open_two_way(page: Page) -> None:
    await page.click("#people")
    await expect(half(page, "near").locator(".turn")).to_be_visible()


async def received(calls: ScriptedCalls, count: int) -> list[dict[str, Any]]:
    """The first `count` client events."""
    async with asyncio.timeout(30):
        while len(calls.received) < count:
            calls.got.clear()
            await calls.got.wait()
    return calls.received


async def take_turn(page: Page, side: str, spoken: Samples, *, hold: bool) -> None:
    """Speak while the side's button is held, or between two taps on it."""
    button = half(page, side).locator(".turn")
    await button.hover()
    await (page.mouse.down() if hold else button.click())
    await expect(button).to_have_attribute("aria-pressed", "true")
    await speak(page, with_pause(spoken, 600))
    await (page.mouse.up() if hold else button.click())
    await expect(button).to_have_attribute("aria-pressed", "false")


@pytest.mark.alone
@pytest.mark.parametrize(
    "hold", [pytest.param(False, marks=pytest.mark.slow), True], ids=["tap", "hold"]
)
async def test_two_people_understand_each_other(hold: bool) -> None:
    async with (
        running(SETTINGS) as server,
        visit(f"{server.url}/?source=ru&target=en", before_load=MICROPHONE) as seen,
    ):
        page = seen.page
        await page.click("#toggle:enabled")
        await page.wait_for_selector("[data-phase=listening]")
        await open_two_way(page)
        for side, other, language in (("near", "far", "ru"), ("far", "near", "en")):
            meaning = "en" if language == "ru" else "ru"
            heard = half(page, other).locator(".line:not(.own)", has_text=SAID[meaning])
            lines = half(page, side).locator(".line.own:not([data-status=partial])")
            spoken = russian(SAID["ru"]) if language == "ru" else english(SAID["en"])
            await start_recording(page)
            while not await heard.count():  # a busy machine may lose a word: say it again
                before = await lines.count()
                await take_turn(page, side, spoken, hold=hold)
                await expect(lines).not_to_have_count(before)
            own = half(page, side).locator(".line.own", has_text=SAID[language]).last
            await expect(own.locator(f"[lang={language}]")).to_be_visible()
            await expect(heard.last.locator(f"[lang={meaning}]")).to_be_visible()
            await expect(heard.last).to_have_attribute("data-playout", "finished")
            await page.wait_for_timeout(500)  # the browser's jitter buffer holds the last of it
            speech = audible(await finish_recording(page))
            assert speech.size / RATE > 0.7
            assert np.sqrt(np.mean(np.square(speech))) > 0.01
        assert server.manager.sessions == 1


async def test_a_turn_sets_the_languages_and_opens_the_microphone() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await open_two_way(page)
        near, far = (half(page, which).locator(".turn") for which in ("near", "far"))
        await page.wait_for_selector("[data-phase=listening]")  # it is up before the first turn
        assert server.calls.requests[0].settings.vad_mode == "off"
        await near.click()
        opened = await received(server.calls, 2)
        assert opened[0]["source_language"] == "ru"
        assert opened[0]["vad"] == {"mode": "off"}
        assert opened[1] == {"type": "x.input.start"}
        await expect(near).to_have_text("Слушаю. Нажмите, чтобы закончить")
        await far.click()  # whoever presses now takes the turn over
        events = await received(server.calls, 5)
        kinds = [event["type"] for event in events[2:5]]
        assert kinds == ["x.input.commit", "x.session", "x.input.start"]
        assert (events[3]["source_language"], events[3]["target_language"]) == ("en", "ru")
        await far.click()
        assert (await received(server.calls, 6))[5]["type"] == "x.input.commit"
        assert len(server.calls.requests) == 1
        await page.click("#people")  # one speaker again, with a pause that ends a phrase
        assert (await received(server.calls, 7))[6]["vad"]["mode"] == "auto"


async def test_a_turn_by_keyboard_and_one_that_is_held() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await page.click("#toggle:enabled")
        await page.wait_for_selector("[data-phase=listening]")
        await open_two_way(page)
        await received(server.calls, 1)
        button = half(page, "far").locator(".turn")
        await button.focus()
        for key in (" ", "Enter"):
            await page.keyboard.down(key)
            await page.wait_for_timeout(500)  # longer than a tap
            await page.keyboard.up(key)
        kinds = [event["type"] for event in (await received(server.calls, 7))[1:7]]
        assert kinds == ["x.session", "x.input.start", "x.input.commit"] * 2


async def test_two_way_opened_later_shows_what_was_said_before() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await page.click("#toggle:enabled")
        channel = await server.calls.channel.get()
        say(channel, "x.segment", **segment("a", 1, "final", "Да.", "Yes."))
        await expect(page.locator(".segment")).to_have_count(1)
        await open_two_way(page)
        await expect(half(page, "far").locator(".line")).to_have_text("Yes.")
        await expect(half(page, "near").locator(".line.own")).to_have_text("Да.")
        await expect(half(page, "far").locator("[role=log]")).to_have_text("")  # it is not news


async def test_each_side_reads_its_own_language() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await page.click("#toggle:enabled")
        await page.wait_for_selector("[data-phase=listening]")
        await open_two_way(page)
        channel = await server.calls.channel.get()
        near, far = half(page, "near"), half(page, "far")
        await expect(near.locator(".half-invitation")).to_have_attribute("lang", "ru")
        await expect(far.locator(".half-invitation")).to_have_attribute("lang", "en")
        say(channel, "x.segment", **segment("a", 1, "final", "Да.", "Yes."))
        await expect(near.locator(".line.own")).to_have_text("Да.")
        await expect(far.locator(".line:not(.own)")).to_have_text("Yes.")
        await expect(near.locator("[role=log]")).to_have_text(
            ""
        )  # one's own words are not read out
        await expect(far.locator("[role=log]")).to_have_text("Yes.")
        hints = [("Сколько это стоит?", "How much does it cost?")]
        say(channel, "x.segment", **segment("b", 1, "not_understood", "", hints=hints))
        puzzled = near.locator("[data-status=not_understood]")
        await expect(puzzled).to_contain_text("Сколько это стоит?")
        await expect(far.locator("[data-status=not_understood]")).to_be_hidden()


async def test_each_side_is_told_what_it_is_shown_in_its_language() -> None:
    async with scripted_server() as server, visit(server.url) as seen:  # the interface is English
        page = seen.page
        await page.click("#toggle:enabled")
        await page.wait_for_selector("[data-phase=listening]")
        await open_two_way(page)
        channel = await server.calls.channel.get()
        near, far = (half(page, which).locator("[role=log] p") for which in ("near", "far"))
        hints = [("Сколько это стоит?", "How much does it cost?")]
        say(channel, "x.segment", **segment("a", 1, "not_understood", "", hints=hints))
        puzzle = "Не распознано. Может быть: Сколько это стоит?"
        await expect(near).to_have_text([puzzle])
        await expect(near).to_have_attribute("lang", "ru")
        shown = half(page, "near").locator("[data-status=not_understood]")
        await expect(shown).to_have_text(puzzle)
        say(channel, "x.segment", **segment("b", 1, "failed", "Да."))
        await expect(near).to_have_text([puzzle, "Эту фразу не удалось перевести."])
        await expect(far).to_have_text(["This phrase could not be translated."])
        await expect(far).to_have_attribute("lang", "en")


async def test_each_finds_their_language_whatever_the_interface_has() -> None:
    async with scripted_server() as server, visit(server.url, locale="de-DE") as seen:
        await open_two_way(seen.page)
        for which, name, language in (("near", "Русский", "ru"), ("far", "English", "en")):
            chosen = half(seen.page, which).locator("select option:checked")
            await expect(chosen).to_have_text(name)
            await expect(chosen).to_have_attribute("lang", language)


async def test_two_people_on_a_phone_turn_around_and_come_back_as_they_were() -> None:
    async with scripted_server() as server, visit(server.url, viewport=PHONE) as seen:
        page = seen.page
        await open_two_way(page)
        far, around = half(page, "far"), page.locator(".around")
        angle = "half => new DOMMatrix(getComputedStyle(half).transform).a"
        assert await far.evaluate(angle) == -1
        above, below = await far.bounding_box(), await half(page, "near").bounding_box()
        assert above and below and above["y"] < below["y"]
        await around.click()
        assert await far.evaluate(angle) == 1
        await half(page, "near").locator("select").select_option("en")
        await page.wait_for_selector(LIVE)  # pressed before, it would still start
        await page.click("#toggle")
        await page.wait_for_selector("[data-phase=closed]")
        calls = len(server.calls.requests)
        await page.reload()  # it all comes back, but for the session
        await expect(around).to_have_attribute("aria-pressed", "false")
        await expect(half(page, "near").locator("select")).to_have_value("en")
        await expect(page.locator("#people")).to_have_attribute("aria-pressed", "true")
        await expect(page.locator("body")).to_have_attribute("data-phase", "idle")
        assert len(server.calls.requests) == calls
        await page.goto(f"{server.url}?source=ru&target=en")  # a link's languages come first
        await expect(half(page, "near").locator("select")).to_have_value("ru")
        await page.click("#people")
        await expect(page.locator("#halves")).to_be_hidden()
        await page.reload()
        await page.wait_for_selector("[data-phase=idle]")
        await page.wait_for_selector("#examples .phrase")  # all that it loads is there
        await expect(page.locator("#people")).to_have_attribute("aria-pressed", "false")
        await expect(page.locator("two-way")).to_have_count(0)


async def test_both_halves_are_seen_at_400_percent() -> None:
    window = {"width": 320, "height": 256}
    async with scripted_server() as server, visit(server.url, viewport=window) as seen:
        page = seen.page
        await open_two_way(page)
        channel = await server.calls.channel.get()
        say(channel, "x.segment", **segment("a", 1, "final", "Да.", "Yes."))
        for which, words in (("near", "Да."), ("far", "Yes.")):
            side = half(page, which)
            await expect(side.locator(".line", has_text=words)).to_be_in_viewport(ratio=1)
            await expect(side.locator(".turn")).to_be_in_viewport(ratio=1)
            await expect(side).to_have_css("transform", "none")


@pytest.mark.parametrize("size", [(320, 256), (640, 360)], ids=["400 %", "small phone"])
async def test_two_people_see_their_place_in_line_in_a_small_window(size: tuple[int, int]) -> None:
    window = {"width": size[0], "height": size[1]}
    async with (
        scripted_server() as server,
        visit(server.url, viewport=window, expected_errors=[FAILED_REQUEST]) as seen,
    ):
        page = seen.page
        status, microphones = page.locator("#status"), page.locator("#input")
        server.calls.refuse = AdmissionRefused("All are taken.", 1, LineTicket("a-ticket", 7))
        await page.click("#people")
        await expect(status).to_have_text("The server is full. Your place in line: 7")
        await expect(status).to_be_in_viewport(ratio=1)
        await expect(page.locator("#toggle")).to_be_in_viewport(ratio=1)
        server.calls.refuse = None
        await page.wait_for_selector(LIVE)
        await expect(microphones).to_be_in_viewport(ratio=1)
        await expect(status).not_to_be_in_viewport()  # the buttons say it


async def test_a_session_that_ends_ends_the_turn() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await open_two_way(page)
        button = half(page, "near").locator(".turn")
        channel = await server.calls.channel.get()
        await button.click()
        await received(server.calls, 2)
        say(channel, "session.closed")
        await expect(button).to_have_attribute("aria-pressed", "false")
        await expect(page.locator(".problem-title")).to_have_text("The server ended the session")
