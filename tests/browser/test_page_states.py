"""States of the page: texts and controls in each."""

import asyncio

from playwright.async_api import expect

from tests.support.browser.chromium import visit
from tests.support.browser.page import expect_problem, start
from tests.support.browser.scripted_server import (
    say,
    scripted_server,
    segment,
)


async def test_a_session_from_start_to_stop() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await expect(page.locator("#engines")).to_have_text("Phrasebook · eSpeak NG")
        await expect(page.locator("#status")).to_have_text("Ready")
        await start(page)
        channel = await server.calls.channel.get()
        asked = server.calls.requests[0].settings
        assert (asked.source_language, asked.target_language) == ("ru", "en")
        assert asked.x_events == frozenset({"segment", "playout", "vad", "metrics"})

        say(channel, "x.vad", state="speech", audio_ms=0)
        await expect(page.locator("#status")).to_have_text("Hearing you")
        say(channel, "x.segment", **segment("a", 1, "partial", "Где находится", stable=4))
        row = page.locator(".segment")
        await expect(row.locator(".source .firm")).to_have_text("Где ")
        await expect(row.locator(".source .soft")).to_have_text("находится")
        say(channel, "x.vad", state="silence", audio_ms=900)
        await expect(page.locator("#status")).to_have_text("Translating…")
        final = segment("a", 2, "final", "Где находится вокзал?", "Where is the train station?")
        say(channel, "x.segment", **final)
        await expect(row.locator(".target .firm")).to_have_text("Where is the train station?")
        assert await row.locator(".source").get_attribute("lang") == "ru"
        assert await row.locator(".target").get_attribute("lang") == "en"
        say(channel, "x.playout", segment_id="a", state="started", queue_ms=800, tempo=1)
        await expect(page.locator("#status")).to_have_text("Speaking")
        await expect(row).to_have_attribute("data-playout", "started")
        say(channel, "x.playout", segment_id="a", state="finished", queue_ms=0, tempo=1)
        await expect(page.locator("#status")).to_have_text("Listening")

        await page.click("#toggle")
        await expect(page.locator("#status")).to_have_text("Stopped")
        assert [event["type"] for event in server.calls.received] == ["session.close"]
        await expect(row).to_have_count(1)


async def test_committed_text_is_never_rewritten() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await start(page)
        channel = await server.calls.channel.get()
        say(channel, "x.segment", **segment("a", 3, "final", "Спасибо.", "Thank you."))
        say(channel, "x.segment", **segment("a", 2, "partial", "Спаси", "Save"))
        say(channel, "x.segment", **segment("a", 4, "final", "Пожалуйста.", "Please."))
        say(channel, "x.segment", **segment("b", 1, "final", "Да.", "Yes."))
        rows = page.locator(".segment")
        await expect(rows).to_have_count(2)
        await expect(rows.nth(0).locator(".target")).to_have_text("Thank you.")


async def test_the_status_is_written_when_it_changes() -> None:
    watch = """() => {
      window.writes = [];
      const note = () => writes.push(document.querySelector("#status").textContent);
      new MutationObserver((changes) => changes.forEach(note))
        .observe(document.querySelector("#status"), { childList: true, subtree: true });
    }"""
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await start(page)
        channel = await server.calls.channel.get()
        await page.evaluate(watch)
        say(channel, "x.vad", state="speech", audio_ms=0)
        for rev in range(1, 9):
            say(channel, "x.segment", **segment("a", rev, "partial", "Где " * rev))
        say(channel, "x.vad", state="silence", audio_ms=900)
        say(channel, "x.segment", **segment("a", 9, "final", "Где?", "Where?"))
        await expect(page.locator(".target .firm")).to_have_text("Where?")
        await expect(page.locator("#status")).to_have_text("Listening")
        assert len(await page.evaluate("writes")) == 3  # hearing, translating, listening


async def test_the_interface_speaks_russian() -> None:
    async with scripted_server() as server, visit(server.url, locale="ru-RU") as seen:
        page = seen.page
        await expect(page.locator("#toggle")).to_have_text("Начать")
        await expect(page.locator("#status")).to_have_text("Готов")
        assert await page.locator("html").get_attribute("lang") == "ru"
        await page.select_option("#interface", "en")
        await expect(page.locator("#toggle")).to_have_text("Start")
        await expect(page.locator("#source option:checked")).to_have_text("Russian")


async def test_a_server_that_ends_the_session() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        await start(seen.page)
        channel = await server.calls.channel.get()
        say(channel, "x.segment", **segment("a", 1, "final", "Да.", "Yes."))
        say(channel, "session.closed")
        await expect_problem(seen.page, "The server ended the session", "captions are kept")
        await expect(seen.page.locator(".segment")).to_have_count(1)


async def test_leaving_the_page_hangs_up() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        await start(seen.page)
        await seen.page.goto("about:blank")
        async with asyncio.timeout(30):
            await server.calls.hung_up.wait()
        await seen.page.goto(server.url)


async def test_stop_twice_does_not_wait_for_the_last_phrase() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        server.calls.close_on_request = False
        await start(seen.page)
        await seen.page.click("#toggle")
        await expect(seen.page.locator("#status")).to_have_text("Finishing the last phrase…")
        await seen.page.click("#toggle")
        await expect(seen.page.locator("#status")).to_have_text("Stopped")
        assert server.calls.closed == ["sess_1"]
