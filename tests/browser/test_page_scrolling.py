"""Captions: their limits, and the place to which a reader has scrolled."""

import re

import pytest
from playwright.async_api import expect

from tests.support.browser.captioned import say_captions, start_captions
from tests.support.browser.chromium import visit
from tests.support.browser.page import start
from tests.support.browser.scripted_server import say, scripted_server, segment

KEPT_ROWS = 120
"""Number of captions that are elements of the page."""
MORE_ROWS = 60
"""As many older ones come at a time."""


async def test_a_long_talk_keeps_the_page_small_and_can_be_read_from_its_beginning() -> None:
    count = 400
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        channel = await start_captions(page, server)
        say_captions(channel, count)
        rows = page.locator(".segment")
        await expect(rows.last).to_contain_text(f"Yes {count - 1}.")
        await expect(rows).to_have_count(KEPT_ROWS)
        first = page.locator(".target", has_text=re.compile(r"^Yes 0\.$"))
        for _ in range(count):
            if await first.count():
                break
            await page.locator(".segments").evaluate("list => list.scrollTo(0, 0)")
            await page.wait_for_timeout(50)
        await expect(rows).to_have_count(count)
        texts = await page.locator(".target").all_inner_texts()
        assert texts == [f"Yes {number}." for number in range(count)]
        await page.click(".newest")
        await expect(rows.last).to_be_in_viewport()
        await expect(rows).to_have_count(KEPT_ROWS)


async def test_a_window_that_changes_its_size_keeps_the_newest_line() -> None:
    """The page's own scrolling is reported before the page has followed the new size."""
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        channel = await start_captions(page, server)
        say_captions(channel, 40)
        rows = page.locator(".segment")
        await expect(rows.last).to_contain_text("Yes 39.")
        await expect(rows.last).to_be_in_viewport()
        await page.locator(".segments").evaluate(
            """list => {
              Object.assign(list.style, { bottom: "auto", height: "8rem" });
              list.dispatchEvent(new Event("scroll"));
            }"""
        )
        await expect(rows.last).to_be_in_viewport()
        await expect(page.locator(".newest")).to_be_hidden()


async def test_who_scrolls_to_the_top_while_the_window_changes_its_size_reads_older_lines() -> None:
    """There is nowhere else to scroll to: what is not noted now would never be."""
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        channel = await start_captions(page, server)
        say_captions(channel, 200)
        rows = page.locator(".segment")
        await expect(rows.last).to_contain_text("Yes 199.")
        await expect(rows.last).to_be_in_viewport()
        for height, count in (("8rem", KEPT_ROWS + MORE_ROWS), ("9rem", 200)):
            await page.locator(".segments").evaluate(
                """(list, height) => {
                  Object.assign(list.style, { bottom: "auto", height });
                  list.scrollTo(0, 0);
                }""",
                height,
            )
            await expect(rows).to_have_count(count)


async def test_what_one_reads_stays_where_it_is_while_older_lines_come() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        channel = await start_captions(page, server)
        say_captions(channel, 200)
        await expect(page.locator(".target", has_text="Yes 199.")).to_be_in_viewport()
        moved = await page.locator(".segments").evaluate(
            """async (list) => {
              const row = list.firstElementChild;
              list.scrollTo(0, 100);
              const before = row.getBoundingClientRect().top;
              while (list.firstElementChild === row) await new Promise(requestAnimationFrame);
              await new Promise((rest) => setTimeout(rest, 300));
              return [list.firstElementChild !== row, row.getBoundingClientRect().top - before];
            }"""
        )
        assert moved == [True, pytest.approx(0, abs=1)]


async def test_captions_follow_the_newest_line_until_the_reader_scrolls_back() -> None:
    phone = {"width": 390, "height": 844}
    async with scripted_server() as server, visit(server.url, viewport=phone) as seen:
        page = seen.page
        await start(page)
        channel = await server.calls.channel.get()
        for count in range(30):
            say(channel, "x.segment", **segment(str(count), 1, "final", "Да.", f"Yes {count}."))
        await expect(page.locator(".target", has_text="Yes 29.")).to_be_in_viewport()
        await page.locator(".segments").evaluate("list => list.scrollTo(0, 0)")
        newest = page.locator(".newest")
        await expect(newest).to_be_visible()
        say(channel, "x.segment", **segment("30", 1, "final", "Да.", "Yes 30."))
        last = page.locator(".segment").last
        await expect(last).to_contain_text("Yes 30.")
        await expect(last).not_to_be_in_viewport()
        await newest.click()
        await expect(last).to_be_in_viewport()
        await expect(newest).to_be_hidden()
