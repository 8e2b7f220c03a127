"""A talk of a minute and a half, both ways; `bench.page_soak` is the long form."""

import pytest

from rtc_server.app.server import running
from rtc_server.config import HttpSettings, Settings
from tests.support.browser.chromium import visit
from tests.support.browser.long_talk import hold_talk
from tests.support.browser.voice import MICROPHONE

DURATION_S = 60.0
GROWN_BYTES = 1_500_000
"""A page that kept each partial, or each sound, would have grown by far more."""


@pytest.mark.slow
async def test_a_long_talk_is_captioned_in_full_and_the_page_does_not_grow() -> None:
    async with (
        running(Settings(http=HttpSettings(port=0))) as server,
        visit(f"{server.url}/?source=ru&target=en", before_load=MICROPHONE) as seen,
    ):
        page = seen.page
        await page.click("#toggle:enabled")
        await page.wait_for_selector("[data-phase=listening]")
        talk = await hold_talk(page, DURATION_S)
    assert talk.answers
    assert talk.shown == talk.answers
    assert talk.delays_ms  # and something was played
    first, last = talk.sizes[1], talk.sizes[-1]  # the very first is before anything was played
    assert last.heap_bytes - first.heap_bytes < GROWN_BYTES, talk.sizes
