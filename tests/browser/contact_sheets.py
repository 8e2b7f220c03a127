"""Contact sheets of the pages: ``python -m tests.browser.contact_sheets [FOLDER] [--walk NAME]``.

One picture a state, with each of `SIZES` in light and in dark, for who judges how the pages look.
"""

import argparse
import asyncio
import base64
import re
from pathlib import Path

from playwright.async_api import Page, ViewportSize

from tests.support.browser.states import WALKS

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "screenshots" / "sheets"
SIZES: dict[str, tuple[ViewportSize, float]] = {
    "desktop": ({"width": 1440, "height": 900}, 0.5),
    "tablet": ({"width": 820, "height": 1180}, 0.38),
    "phone": ({"width": 390, "height": 844}, 0.53),
    "phone on its side": ({"width": 844, "height": 390}, 0.5),
    "desktop at 400 %": ({"width": 320, "height": 256}, 0.9),
}
"""Name to the window, and to the scale on the sheet."""
SCHEMES = ("light", "dark")
SHEET = """<style>
body { margin: 0; padding: 8px; background: #888; width: 1710px }
div { display: grid; grid-template: auto 1fr / repeat(4, max-content); gap: 8px; margin: 0 0 8px }
img { display: block } img:nth-child(-n + 3) { grid-row: 1 / 3 }
</style>"""
SETTLED = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


async def sheet(page: Page, path: Path) -> None:
    """Write the sheet of the state that `page` is in; leave the page as it was."""
    before = page.viewport_size
    rows = ""
    for scheme in SCHEMES:
        await page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        rows += "<div>"
        for size, scale in SIZES.values():
            await page.set_viewport_size(size)
            await page.evaluate(SETTLED)
            taken = base64.b64encode(await page.screenshot(scale="css")).decode()
            rows += f'<img src="data:image/png;base64,{taken}" width="{size["width"] * scale}">'
        rows += "</div>"
    await page.emulate_media(color_scheme="null")
    if before:
        await page.set_viewport_size(before)
    assert page.context.browser
    context = await page.context.browser.new_context(viewport={"width": 1726, "height": 400})
    board = await context.new_page()
    await board.set_content(SHEET + rows, wait_until="load")
    await board.screenshot(path=path, type="jpeg", quality=60, full_page=True)
    await context.close()


async def main(folder: Path, names: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)

    async def look(state: str, page: Page) -> None:
        await sheet(page, folder / f"{re.sub('[^a-z]+', '-', state)}.jpg")

    for name in names or list(WALKS):
        await WALKS[name](look)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=FOLDER)
    parser.add_argument("--walk", action="append", choices=list(WALKS), help="default: all")
    arguments = parser.parse_args()
    asyncio.run(main(arguments.folder, arguments.walk))
