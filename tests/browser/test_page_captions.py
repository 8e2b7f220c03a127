"""Captions: how they look, how far they reach, the window of their own, and the files."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pysubs2
import pytest
from aiortc import RTCDataChannel
from playwright.async_api import FloatRect, Page, expect

from rtc_server.app.server import running
from rtc_server.config import HttpSettings, Settings
from tests.support.browser.chromium import visit
from tests.support.browser.scripted_server import ScriptedServer, say, scripted_server, segment
from tests.support.browser.voice import MICROPHONE
from tests.support.browser.voice import say as speak
from tests.support.signals import english, russian

KEPT_ROWS = 120
"""As many lines are elements of the page."""
POPUP = "delete window.documentPictureInPicture"
IN_OVERLAY = "documentPictureInPicture.window?.document.body.innerText ?? ''"


async def start(page: Page, server: ScriptedServer) -> RTCDataChannel:
    await page.click("#toggle:enabled")
    await page.wait_for_selector("[data-phase=listening]")
    return await server.calls.channel.get()


async def look(page: Page, *choices: str) -> None:
    """Press what is named in the captions panel."""
    await page.click("[popovertarget=export]")
    for choice in choices:
        await page.click(f"#look label:has([{choice}])")
    await page.keyboard.press("Escape")


async def box(page: Page, selector: str) -> FloatRect:
    found = await page.locator(selector).first.bounding_box()
    assert found
    return found


async def until(page: Page, condition: str) -> None:
    """Wait until an expression is true; the page's policy forbids Playwright to do it there."""
    async with asyncio.timeout(30):
        while not await page.evaluate(condition):
            await page.wait_for_timeout(50)


async def test_captions_stand_side_by_side_or_stacked_and_it_is_remembered() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        for stacked in (False, True):
            channel = await start(page, server)
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
        channel = await start(page, server)
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
        channel = await start(page, server)
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
        channel = await start(seen.page, server)
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
        channel = await start(seen.page, server)
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


async def test_a_long_talk_keeps_the_page_small_and_can_be_read_from_its_beginning() -> None:
    count = 400
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        channel = await start(page, server)
        for number in range(count):
            event = segment(str(number), 1, "final", f"Да {number}.", f"Yes {number}.")
            say(channel, "x.segment", **event)
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
        channel = await start(page, server)
        for number in range(40):
            event = segment(str(number), 1, "final", f"Да {number}.", f"Yes {number}.")
            say(channel, "x.segment", **event)
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


async def test_what_one_reads_stays_where_it_is_while_older_lines_come() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        channel = await start(page, server)
        for number in range(200):
            event = segment(str(number), 1, "final", f"Да {number}.", f"Yes {number}.")
            say(channel, "x.segment", **event)
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


async def test_captions_lie_over_other_windows() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        channel = await start(page, server)
        say(channel, "x.segment", **segment("a", 1, "final", "Да.", "Yes."))
        await expect(page.locator(".segment")).to_have_count(1)
        await page.click("[popovertarget=export]")
        await page.click("#overlay")
        await expect(page.locator("#overlay")).to_have_attribute("aria-pressed", "true")
        await until(page, f"({IN_OVERLAY}).includes('Yes.')")
        say(channel, "x.segment", **segment("b", 1, "partial", "Поезд идёт", stable=6))
        await until(page, f"({IN_OVERLAY}).includes('Поезд идёт')")
        for number in range(5):
            event = segment(f"c{number}", 1, "final", f"Да {number}.", f"Yes {number}.")
            say(channel, "x.segment", **event)
        await until(page, f"({IN_OVERLAY}).includes('Yes 4.')")
        lines = "documentPictureInPicture.window.document.querySelectorAll('li').length"
        assert await page.evaluate(lines) == 3
        await page.click("#overlay")
        await expect(page.locator("#overlay")).to_have_attribute("aria-pressed", "false")
        await until(page, "!documentPictureInPicture.window")


async def test_a_popup_does_where_no_window_can_lie_on_top() -> None:
    async with scripted_server() as server, visit(server.url, before_load=POPUP) as seen:
        page = seen.page
        channel = await start(page, server)
        await page.click("[popovertarget=export]")
        async with page.expect_popup() as waiting:
            await page.click("#overlay")
        window = await waiting.value
        say(channel, "x.segment", **segment("a", 1, "final", "Да.", "Yes."))
        target = window.locator(".overlay-target")
        await expect(target).to_have_text("Yes.")
        await expect(target).to_have_attribute("lang", "en")
        await expect(target).to_have_attribute("dir", "ltr")
        background = "getComputedStyle(document.body).backgroundColor"
        assert await window.evaluate(background) == "rgb(14, 16, 22)"  # its sheets are in force
        await window.close()
        await expect(page.locator("#overlay")).to_have_attribute("aria-pressed", "false")


