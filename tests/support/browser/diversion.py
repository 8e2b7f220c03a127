"""Diversion of a page's calls through a network that the test controls."""

from playwright.async_api import Page, Route

from tests.support.netem import UdpProxy


async def divert(page: Page, proxy: UdpProxy, *, times: int | None = None) -> None:
    """Divert the calls that the page opens through `proxy`: the first `times` of them, or all."""

    async def rewrite(route: Route) -> None:
        request = route.request
        if request.method != "POST":
            await route.continue_()
            return
        headers = {k: v for k, v in request.headers.items() if k != "content-length"}
        offer = proxy.rewrite_offer(request.post_data or "")
        response = await route.fetch(post_data=offer, headers=headers)
        await route.fulfill(response=response, body=proxy.rewrite_answer(await response.text()))

    await page.route("**/translations/calls*", rewrite, times=times)
