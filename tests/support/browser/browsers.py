"""Chromium processes that many tests share, each with a context of its own.

Launching one and its driver takes as long as most tests of a page. What cannot differ between the
contexts of one process is how it was launched; everything else can: permissions, viewport, and the
file that the fake microphone plays, which Chromium reads whenever a microphone is opened.
"""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from playwright.async_api import Browser, Playwright, async_playwright

from tests.support.browser.fonts import font_environment
from tests.support.signals import join, silence, tone
from tests.support.wav import write_wav

TAB_TITLE = "A talk"
"""Title of the tab that is captured when a page asks for a tab."""
MICROPHONE_RATE = 48_000
PLAYWRIGHT_DISABLES = (
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "TcpPortRandomizationWin",
    "ThirdPartyStoragePartitioning",
    "msEdgeUpdateLaunchServicesPreferredVersion",
    "msForceBrowserSignIn",
)
"""Features that Playwright disables. Chromium obeys only the last list, so ours repeats them."""
FURTHER_RENDERERS = (
    "SpareRendererForSitePerProcess",
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxPopup",
)
"""Features that start renderers beside a page's own: one for what may be opened next, and pages of
Chromium's own for the address bar. These cost each visit 1.4 s of CPU, half of all."""
DISABLED_FEATURES = (*PLAYWRIGHT_DISABLES, *FURTHER_RENDERERS)
ARGUMENTS = (
    "--disable-gpu",
    f"--disable-features={','.join(DISABLED_FEATURES)}",
    "--use-fake-device-for-media-stream",
    "--deny-permission-prompts",
    f"--auto-select-tab-capture-source-by-title={TAB_TITLE}",
    "--allow-loopback-in-peer-connection",
    "--autoplay-policy=no-user-gesture-required",
    "--enable-blink-features=ComputedAccessibilityInfo",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-smooth-scrolling",
    "--disable-sync",
    "--no-first-run",
    "--renderer-process-limit=1",
)
SHELL_ARGUMENTS = ("--use-fake-ui-for-media-stream",)
"""Grants the microphone, which the shell, having nobody to ask, would refuse."""
MOST_RUNNING = 2
"""Processes kept; when another one is launched, the least recently used one ends."""


@dataclass(frozen=True, slots=True)
class Launch:
    """Options that all contexts of one process share."""

    fonts: str = ""
    """Name of a set in `fonts.FONT_SETS`; empty for the fonts of the machine."""
    further: tuple[str, ...] = ()
    """More arguments."""
    whole: bool = False
    """The browser that people use, not its headless shell. The shell has the same engine without a
    window, and a visit in it costs a quarter less; but it asks nobody for a device, so it cannot
    refuse one, tell devices apart, or capture a tab."""


class Browsers:
    """The driver, and a Chromium for each way to launch it that was asked for."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="browsers-"))
        self._microphone = self._folder / "microphone.wav"
        self._driver: Playwright | None = None
        self._running: dict[Launch, Browser] = {}
        self.launches = 0
        """Chromium processes started so far."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc: object) -> None:
        for browser in self._running.values():
            await browser.close()
        self._running.clear()
        if self._driver:
            await self._driver.stop()
        shutil.rmtree(self._folder)

    async def chromium(self, launch: Launch) -> Browser:
        """Return the running browser with these options, or launch it."""
        browser = self._running.pop(launch, None)
        if browser is None or not browser.is_connected():
            browser = await self._launch(launch)
        self._running[launch] = browser  # the last is the one used most recently
        idle = [
            key for key, each in self._running.items() if not each.contexts and each is not browser
        ]
        for key in idle[: len(self._running) - MOST_RUNNING]:
            await self._running.pop(key).close()
        return browser

    async def driver(self) -> Playwright:
        """Start Playwright's driver, unless it runs."""
        if not self._driver:
            self._driver = await async_playwright().start()
            self._beep()
        return self._driver

    async def _launch(self, launch: Launch) -> Browser:
        shell = None if launch.whole else shutil.which("chromium-headless-shell")
        executable = shell or shutil.which("chromium") or shutil.which("chromium-browser")
        assert executable, "Chromium is missing: apt-get install chromium"
        driver = await self.driver()
        environment: dict[str, str | float | bool] = dict(os.environ)
        if launch.fonts:
            folder = Path(tempfile.mkdtemp(dir=self._folder)) / launch.fonts
            environment |= font_environment(launch.fonts, folder)
        self.launches += 1
        return await driver.chromium.launch(
            executable_path=executable,
            args=[
                *ARGUMENTS,
                *(SHELL_ARGUMENTS if shell else ()),
                f"--use-file-for-fake-audio-capture={self._microphone}",
                *launch.further,
            ],
            env=environment,
            ignore_default_args=["--mute-audio"],  # it would also mute the captured sound of a tab
        )

    @contextlib.contextmanager
    def playing(self, recording: Path) -> Iterator[None]:
        """Let microphones that are opened meanwhile repeat a WAV file."""
        copy = self._folder / "next.wav"
        shutil.copyfile(recording, copy)
        copy.replace(self._microphone)
        try:
            yield
        finally:
            self._beep()

    def _beep(self) -> None:
        """Beep each second, as Chromium's fake device does by default."""
        beeps = join(tone(440, 100, sample_rate=MICROPHONE_RATE), silence(900, MICROPHONE_RATE))
        write_wav(self._folder / "beep.wav", beeps, MICROPHONE_RATE).replace(self._microphone)

    async def close_contexts(self) -> int:
        """Close contexts that tests left open; return their number."""
        left = [each for browser in self._running.values() for each in browser.contexts]
        for context in left:
            await context.close()
        return len(left)


SHARED: ContextVar[Browsers | None] = ContextVar("shared_browsers", default=None)
"""Browsers of the tests that run in this process; elsewhere each visit has its own."""
WHOLE: ContextVar[bool] = ContextVar("whole_browser", default=False)
"""True where all visits are in the browser that people use; see `Launch.whole`."""
