"""Captions of the listener page: scrolling back, and listeners who join late."""

import json
from typing import Any

from playwright.async_api import Route, expect

from tests.support.browser.chromium import visit
from tests.support.browser.room_pages import SILENT_YET
from tests.support.rooms import say, server, speaker

LINE = {"rev": 1, "final": True, "status": "final"}


SEE_ANNOUNCED = """() => {
  window.announced = [];
  const note = (changes) => changes.forEach(({ addedNodes }) =>
    addedNodes.forEach((node) => announced.push(node.textContent)));
  new MutationObserver(note).observe(document.querySelector("[role=log]"), { childList: true });
}"""


SEE_PULSE = """() => {
  window.pulses = 0;
  const { set } = Object.getOwnPropertyDescriptor(HTMLElement.prototype, "hidden");
  Object.defineProperty(document.querySelector("#pulse"), "hidden", {
    set(hidden) { pulses += hidden ? 0 : 1; set.call(this, hidden); },
  });
}"""


def line(number: int, words: str, **fields: Any) -> str:
    """A caption as the server's event stream has it."""
    source = {"language": "en", "text": "", "stable_chars": 0, "start_ms": number, "end_ms": 9}
    target = {"language": fields.pop("language", "de"), "text": words, "stable_chars": 0}
    event = {"type": "x.segment", "segment_id": f"s{number}", "source": source, "target": target}
    return f"id: t.{number}\ndata: {json.dumps(event | LINE | fields)}\n\n"


async def test_a_listener_reads_in_peace() -> None:
    """The scroll position stays, only final captions are announced, nothing overflows."""
    stream = "".join(line(number, f"Zeile {number}.") for number in range(60))
    stream += line(60, "Donau" * 40)
    stream += line(61, "", rev=1, final=False, status="partial")
    later = line(61, "Noch", rev=2, final=False, status="partial") + line(61, "Noch eins.", rev=3)
    parts = [stream, later]

    async def captions(route: Route) -> None:
        body = parts.pop(0) if parts else ": nothing\n\n"
        await route.fulfill(body=body, content_type="text/event-stream")

    phone = {"width": 390, "height": 700}
    async with (
        server() as running_server,
        speaker(running_server),
        visit(
            f"{running_server.url}/listen/hall", expected_errors=SILENT_YET, viewport=phone
        ) as seen,
    ):
        page = seen.page
        await page.route("**/captions?*", captions)
        await expect(page.locator("#toggle")).to_be_enabled()
        await page.evaluate(SEE_PULSE)
        await page.check("#silent")
        await page.click("#toggle")
        await expect(page.locator("#captions .final")).to_have_count(61)
        assert await page.evaluate("pulses") == 1  # somebody speaks, though there is no text yet
        last = page.locator("#captions .final").last
        await expect(last).to_have_attribute("dir", "ltr")
        wide = "list => list.scrollWidth - list.clientWidth"
        assert await page.locator(".segments").evaluate(wide) == 0
        await page.evaluate(SEE_ANNOUNCED)
        await page.locator(".segments").evaluate("list => list.scrollTo(0, 40)")
        await expect(page.locator("#captions .final")).to_have_count(62)  # the page came back
        assert await page.locator(".segments").evaluate("list => list.scrollTop") == 40
        await expect(page.locator(".newest")).to_be_visible()
        assert await page.evaluate("announced") == ["Noch eins."]


async def test_who_comes_late_reads_the_last_lines() -> None:
    async with server() as running_server, speaker(running_server) as spoken:
        early, late = (
            visit(f"{running_server.url}/listen/hall", expected_errors=SILENT_YET) for _ in range(2)
        )
        async with early as seen:
            await seen.page.check("[name=language][value=de]", force=True)
            await seen.page.click("#toggle")
            await expect(seen.page.locator("#status")).to_have_text("You are listening.")
            say(spoken, "where is the train station", "thank you")
            await expect(seen.page.locator("#captions .final").first).to_be_visible()
            async with late as later:
                await later.page.check("[name=language][value=de]", force=True)
                await later.page.click("#toggle")
                shown = later.page.locator("#captions .final")
                await expect(shown.first).to_have_text("one two three")
