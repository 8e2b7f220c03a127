"""Speech that is translated while it goes on, as the page shows it and lets people choose it."""

from dataclasses import replace

from playwright.async_api import expect

from tests.support.browser.chromium import visit
from tests.support.browser.page import start
from tests.support.browser.scripted_server import (
    AST,
    received,
    say,
    scripted_server,
    segment,
)


async def test_committed_words_are_marked_in_both_texts_and_so_are_those_left_out() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        await start(page)
        channel = await server.calls.channel.get()
        partial = segment("a", 1, "partial", "Где находится вокзал", "Where is the", stable=4)
        partial["target"]["stable_chars"] = 6
        say(channel, "x.segment", **partial)
        row = page.locator(".segment")
        await expect(row.locator(".source .firm")).to_have_text("Где ")
        await expect(row.locator(".source .soft")).to_have_text("находится вокзал")
        await expect(row.locator(".target .firm")).to_have_text("Where ")
        await expect(row.locator(".target .soft")).to_have_text("is the")

        say(channel, "x.playout", segment_id="a", state="started", queue_ms=900, tempo=1)
        skipped = {"segment_id": "a", "state": "skipped", "queue_ms": 5000, "tempo": 1.25}
        say(channel, "x.playout", **skipped, skipped=[6, 12])
        await expect(row.locator(".target .unspoken")).to_have_text("… is the")
        whole = "Where is the train station?"
        say(channel, "x.segment", **segment("a", 2, "final", "Где находится вокзал?", whole))
        await expect(row.locator(".target")).to_have_text("Where … is the train station?")
        await expect(row.locator(".target .soft")).to_have_text("")


async def test_an_engine_that_leaves_no_choice_of_mode_is_offered_none() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        await expect(seen.page.locator("#engines")).not_to_be_empty()
        await expect(seen.page.locator("#mode-setting")).to_have_attribute("hidden", "")


async def test_the_mode_that_is_chosen_holds_now_and_the_next_time() -> None:
    async with scripted_server() as server:
        server.catalogue.ast = replace(AST, target_partials=True)
        async with visit(server.url) as seen:
            page = seen.page
            await expect(page.locator("#mode-setting")).not_to_have_attribute("hidden", "")
            await start(page)
            assert server.calls.requests[0].settings.mode is None
            await page.click("[popovertarget=settings]")
            await page.select_option("#mode", "accurate")
            assert await received(server.calls, 1) == [{"type": "x.session", "mode": "accurate"}]
            await page.reload()
            await start(page)
            assert server.calls.requests[1].settings.mode == "accurate"
