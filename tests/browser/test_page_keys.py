"""The page of a server with keys: it gets in by a secret of its own, or says why not."""

from rtc_server.config import AccessSettings, HttpSettings, Settings
from tests.browser.chromium import visit
from tests.browser.scripted_server import say, scripted_server
from tests.browser.test_page_states import FAILED_REQUEST, expect_problem, start


async def test_the_page_works_where_it_may_ask_for_secrets() -> None:
    settings = Settings(HttpSettings(api_key="k"), AccessSettings(page_access="open"))
    async with (
        scripted_server(settings) as server,
        visit(server.url, expected_errors=[FAILED_REQUEST]) as seen,  # the first one, without
    ):
        await start(seen.page)
        assert server.calls.requests[0].owner.key == "page"
        assert server.calls.requests[0].owner.secret.startswith("sess_")
        await seen.page.reload()  # being left, it hangs up with the secret that opened the call
        await server.calls.hung_up.wait()


async def test_the_page_says_that_it_has_no_key() -> None:
    settings = Settings(HttpSettings(api_key="k"))
    async with (
        scripted_server(settings) as server,
        visit(server.url, expected_errors=[FAILED_REQUEST]) as seen,
    ):
        await expect_problem(
            seen.page, "This server asks for a key", "Ask whoever runs it for access."
        )


async def test_the_page_says_that_the_time_is_nearly_up() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        await start(seen.page)
        say(await server.calls.channel.get(), "x.expiring", in_ms=60_000)
        await expect_problem(seen.page, "The conversation will end soon", "Finish your sentence")
