"""Failures before the page is there: its own fault, an old browser's, or a harmless one."""

from typing import Any

import pytest
from playwright.async_api import Route, expect

from tests.support.browser.chromium import visit
from tests.support.browser.page import FAILED_REQUEST
from tests.support.browser.scripted_server import scripted_server
from tests.support.browser.scrolling import layout_faults

BROKEN = "Intl.DisplayNames = class { constructor() { throw new Error('broken'); } };"
OLD = "delete HTMLElement.prototype.showPopover;"
NO_MODULES = "delete HTMLScriptElement.prototype.noModule;"
LACKS_LITTLE = ["CSS.supports = () => false;", "delete Navigator.prototype.mediaDevices;"]
"""Features that the pages can do without."""
UNCAUGHT = ["uncaught: broken", "uncaught: Error: broken"]
TOO_OLD = {
    "en-US": "This browser is too old for this page. Use a current Chrome, Edge, Firefox"
    " or Safari.",
    "ru-RU": "Этот браузер слишком стар для этой страницы. Откройте её в свежем Chrome, Edge,"
    " Firefox или Safari.",
    "uk-UA": "Цей браузер застарий для цієї сторінки. Відкрийте її у свіжому Chrome, Edge, Firefox"
    " або Safari.",
    "de-DE": "Dieser Browser ist zu alt für diese Seite. Nehmen Sie ein aktuelles Chrome, Edge,"
    " Firefox oder Safari.",
}
SMALL = {"width": 320, "height": 568}


async def test_a_script_that_breaks_says_that_the_page_is_at_fault() -> None:
    async with (
        scripted_server() as server,
        visit(server.url, before_load=BROKEN, expected_errors=UNCAUGHT) as seen,
    ):
        notice = seen.page.get_by_role("alert")
        await expect(notice).to_contain_text("Something went wrong on this page")
        await expect(notice.get_by_role("button", name="Try again")).to_be_visible()
        async with seen.page.expect_navigation():
            await notice.get_by_role("button", name="Try again").click()


@pytest.mark.parametrize("locale", TOO_OLD)
async def test_where_the_browser_lacks_something_it_is_what_is_too_old(locale: str) -> None:
    options: dict[str, Any] = {"viewport": SMALL, "locale": locale, "reduced_motion": "reduce"}
    async with (
        scripted_server() as server,
        visit(server.url, before_load=OLD + BROKEN, expected_errors=UNCAUGHT, **options) as seen,
    ):
        page = seen.page
        notice = page.get_by_role("alert")
        await expect(notice).to_contain_text(TOO_OLD[locale])
        await expect(notice.get_by_role("button")).to_have_count(1)  # it would break again
        assert await layout_faults(page) == []
        await notice.get_by_role("button").click()
        await expect(notice).to_have_count(0)


@pytest.mark.parametrize("lacking", LACKS_LITTLE)
async def test_what_the_page_can_do_without_is_not_what_broke(lacking: str) -> None:
    async with (
        scripted_server() as server,
        visit(server.url, before_load=lacking + BROKEN, expected_errors=UNCAUGHT) as seen,
    ):
        notice = seen.page.get_by_role("alert")
        await expect(notice).to_contain_text("Something went wrong on this page")


async def test_panels_cover_what_is_below_them_where_colours_have_no_themes() -> None:
    """A sheet names such a colour by a function, which a browser from before 2024 lacks."""

    async def lack(route: Route) -> None:
        sheet = (await (await route.fetch()).text()).replace("light-dark(", "not-there(")
        await route.fulfill(body=sheet, content_type="text/css")

    async with scripted_server() as server, visit("about:blank") as seen:
        page = seen.page
        await page.route("**/tokens.css", lack)
        await page.goto(server.url)
        await page.wait_for_selector("#toggle:enabled")
        await page.click("[popovertarget=settings]")
        await expect(page.locator("#settings")).to_have_css(
            "background-color", "rgb(255, 255, 255)"
        )
        await expect(page.locator("#toggle")).to_have_css("color", "rgb(255, 255, 255)")


async def test_a_browser_without_modules_runs_nothing_and_is_told() -> None:
    async with scripted_server() as server, visit(server.url, before_load=NO_MODULES) as seen:
        await expect(seen.page.get_by_role("alert")).to_contain_text(TOO_OLD["en-US"])


async def test_a_picture_that_does_not_come_is_no_matter() -> None:
    async with (
        scripted_server() as server,
        visit("about:blank", expected_errors=[FAILED_REQUEST]) as seen,
    ):
        await seen.page.route("**/icon.svg", lambda route: route.abort("connectionrefused"))
        await seen.page.goto(server.url)
        await seen.page.wait_for_selector("#toggle:enabled")
        await expect(seen.page.locator("#absent")).to_have_count(0)
