"""Debian's Chromium on the page, with a WAV file for a microphone."""

import contextlib
import shutil
import wave
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from playwright.async_api import ConsoleMessage, Page, Request, async_playwright, expect

from rtc_server.pcm import Samples

ARGUMENTS = (
    "--disable-gpu",
    "--use-fake-device-for-media-stream",
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
expect.set_options(timeout=30_000)
"""A busy machine is no fault of the page; an expectation that is met ends at once."""

GRANT_MICROPHONE = "--use-fake-ui-for-media-stream"
REFUSE_MICROPHONE = "--deny-permission-prompts"


@dataclass
class Visit:
    """A page in a browser, and what it did that one does not see."""

    page: Page
    errors: list[str] = field(default_factory=list)
    """Console errors and uncaught exceptions."""
    requests: list[str] = field(default_factory=list)
    """URLs asked for."""
    expected_errors: tuple[str, ...] = ()
    """Beginnings of console errors that the test provokes."""
    interpreter: str = ""
    """URL of the server, where the page comes from somewhere else."""

    @property
    def foreign_requests(self) -> list[str]:
        """Requests to any other place than where the page came from, and the interpreter."""
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
    tab_to_capture: str = "",
    further: Sequence[str] = (),
    interpreter: str = "",
    **context_options: Any,
) -> AsyncIterator[Visit]:
    """Open `url`. At the end the console must hold no error but the expected ones.

    `microphone` is a WAV file that plays over and over; without one the fake device beeps.
    `tab_to_capture` is the title of the tab that is chosen when the page asks for one; there is no
    microphone then. `before_load` is JavaScript that runs before the page's own. `further` are
    more arguments for Chromium. `interpreter` is the server's URL where the page comes from another
    origin. `context_options` go to Playwright: viewport, color_scheme, locale
    and the like.
    """
    executable = shutil.which("chromium") or shutil.which("chromium-browser")
    assert executable, "Chromium is missing: apt-get install chromium"
    arguments = [*ARGUMENTS, *further]
    if tab_to_capture:
        arguments.append(f"--auto-select-tab-capture-source-by-title={tab_to_capture}")
    else:  # this would choose a fake screen instead of the tab
        arguments.append(REFUSE_MICROPHONE if refuse_microphone else GRANT_MICROPHONE)
    if microphone:
        arguments.append(f"--use-file-for-fake-audio-capture={microphone}")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=executable,
            args=arguments,
            ignore_default_args=["--mute-audio"],  # it would mute what is captured of a tab, too
        )
        try:
            context = await browser.new_context(**{"locale": "en-US", **context_options})
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
            yield seen
            assert not seen.unexpected_errors, seen.unexpected_errors
            assert not seen.foreign_requests, seen.foreign_requests
        finally:
            await browser.close()


def write_wav(path: Path, samples: Samples, sample_rate: int) -> Path:
    """Mono float samples as a 16-bit WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())
    return path
