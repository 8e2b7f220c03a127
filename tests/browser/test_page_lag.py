"""Lag of the voice, as people see it while it speaks along."""

from playwright.async_api import expect

from tests.support.browser.chromium import visit
from tests.support.browser.page import start
from tests.support.browser.scripted_server import say, scripted_server


async def test_the_lag_is_seen_while_the_voice_speaks_along() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        page = seen.page
        lag = page.locator("#lag")
        await start(page)
        channel = await server.calls.channel.get()

        def work(mode: str, **metrics: float | None) -> None:
            say(channel, "session.updated", session={"id": "sess_1", "x": {"mode": mode}})
            say(channel, "x.metrics", **metrics)
            say(channel, "x.vad", state="speech", audio_ms=0)

        work("balanced", ear_voice_ms=None)
        await expect(page.locator("#status")).to_have_text("Hearing you")
        await expect(lag).to_be_hidden()  # nothing was spoken yet
        work("balanced", ear_voice_ms=1640.2)
        await expect(lag).to_have_text("1.6 s behind")
        await expect(lag).to_be_visible()
        assert await lag.evaluate("at => at.closest('[aria-live], [role=status]')") is None
        await page.select_option("#interface", "ru")
        await expect(lag).to_have_text("отставание 1,6 с")

        say(channel, "x.vad", state="silence", audio_ms=900)
        await expect(lag).to_be_hidden()  # and nobody speaks: the figure is of the past
        work("consecutive", ear_voice_ms=2000)
        await expect(lag).to_have_attribute("hidden", "")
        work("fast", ear_voice_ms=900)
        await expect(lag).to_be_visible()
        await page.click("#toggle")
        await expect(lag).to_have_attribute("hidden", "")
