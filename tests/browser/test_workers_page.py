"""The page at a server of two media processes, also when the one of its session is killed."""

import os
import re
import signal
from pathlib import Path

from playwright.async_api import expect

from tests.support.browser.chromium import visit
from tests.support.browser.page import PATIENCE_MS
from tests.support.browser.voice import as_microphone
from tests.support.patient import TONES
from tests.support.signals import english
from tests.support.until import until
from tests.support.workers import workers


async def test_a_session_is_heard_and_goes_on_when_its_worker_is_killed(tmp_path: Path) -> None:
    meant = "one two three"  # whatever is said
    said = english("Where is the train station?")
    microphone = as_microphone(tmp_path / "microphone.wav", said)
    async with workers(engines=TONES) as running:
        url = f"{running.url}/?source=en&target=ru"
        async with visit(url, microphone=microphone) as seen:
            page = seen.page
            opened = page.expect_response(re.compile(r"/calls\b"))
            async with opened as answering:
                await page.click("#toggle:enabled")
            location = (await (await answering.value).all_headers())["location"]
            finals = page.locator(".segment[data-status=final]")
            await expect(finals.first.locator(".target .firm")).to_have_text(
                meant, timeout=PATIENCE_MS
            )
            number = int(re.findall(r"sess_w(\d+)-", location)[0])
            os.kill(running.supervisor.worker(number).pid, signal.SIGKILL)
            await until(lambda: running.metrics.sessions_moved._value.get() == 1)
            count = await finals.count()
            await expect(finals.nth(count)).to_be_visible(timeout=PATIENCE_MS)
            await expect(finals.first.locator(".target .firm")).to_have_text(meant)
            await page.click("#toggle")
            await page.wait_for_selector("[data-phase=closed]")
