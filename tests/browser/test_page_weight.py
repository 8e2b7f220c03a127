"""Cost of loading the page."""

from playwright.async_api import Response

from tests.support.browser.chromium import visit
from tests.support.browser.scripted_server import scripted_server

MOST_BYTES = 150_000


async def test_the_page_is_light() -> None:
    sizes: dict[str, int] = {}
    async with scripted_server() as server, visit("about:blank") as seen:

        async def weigh(response: Response) -> None:
            sizes[response.url] = len(await response.body())

        seen.page.on("response", weigh)
        await seen.page.goto(server.url, wait_until="networkidle")
        await seen.page.wait_for_selector("[data-phase=idle]")
    assert any(url.endswith("app.js") for url in sizes)
    assert sum(sizes.values()) < MOST_BYTES, sizes
