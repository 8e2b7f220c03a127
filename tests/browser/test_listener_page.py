"""The pages of a room in Chromium: one person speaks, another scans the code, listens and reads."""

from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from playwright.async_api import Route, expect

from rtc_server.config import AccessSettings
from rtc_server.pcm import PLAYOUT_RATE
from tests.support.browser.accessibility import axe_faults
from tests.support.browser.chromium import visit
from tests.support.browser.room_pages import SILENT_YET, hears
from tests.support.rooms import say, server, speaker
from tests.support.server import said
from tests.support.wav import write_wav

NO_MICROPHONE = """
  navigator.mediaDevices.getUserMedia = () => { throw new Error("a listener has no microphone"); };
"""


async def test_a_listener_waits_picks_a_language_hears_and_reads() -> None:
    async with (
        server() as running_server,
        visit(
            f"{running_server.url}/listen/hall",
            expected_errors=SILENT_YET,
            before_load=NO_MICROPHONE,
        ) as seen,
    ):
        page = seen.page
        await expect(page.locator("#status")).to_contain_text("Nobody speaks here yet")
        await expect(page.locator("#invitation")).to_contain_text("Nobody speaks here yet")
        await expect(page.locator("#status")).to_have_css(
            "clip-path", "inset(50%)"
        )  # once is enough
        await page.click("#toggle")
        await expect(page.locator("#toggle")).to_have_text("Stop")
        await expect(page.locator("#status")).to_contain_text("This page waits for the speaker.")
        await page.click("#toggle")
        await expect(page.locator("#status")).to_contain_text("Press Listen")
        async with speaker(running_server) as spoken:
            await expect(page.locator("#toggle")).to_be_enabled()
            await page.check("[name=language][value=de]", force=True)
            await page.click("#toggle")
            await expect(page.locator("#status")).to_have_text("You are listening.")
            say(spoken, "where is the train station", "thank you")
            assert await hears(page)
            await expect(page.locator("#captions .final").first).to_have_text("one two three")
            await expect(page.locator("#status")).to_have_css("clip-path", "none")

            await page.click("#fold")  # it folds away while one listens
            await page.check("#silent")
            await expect(page.locator("#status")).to_have_text("You are reading along.")
            before = await page.locator("#captions .final").count()
            say(spoken, "two coffees and a cold beer please")
            await expect(page.locator("#captions .final")).not_to_have_count(before)
            await page.click("#toggle")
            await expect(page.locator("#status")).to_contain_text("Choose a language")


async def test_a_speaker_shows_the_link_and_is_heard(tmp_path: Path) -> None:
    speech = said("where is the train station", "two coffees and a cold beer please")
    wav = write_wav(tmp_path / "speech.wav", np.asarray(speech), PLAYOUT_RATE)
    async with (
        server() as running_server,
        visit(
            f"{running_server.url}/rooms/hall", expected_errors=SILENT_YET, microphone=wav
        ) as speaking,
        visit(f"{running_server.url}/listen/hall", expected_errors=SILENT_YET) as seen,
    ):
        link = speaking.page.locator("#link")
        await expect(link).to_have_attribute("href", f"{running_server.url}/listen/hall")
        await seen.page.click("#toggle")  # once, before anybody speaks
        await speaking.page.wait_for_function(
            "() => document.querySelector('#qr').naturalWidth > 100"
        )
        await speaking.page.select_option("#source", "en")
        await speaking.page.click("#toggle")
        await expect(speaking.page.locator("#status")).to_have_text("You are heard.")
        await expect(seen.page.locator("#status")).to_have_text("You are listening.")
        await expect(seen.page.locator("#controls")).to_be_hidden()  # as if pressed now
        await seen.page.click("#fold")
        await seen.page.check("[name=language][value=ru]", force=True)
        await expect(seen.page.locator("#status")).to_have_text("You are listening.")
        assert await hears(seen.page)
        await expect(speaking.page.locator("#count")).to_have_text("1")


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_the_pages_of_a_room_are_accessible(scheme: Literal["light", "dark"]) -> None:
    phone = {"width": 390, "height": 844}
    async with server() as running_server, speaker(running_server) as spoken:
        for path in ("/listen/hall", "/rooms/hall"):
            async with visit(
                running_server.url + path, viewport=phone, color_scheme=scheme
            ) as seen:
                await seen.page.select_option("#interface", "ru")
                await expect(seen.page.locator("#toggle")).to_be_enabled()
                if path.startswith("/listen"):
                    await seen.page.click("#toggle")
                    await expect(seen.page.locator("#status")).to_have_text("Звук включён.")
                    say(spoken, "yes")
                    await expect(seen.page.locator("#captions .final")).not_to_have_count(0)
                assert await axe_faults(seen.page) == [], path


async def test_speaker_and_listener_read_that_the_room_will_close(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The notice comes ten minutes before, so that a busy machine has enough time."""
    monkeypatch.setattr("rtc_server.rooms.room.EXPIRING_S", 600.0)

    async def soon(route: Route) -> None:
        answer = await route.fetch()
        state = await answer.json()
        await route.fulfill(response=answer, json={**state, "expires_in_ms": 50_000})

    async with (
        server(access=AccessSettings(session_minutes=10)) as running_server,
        visit(f"{running_server.url}/rooms/hall", expected_errors=SILENT_YET) as speaking,
        visit(f"{running_server.url}/listen/hall", expected_errors=SILENT_YET) as seen,
    ):
        await speaking.page.click("#toggle")
        await expect(seen.page.locator("#toggle")).to_be_enabled()
        await speaking.page.route("**/v1/rooms/hall", soon)
        await seen.page.click("#toggle")
        for visitor in (speaking, seen):
            await expect(visitor.page.locator("#status")).to_have_text(
                "The room closes within a minute."
            )
        await speaking.page.unroute_all(behavior="wait")
