"""Debian's Chromium with the page, and a WAV file as microphone."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import ConsoleMessage, Page, Request, expect

from tests.support.browser.browsers import SHARED, WHOLE, Browsers, Launch
from tests.support.browser.page import PATIENCE_MS

expect.set_options(timeout=PATIENCE_MS)
"""Long, because a busy machine is no fault of the page; an expectation that is met ends at once."""

MODULES_HAVE_RUN = """async () => {
  const modules = [...document.scripts].filter((script) => script.type === "module" && script.src);
  await Promise.allSettled(modules.map((script) => import(script.src)));
}"""
"""A page counts as loaded before a module with a top-level await has run; until then it handles no
events.
"""

NOTE_S = 5
NOTE_LINES = 30


@dataclass
class Visit:
    """A page in a browser, with its console errors and requests."""

    page: Page
    errors: list[str] = field(default_factory=list)
    """Console errors and uncaught exceptions."""
    requests: list[str] = field(default_factory=list)
    """URLs requested."""
    expected_errors: tuple[str, ...] = ()
    """Beginnings of console errors that the test provokes."""
    interpreter: str = ""
    """URL of the server, if the page comes from another one."""

    @property
    def foreign_requests(self) -> list[str]:
        """Requests to any other origin than that of the page and that of the interpreter."""
        known = ("", urlsplit(self.page.url).netloc, urlsplit(self.interpreter).netloc)
        return [url for url in self.requests if urlsplit(url).netloc not in known]

    @property
    def unexpected_errors(self) -> list[str]:
        """Errors that the test did not provoke."""
        return [e for e in self.errors if not e.startswith(self.expected_errors or ("\0",))]


@contextlib.asynccontextmanager
async def visit(
    url: str,
    *,
    microphone: Path | None = None,
    refuse_microphone: bool = False,
    before_load: str = "",
    expected_errors: Sequence[str] = (),
    fonts: str = "",
    further: Sequence[str] = (),
    whole: bool = False,
    interpreter: str = "",
    permissions: Sequence[str] = (),
    **context_options: Any,
) -> AsyncIterator[Visit]:
    """Open `url`. At the end the console must hold no error but the expected ones.

    `microphone` is a WAV file that plays over and over; without one the fake device beeps. A tab
    whose title has `browsers.TAB_TITLE` is shared when the page asks for one. `before_load` is
    JavaScript that runs before the page's own. `fonts` names a set of fonts in place of what the
    machine has. `further` are more arguments, for a Chromium of its own. `whole` is that of
    `Launch`, and so it is where a microphone is refused. `interpreter` is the server's URL where
    the page comes from another origin. `context_options` go to Playwright: viewport, color_scheme,
    locale and the like.
    """
    granted = [*permissions, *([] if refuse_microphone else ["microphone"])]
    async with contextlib.AsyncExitStack() as stack:
        browsers = SHARED.get()
        if browsers is None:
            browsers = await stack.enter_async_context(Browsers())
        browser = await browsers.chromium(
            Launch(fonts, tuple(further), whole or refuse_microphone or WHOLE.get())
        )
        context = await browser.new_context(
            permissions=granted, **{"locale": "en-US", **context_options}
        )
        context.set_default_timeout(PATIENCE_MS)
        stack.push_async_callback(context.close)
        if microphone:
            stack.enter_context(browsers.playing(microphone))
        page = await context.new_page()
        seen = Visit(page, expected_errors=tuple(expected_errors), interpreter=interpreter)

        def note_console(message: ConsoleMessage) -> None:
            if message.type == "error":
                seen.errors.append(f"{message.text} ({message.location.get('url', '')})")

        def note_request(request: Request) -> None:
            seen.requests.append(request.url)

        page.on("console", note_console)
        page.on("pageerror", lambda error: seen.errors.append(f"uncaught: {error}"))
        page.on("request", note_request)
        if before_load:
            await page.add_init_script(before_load)
        await page.goto(url)
        await page.evaluate(MODULES_HAVE_RUN)
        try:
            yield seen
        except Exception as error:
            error.add_note(await _shown(seen))
            raise
        assert not seen.unexpected_errors, seen.unexpected_errors
        assert not seen.foreign_requests, seen.foreign_requests


async def _shown(seen: Visit) -> str:
    """State of the page, for reading about a failure that does not happen again."""
    lines = [f"Page: {seen.page.url}"]
    with contextlib.suppress(Exception):
        async with asyncio.timeout(NOTE_S):
            data = await seen.page.evaluate("({...document.body.dataset})")
            words = await seen.page.evaluate("document.body.innerText")
            lines += [f"Its data: {data}", *words.splitlines()[:NOTE_LINES]]
    asked = ["Asked for last:", *seen.requests[-NOTE_LINES // 5 :]]
    return "\n".join([*lines, *asked, "Console:", *seen.errors[-NOTE_LINES:]])