async def test_a_blocked_popup_is_explained() -> None:
    blocked = f"{POPUP}; window.open = () => null"
    async with scripted_server() as server, visit(server.url, before_load=blocked) as seen:
        await seen.page.click("[popovertarget=export]")
        await seen.page.click("#overlay")
        title = seen.page.locator(".problem-title")
        await expect(title).to_have_text("The browser blocked the caption window")


async def files(page: Page, folder: Path, *kinds: str) -> dict[str, str]:
    """Download the captions."""
    found = {}
    for kind in kinds:
        async with page.expect_download() as waiting:
            await page.click(f"[data-format={kind}]")
        download = await waiting.value
        await download.save_as(folder / kind)
        found[kind] = (folder / kind).read_text(encoding="utf-8")
    return found


@pytest.mark.parametrize("which", ["both", "source", "target"])
async def test_subtitles_are_read_by_a_parser(which: str, tmp_path: Path) -> None:
    spoken = [("Да.", "Yes."), ("Где вокзал?", "Where is the station?"), ("Нет.", "No.")]
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        channel = await start(page, server)
        for number, (said, meant) in enumerate(spoken):
            event: dict[str, Any] = segment(str(number), 1, "final", said, meant)
            event["source"] |= {"start_ms": 3000 * number + 500, "end_ms": 3000 * number + 2100}
            say(channel, "x.segment", **event)
        await expect(page.locator(".segment")).to_have_count(len(spoken))
        await page.click("[popovertarget=export]")
        await page.select_option("#which", which)
        written = await files(page, tmp_path, "srt", "vtt")
    part = {"both": slice(0, 2), "source": slice(0, 1), "target": slice(1, 2)}[which]
    lines = [list(pair[part]) for pair in spoken]
    for kind, text in written.items():
        parsed = pysubs2.SSAFile.from_string(text, format_=kind)
        assert [event.plaintext.split("\n") for event in parsed] == lines
        assert all(event.start < event.end for event in parsed)
        starts = [event.start for event in parsed]
        assert starts == [500, 3500, 6500]


async def test_the_server_tells_the_same_transcript(tmp_path: Path) -> None:
    said = {"ru": russian("Где находится вокзал?"), "en": english("Where is the train station?")}
    async with (
        running(Settings(http=HttpSettings(port=0))) as server,
        visit(f"{server.url}/?source=ru&target=en", before_load=MICROPHONE) as seen,
    ):
        page = seen.page
        async with page.expect_response(lambda r: r.url.split("?")[0].endswith("/calls")) as opened:
            await page.click("#toggle:enabled")
        call = (await (await opened.value).all_headers())["location"]
        await page.wait_for_selector("[data-phase=listening]")
        for language in ("ru", "en"):
            finals = page.locator(f".segment[data-status=final] .source[lang={language}]")
            while not await finals.count():  # a busy machine may lose a word: say it again
                ended = page.locator(".segment:not([data-status=partial])")
                before = await ended.count()
                await speak(page, said[language])
                await expect(ended).not_to_have_count(before)
            await page.click("#swap")
        await page.click("[popovertarget=export]")
        for which in ("both", "source", "target"):
            await page.select_option("#which", which)
            for kind, text in (await files(page, tmp_path, "txt", "srt", "vtt")).items():
                path = f"{call}/transcript?format={kind}&side={which}"
                assert text == await page.evaluate(
                    "async (path) => (await fetch(path)).text()", path
                )
        ours = json.loads((await files(page, tmp_path, "json"))["json"])["segments"]
        path = f"{call}/transcript?format=json"
        theirs = (await page.evaluate("async (path) => (await fetch(path)).json()", path))[
            "segments"
        ]
        for row in (*ours, *theirs):
            del row["at"]  # by the clock of either
        assert ours == theirs
        assert {row["source"]["language"] for row in ours} == {"ru", "en"}


async def test_every_error_is_a_sentence_with_its_next_step() -> None:
    static = Path(__file__).resolve().parents[2] / "static"
    thrown = re.compile(r'(?:ClientError|SourceError|problems\.show)\(\s*"([a-z_]+)"')
    tables = re.compile(r"\b(?:codes|REFUSALS) = \{([^}]*)\}")
    codes: set[str] = set()
    for path in static.rglob("*.js"):
        source = path.read_text(encoding="utf-8")
        codes.update(thrown.findall(source))
        for table in tables.findall(source):
            codes.update(re.findall(r'"([a-z_]+)"', table))
    assert {"microphone_refused", "server_unreachable", "unauthorized"} <= codes
    own_words = {"notice"}  # the server's sentence stands for both
    async with scripted_server() as server, visit(server.url) as seen:
        for language in ("en", "ru"):
            problems = await seen.page.evaluate(
                "async (code) => (await import(`/static/strings/${code}/page.js`)).words.problem",
                language,
            )
            assert codes <= problems.keys(), codes - problems.keys()
            for code in codes - own_words:
                title, advice = problems[code]
                assert title and advice.endswith("."), code
