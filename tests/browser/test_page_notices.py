"""Notices of the server during a session, as the page shows them."""

import re

import pytest
from playwright.async_api import expect

from rtc_server.errors import AdmissionRefused, RateLimited
from tests.support.browser.chromium import visit
from tests.support.browser.page import FAILED_REQUEST, LIVE, expect_problem, start
from tests.support.browser.scripted_server import (
    received,
    say,
    scripted_server,
    segment,
)


async def test_what_was_not_understood_comes_with_near_phrases() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await start(page)
        channel = await server.calls.channel.get()
        hints = [("Сколько это стоит?", "How much does it cost?"), ("Сколько?", "How many?")]
        say(channel, "x.segment", **segment("a", 1, "partial", "Сколько"))
        await expect(page.locator(".pending")).to_be_visible()
        say(channel, "x.segment", **segment("a", 2, "not_understood", "", hints=hints))
        await expect(page.locator(".pending")).to_have_count(0)
        say(channel, "x.warning", code="audio_ahead", message="Audio comes too fast.")
        failed = segment("b", 1, "failed", "")
        say(channel, "x.segment", **failed, message="CanaryX is full.", code="engine_overloaded")
        say(channel, "error", error={"code": "engine_overloaded", "message": "CanaryX is full."})
        rows = page.locator(".segment")
        await expect(rows.nth(0)).to_contain_text("Not understood. Did you mean:")
        await expect(rows.nth(0).locator(".hint-source")).to_have_text(hints[0][0])
        await expect(rows.nth(0).locator(".hint-target")).to_have_text(hints[0][1])
        await expect(rows.nth(1)).to_contain_text("Skipped: too busy.")
        await expect(page.locator("#problem")).to_be_hidden()
        say(channel, "x.warning", code="late", message="Some speech was not spoken.")
        await expect_problem(page, "A message from the server", "Some speech was not spoken.")


async def test_the_russian_page_shows_no_english_of_the_server() -> None:
    async with (
        scripted_server() as server,
        visit(server.url, locale="ru-RU", expected_errors=[FAILED_REQUEST]) as seen,
    ):
        page = seen.page
        server.calls.refuse = AdmissionRefused("All 50 places are taken.", 5)
        await page.click("#toggle:enabled")
        await expect_problem(
            page, "Сервер сейчас не может вас принять", "Попробуйте снова через 5 секунд."
        )
        server.calls.refuse = None
        await page.click("#problem-action")
        channel = await server.calls.channel.get()
        await page.wait_for_selector(LIVE)
        failed = segment("a", 1, "failed", "")
        say(channel, "x.segment", **failed, message="CanaryX is full.", code="engine_overloaded")
        await expect(page.locator(".segment")).to_have_text(re.compile("Пропущено: "))
        say(channel, "x.warning", code="late", message="Some speech was not spoken.")
        await expect(page.locator("#problem")).to_be_visible()
        assert not re.findall("CanaryX|speech|places", await page.inner_text("body"))


@pytest.mark.parametrize(
    ("locale", "wait_s", "title", "advice"),
    [
        ("en-US", 1, "A limit of this server is reached", "Try again in 5 seconds."),
        ("ru-RU", 200, "Достигнут предел этого сервера", "Попробуйте снова через 4 минуты."),
        ("ru-RU", 1201, "Достигнут предел этого сервера", "Попробуйте снова через 25 минут."),
        ("uk-UA", 75_000, "Досягнуто межі цього сервера", "через 25 годин."),
        ("de-DE", 7000, "Ein Limit dieses Servers ist erreicht", "in 2 Stunden noch einmal."),
    ],
)
async def test_a_limit_says_when_to_try_again(
    locale: str, wait_s: int, title: str, advice: str
) -> None:
    async with (
        scripted_server() as server,
        visit(server.url, locale=locale, expected_errors=[FAILED_REQUEST]) as seen,
    ):
        server.calls.refuse = RateLimited("The minutes of this key are used up.", wait_s)
        await seen.page.click("#toggle:enabled")
        await expect_problem(seen.page, title, advice)


async def test_where_no_pause_is_heard_push_to_talk_is_offered() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await start(page)
        channel = await server.calls.channel.get()
        say(channel, "x.warning", code="no_pause", message="No pause is heard.")
        await expect_problem(page, "No pause is heard", "voices nearby")
        await expect(page.locator("#talk")).to_be_hidden()
        await page.click("#problem-action")
        await expect(page.locator("#talk")).to_be_visible()
        assert (await received(server.calls, 1))[0]["vad"]["mode"] == "off"
        await expect(page.locator("#problem")).to_be_hidden()


async def test_a_late_translation_is_told_of_until_it_comes() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await start(page)
        channel = await server.calls.channel.get()
        late = "The translation is late"
        say(channel, "x.warning", code="engine_slow", message="The translation is late.")
        await expect_problem(page, late, "Go on speaking")
        say(channel, "x.segment", **segment("a", 1, "partial", "Сколько"))
        await expect(page.locator(".pending")).to_be_visible()
        await expect_problem(page, late, "Go on speaking")
        say(channel, "x.segment", **segment("a", 2, "final", "Сколько?", "How much?"))
        await expect(page.locator("#problem")).to_be_hidden()
        say(channel, "x.warning", code="own_voice", message="The microphone hears it.")
        say(channel, "x.segment", **segment("b", 1, "final", "Да.", "Yes."))
        await expect(page.locator(".target", has_text="Yes.")).to_be_visible()
        await expect_problem(page, "The microphone hears the translation", "Use headphones")
