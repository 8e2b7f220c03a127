"""Photographs of the page in its states: ``python -m tests.browser.screenshots [FOLDER]``.

The server is the scripted one, so that each picture is the same every time.
"""

import argparse
import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from aiortc import RTCDataChannel
from playwright.async_api import Page, Route

from rtc_server.errors import AdmissionRefused
from tests.support.browser.chromium import visit
from tests.support.browser.scripted_server import ScriptedServer, say, scripted_server, segment
from tests.support.rooms import server as room_server
from tests.support.rooms import speaker
from tests.support.signals import tone
from tests.support.wav import write_wav

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screenshots"
DESKTOP = {"width": 1360, "height": 820}
TABLET = {"width": 820, "height": 1180}
PHONE = {"width": 390, "height": 844}
ON_ITS_SIDE = {"width": 844, "height": 390}
ZOOMED = {"width": 320, "height": 256}
"""A desktop at 400 %."""
SPOKEN = [
    ("Здравствуйте.", "Hello."),
    ("Где находится вокзал?", "Where is the train station?"),
    ("Сколько это стоит?", "How much does it cost?"),
    ("Два кофе, пожалуйста.", "Two coffees, please."),
]
ANSWER = ("It costs five euros.", "Это стоит пять евро.")
EVENT = {"type": "x.segment"}
CALM = tone(220, 900, sample_rate=48_000, peak=0.2)
POPUP = "delete window.documentPictureInPicture"


@asynccontextmanager
async def opened(**options: Any) -> AsyncIterator[tuple[Page, ScriptedServer]]:
    """The page, ready to start, with a microphone that is not too loud as Chromium's own is."""
    options = {"viewport": DESKTOP, "device_scale_factor": 2, **options}
    failed = ["Failed to load resource"]
    with TemporaryDirectory() as folder:
        options["microphone"] = write_wav(Path(folder) / "calm.wav", CALM, 48_000)
        async with _visited(failed, options) as found:
            yield found


@asynccontextmanager
async def _visited(
    failed: list[str], options: dict[str, Any]
) -> AsyncIterator[tuple[Page, ScriptedServer]]:
    async with (
        scripted_server() as server,
        visit(server.url, expected_errors=failed, **options) as seen,
    ):
        await seen.page.wait_for_selector("[data-phase=idle]")
        yield seen.page, server


async def start(page: Page, server: ScriptedServer) -> RTCDataChannel:
    """Begin a session."""
    await page.click("#toggle:enabled")
    channel = await server.calls.channel.get()
    await page.wait_for_selector("[data-phase=listening]")
    return channel


async def talk(
    page: Page, channel: RTCDataChannel, *, partial: bool = False, pause_ms: int = 0
) -> None:
    """Say a few phrases, and stop while another one is spoken or played."""
    for name, (said, meant) in enumerate(SPOKEN):
        say(channel, "x.segment", **segment(str(name), 1, "final", said, meant))
        await page.wait_for_timeout(pause_ms)
    last = str(len(SPOKEN) - 1)
    if partial:
        say(channel, "x.vad", state="speech", audio_ms=0)
        heard = segment("p", 1, "partial", "Поезд на Москву отправляется", stable=15)
        say(channel, "x.segment", **heard)
        await page.wait_for_selector("[data-status=partial]")
    else:
        say(channel, "x.playout", segment_id=last, state="started", queue_ms=900, tempo=1)
        await page.wait_for_selector("[data-phase=speaking]")


async def idle(folder: Path) -> None:
    async with opened() as (page, _server):
        await shoot(page, folder / "idle.png")


async def live(folder: Path) -> None:
    async with opened() as (page, server):
        await talk(page, await start(page, server))
        await shoot(page, folder / "live.png")


async def partial(folder: Path) -> None:
    async with opened() as (page, server):
        await talk(page, await start(page, server), partial=True)
        await shoot(page, folder / "partial.png")


async def dark(folder: Path) -> None:
    async with opened(color_scheme="dark") as (page, server):
        await talk(page, await start(page, server))
        await shoot(page, folder / "dark.png")


async def error(folder: Path) -> None:
    async with opened() as (page, server):
        server.calls.refuse = AdmissionRefused("All 50 places are taken.", 5)
        await page.click("#toggle:enabled")
        await page.wait_for_selector("#problem:not([hidden])")
        await shoot(page, folder / "error.png")


async def phone(folder: Path) -> None:
    async with opened(viewport=PHONE) as (page, server):
        await talk(page, await start(page, server), partial=True)
        await shoot(page, folder / "phone.png")


async def tablet(folder: Path) -> None:
    async with opened(viewport=TABLET, device_scale_factor=1, color_scheme="dark") as (
        page,
        server,
    ):
        await talk(page, await start(page, server), partial=True)
        await shoot(page, folder / "tablet.png")


async def phone_on_its_side(folder: Path) -> None:
    async with opened(viewport=ON_ITS_SIDE, device_scale_factor=1) as (page, server):
        await talk(page, await start(page, server), partial=True)
        await shoot(page, folder / "phone-on-its-side.png")


async def zoomed(folder: Path) -> None:
    async with opened(viewport=ZOOMED) as (page, server):
        await talk(page, await start(page, server), partial=True)
        await shoot(page, folder / "phone-zoomed.png")


