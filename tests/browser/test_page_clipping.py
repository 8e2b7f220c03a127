"""A microphone that is too loud for itself: the page says so on its meter."""

from pathlib import Path

from playwright.async_api import Page, expect

from tests.support import rooms
from tests.support.browser.chromium import visit
from tests.support.browser.loud import AS_IT_IS, too_loud
from tests.support.browser.page import PATIENCE_MS
from tests.support.browser.scripted_server import scripted_server

TOO_LOUD = "Too loud. Move back a little."
WATCH = """async (peaks) => {
  const { ClipWatch } = await import("/static/clipping.js");
  const watch = new ClipWatch();
  return peaks.map(([peak, ms]) => watch.push(peak, ms));
}"""


async def test_one_slam_is_nothing_and_two_are_said_until_it_is_over() -> None:
    peaks = [
        [1, 0],
        [0.5, 500],
        [1, 2600],
        [0.5, 2700],
        [1, 3000],
        [1, 3033],
        [0.9, 7000],
        [0.9, 7100],
    ]
    async with scripted_server() as server, visit(server.url) as seen:
        found = await seen.page.evaluate(WATCH, peaks)
    assert found == [None, None, None, None, True, None, None, False]


async def expect_warning(page: Page) -> None:
    await page.click("#toggle:enabled")
    await expect(page.locator("#hint")).to_have_text(TOO_LOUD, timeout=PATIENCE_MS)
    await expect(page.locator("#meter[data-clipping]")).to_be_visible()


async def test_a_voice_that_is_cut_off_is_said_on_the_meter(tmp_path: Path) -> None:
    async with (
        scripted_server() as server,
        visit(server.url, microphone=too_loud(tmp_path), before_load=AS_IT_IS) as seen,
    ):
        await expect_warning(seen.page)


async def test_a_rooms_speaker_reads_it_too(tmp_path: Path) -> None:
    async with (
        rooms.server() as running_server,
        visit(
            f"{running_server.url}/rooms/hall",
            microphone=too_loud(tmp_path),
            before_load=AS_IT_IS,
            expected_errors=["Failed to load resource"],  # there is no room yet
        ) as seen,
    ):
        await expect_warning(seen.page)
        await seen.page.click("#toggle")
        await expect(seen.page.locator("#hint")).to_have_text("")
