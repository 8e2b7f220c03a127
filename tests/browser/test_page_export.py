"""Files of the captions: transcripts and subtitles."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pysubs2
import pytest
from playwright.async_api import Page, expect

from rtc_server.app.server import running
from tests.support.browser.captioned import start_captions
from tests.support.browser.chromium import visit
from tests.support.browser.scripted_server import say, scripted_server, segment
from tests.support.browser.voice import MICROPHONE
from tests.support.browser.voice import say as speak
from tests.support.patient import SETTINGS, TONES
from tests.support.signals import english, russian


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
        channel = await start_captions(page, server)
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
        running(replace(SETTINGS, engines=TONES)) as server,
        visit(f"{server.url}/?source=ru&target=en", before_load=MICROPHONE) as seen,
    ):
        page = seen.page
        async with page.expect_response(lambda r: r.url.split("?")[0].endswith("/calls")) as opened:
            await page.click("#toggle:enabled")
        call = (await (await opened.value).all_headers())["location"]
        await page.wait_for_selector("[data-phase=listening]")
        for language in ("ru", "en"):
            finals = page.locator(f".segment[data-status=final] .source[lang={language}]")
            await speak(page, said[language])
            await expect(finals).not_to_have_count(0)
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