async def phone_settings(folder: Path) -> None:
    async with opened(viewport=PHONE, device_scale_factor=1) as (page, _server):
        await page.click("[popovertarget=settings]")
        await shoot(page, folder / "phone-settings.png")


async def puzzled(folder: Path) -> None:
    """Show a phrase that was not understood, and one that failed."""
    async with opened(viewport=PHONE, device_scale_factor=1) as (page, server):
        channel = await start(page, server)
        hints = [("Сколько это стоит?", "How much does it cost?")]
        say(channel, "x.segment", **segment("a", 1, "final", *SPOKEN[0]))
        say(channel, "x.segment", **segment("b", 1, "not_understood", "", hints=hints))
        failed = segment("c", 1, "failed", "")
        say(channel, "x.segment", **failed, message="Full.", code="engine_overloaded")
        await page.wait_for_selector("[data-status=failed]")
        await shoot(page, folder / "phone-puzzled.png")


async def rooms(folder: Path) -> None:
    """Show both pages of a room: the speaker's on a desktop, a listener's on a phone."""
    failed = ["Failed to load resource"]
    events = "".join(
        f"id: t.{number}\ndata: {json.dumps(EVENT | segment(str(number), 1, *each))}\n\n"
        for number, each in enumerate(
            [("final", said, meant) for said, meant in SPOKEN] + [("partial", "Поезд", "The train")]
        )
    )

    async def captions(route: Route) -> None:
        await route.fulfill(body=events, content_type="text/event-stream")

    async with room_server() as running_server:
        async with visit(
            f"{running_server.url}/rooms/hall", expected_errors=failed, viewport=DESKTOP
        ) as seen:
            await seen.page.route("**/captions?*", captions)
            await seen.page.click("#toggle:enabled")
            await seen.page.wait_for_selector("#captions .line.final")
            await shoot(seen.page, folder / "room.png")
        async with (
            speaker(running_server, "stage"),  # the hall is still kept for its former speaker
            visit(
                f"{running_server.url}/listen/stage", expected_errors=failed, viewport=PHONE
            ) as seen,
        ):
            await seen.page.wait_for_selector("#toggle:enabled")
            await shoot(seen.page, folder / "listener-ready.png")
            await seen.page.route("**/captions?*", captions)
            await seen.page.check("#silent")
            await seen.page.click("#toggle")
            await seen.page.wait_for_selector("#captions .line.final")
            await shoot(seen.page, folder / "listener.png")


async def captions_panel(folder: Path) -> None:
    async with opened() as (page, server):
        await talk(page, await start(page, server), pause_ms=2300)
        await page.click("[popovertarget=export]")
        await page.check("[name=times]")
        await page.check("[value=stacked]", force=True)
        await shoot(page, folder / "captions.png")


async def contrast(folder: Path) -> None:
    async with opened() as (page, server):
        await talk(page, await start(page, server), partial=True)
        await page.evaluate("document.documentElement.toggleAttribute('data-contrast', true)")
        await page.evaluate("document.documentElement.toggleAttribute('data-large', true)")
        await shoot(page, folder / "contrast.png")


async def overlay(folder: Path) -> None:
    async with opened(before_load=POPUP) as (page, server):
        await talk(page, await start(page, server))
        await page.click("[popovertarget=export]")
        async with page.expect_popup() as waiting:
            await page.click("#overlay")
        window = await waiting.value
        await window.set_viewport_size({"width": 720, "height": 230})
        await shoot(window, folder / "overlay.png")


async def two_way(folder: Path, **options: Any) -> None:
    name = "two-way-phone.png" if options else "two-way.png"
    async with opened(**options) as (page, server):
        channel = await start(page, server)
        await page.click("#people")
        await page.wait_for_selector(".turn")
        for number, (said, meant) in enumerate(SPOKEN[:3]):
            say(channel, "x.segment", **segment(str(number), 1, "final", said, meant))
        answer = segment("a", 1, "final", *ANSWER)
        answer["source"]["language"], answer["target"]["language"] = "en", "ru"
        say(channel, "x.segment", **answer)
        say(channel, "x.segment", **segment("p", 1, "partial", "Два кофе,", stable=4))
        await page.click(".half:not(.far) .turn")
        await page.wait_for_selector(".half:not(.far) [data-status=partial]")
        await shoot(page, folder / name)


async def two_way_phone(folder: Path) -> None:
    await two_way(folder, viewport=PHONE)


async def shoot(page: Page, path: Path) -> None:
    """Without the pointer, and when everything has faded in."""
    await page.mouse.move(0, 0)
    await page.wait_for_timeout(600)
    await page.screenshot(path=path, scale="css" if "phone" not in path.name else "device")


STATES: dict[str, Callable[[Path], Awaitable[None]]] = {
    state.__name__: state
    for state in (
        idle, live, partial, dark, error, tablet, phone, phone_on_its_side, zoomed, phone_settings,
        puzzled, captions_panel, contrast, overlay, two_way, two_way_phone, rooms,
    )
}  # fmt: skip


async def main(folder: Path, names: list[str]) -> None:
    for name in names or list(STATES):
        await STATES[name](folder)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("states", nargs="*", help="all, if none is named")
    parser.add_argument("--folder", type=Path, default=FOLDER)
    arguments = parser.parse_args()
    asyncio.run(main(arguments.folder, arguments.states))
