"""Captions: their look, and how a screen reader announces them."""

import re

from playwright.async_api import expect

from tests.support.browser.captioned import box, look, start_captions
from tests.support.browser.chromium import visit
from tests.support.browser.scripted_server import say, scripted_server, segment


async def test_captions_stand_side_by_side_or_stacked_and_it_is_remembered() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        for stacked in (False, True):
            channel = await start_captions(page, server)
            say(channel, "x.segment", **segment("a", 1, "final", "Да.", "Yes."))
            await expect(page.locator(".segment")).to_have_count(1)
            if stacked:
                source, target = await box(page, ".source"), await box(page, ".target")
                assert target["y"] >= source["y"] + source["height"]
                break
            source, target = await box(page, ".source"), await box(page, ".target")
            assert target["y"] == source["y"]
            assert target["x"] >= source["x"] + source["width"]
            await look(page, "value=stacked")
            assert (await box(page, ".target"))["x"] == (await box(page, ".source"))["x"]
            await page.reload()


async def test_each_phrase_can_carry_its_time() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        channel = await start_captions(page, server)
        say(channel, "x.segment", **segment("a", 1, "final", "Да.", "Yes."))
        said = page.locator(".segment time")
        await expect(said).to_be_hidden()
        await look(page, "name=times")
        await expect(said).to_be_visible()
        await expect(said).to_have_text(re.compile(r"^\d\d:\d\d:\d\d$"))
        shown = await said.inner_text()
        at = await said.evaluate("time => new Date(time.dateTime).toTimeString().slice(0, 8)")
        assert shown == at
        await page.reload()
        await page.click("[popovertarget=export]")
        await expect(page.locator("[name=times]")).to_be_checked()


async def test_type_can_be_large_and_contrast_high() -> None:
    size = "Number.parseFloat(getComputedStyle(document.querySelector('.target')).fontSize)"
    line = "getComputedStyle(document.documentElement).getPropertyValue('--line')"
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        channel = await start_captions(page, server)
        say(channel, "x.segment", **segment("a", 1, "final", "Да.", "Yes."))
        await expect(page.locator(".target")).to_have_text("Yes.")
        usual, soft = await page.evaluate(size), await page.evaluate(line)
        await look(page, "name=large", "name=contrast")
        assert await page.evaluate(size) >= 1.4 * usual
        assert await page.evaluate(line) != soft
        await page.reload()
        root = page.locator("html")
        await expect(root).to_have_attribute("data-large", "")
        await expect(root).to_have_attribute("data-contrast", "")


async def test_contrast_follows_the_system_until_one_chooses() -> None:
    async with scripted_server() as server, visit(server.url, contrast="more") as seen:
        page = seen.page
        root = page.locator("html")
        await expect(root).to_have_attribute("data-contrast", "")
        await page.emulate_media(contrast="no-preference")
        await expect(root).not_to_have_attribute("data-contrast", "")
        await page.emulate_media(contrast="more")
        await look(page, "name=contrast")  # off
        await expect(root).not_to_have_attribute("data-contrast", "")
        await page.reload()
        await expect(root).not_to_have_attribute("data-contrast", "")


async def test_each_caption_has_its_language_and_direction() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        channel = await start_captions(seen.page, server)
        event = segment("a", 1, "final", "שלום.", "Hello.")
        event["source"]["language"] = "he"
        say(channel, "x.segment", **event)
        source, target = seen.page.locator(".source"), seen.page.locator(".target")
        await expect(source).to_have_attribute("lang", "he")
        await expect(source).to_have_attribute("dir", "rtl")
        await expect(target).to_have_attribute("lang", "en")
        await expect(target).to_have_attribute("dir", "ltr")


async def test_what_is_committed_is_not_taken_back() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        channel = await start_captions(seen.page, server)
        firm = seen.page.locator(".source .firm")
        say(channel, "x.segment", **segment("a", 1, "partial", "Где находится", stable=3))
        await expect(firm).to_have_text("Где")
        say(channel, "x.segment", **segment("a", 2, "partial", "Когда придёт", stable=0))
        say(channel, "x.segment", **segment("a", 3, "partial", "Где находится во", stable=13))
        await expect(firm).to_have_text("Где находится")
        await seen.page.evaluate(
            """() => {
              window.shown = new Promise((tell) => {
                const seen = new Set();
                const read = () => seen.add(document.querySelector(".source .firm").textContent);
                new MutationObserver(() => {
                  read();
                  if (document.querySelector("[data-status=final]")) tell([...seen]);
                }).observe(document.querySelector(".segments"), {
                  childList: true, subtree: true, attributes: true,
                });
              });
            }"""
        )
        say(channel, "x.segment", **segment("a", 4, "partial", "Кто", stable=3))
        say(channel, "x.segment", **segment("a", 5, "final", "Где находится вокзал?", "Where?"))
        assert await seen.page.evaluate("shown") == ["Где находится вокзал?"]
