"""The page of a server with keys: it gets in by a secret of its own, or says why not."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from unittest import mock

import pytest
from playwright.async_api import Page, expect

from rtc_server.clock import wall
from rtc_server.config import AccessSettings, HttpSettings, Settings
from rtc_server.errors import AdmissionRefused
from rtc_server.signaling import http_app
from tests.support.browser.chromium import visit
from tests.support.browser.page import FAILED_REQUEST, KEEP_CHANNELS, LIVE, expect_problem, start
from tests.support.browser.scripted_server import ScriptedServer, say, scripted_server, segment

RETRY_AFTER_S = 5
ENDLESS_BACK_OFF = (
    f"const askedMs = {RETRY_AFTER_S * 1000};"
    + """
const later = window.setTimeout.bind(window);
window.setTimeout = (act, ms, ...more) => {
  const ownMs = ms < askedMs ? ms : ms - askedMs;
  if (!("waits" in window) || ownMs < 250 || ownMs > 500) return later(act, ms, ...more);
  waits += 1;
  return 0;
};"""
)
"""Once `window.waits` is there, the back-off's first wait does not end by itself; it is counted. It
is longer by what a refusal asked for."""

TIME_IS_UP = {
    "de": "Die Zeit der Sitzung ist um",
    "en": "The session’s time is up",
    "es": "El tiempo de la sesión se ha agotado",
    "fr": "Le temps de la session est écoulé",
    "it": "Il tempo della sessione è scaduto",
    "pl": "Czas sesji się skończył",
    "ru": "Время сеанса вышло",
    "uk": "Час сеансу вийшов",
}


def page_access() -> Settings:
    """A server with keys whose page may ask for secrets."""
    return Settings(HttpSettings(api_key="k"), AccessSettings(page_access="open"))


async def test_the_page_works_where_it_may_ask_for_secrets() -> None:
    async with (
        scripted_server(page_access()) as server,
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
            seen.page, "This server asks for a key", "Ask its administrator for access."
        )


async def test_the_page_says_that_the_time_is_nearly_up() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        await start(seen.page)
        say(await server.calls.channel.get(), "x.expiring", in_ms=60_000)
        await expect_problem(seen.page, "The conversation will end soon", "Finish your sentence")


async def test_the_page_says_that_nobody_has_spoken_and_why_the_session_ended() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        await start(seen.page)
        channel = await server.calls.channel.get()
        say(channel, "x.expiring", in_ms=60_000, reason="idle", seq=1)
        await expect_problem(seen.page, "Nobody has spoken for a long time", "Say something")
        say(channel, "x.segment", **segment("s1", 1, "final", "Да.", "Yes."), seq=2)
        await expect(seen.page.locator("#problem")).to_be_hidden()
        say(channel, "x.expiring", in_ms=0, reason="idle", seq=3)
        say(channel, "session.closed")
        await expect_problem(
            seen.page, "The session ended, as nobody spoke", "Your captions are kept"
        )


async def test_the_page_says_in_every_language_that_the_time_is_up() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        await start(seen.page)
        channel = await server.calls.channel.get()
        say(channel, "x.expiring", in_ms=0, reason="limit", seq=1)
        say(channel, "session.closed")
        await expect_problem(
            seen.page, TIME_IS_UP["en"], "The server limits the time per session and per day."
        )
        for code, title in TIME_IS_UP.items():
            await seen.page.select_option("#interface", code)
            await expect(seen.page.locator(".problem-title")).to_have_text(title)


async def test_the_page_goes_on_in_another_session_when_the_server_restarts() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        await start(seen.page)
        channel = await server.calls.channel.get()
        say(channel, "x.expiring", in_ms=10_000, reason="restart", seq=1)
        say(channel, "x.expiring", in_ms=0, reason="restart", seq=2)
        say(channel, "session.closed")
        await server.calls.channel.get()
        await seen.page.wait_for_selector(LIVE)
        assert len(server.calls.requests) == 2
        await expect(seen.page.locator("#problem")).to_be_hidden()


@contextlib.contextmanager
def clock_ahead() -> Iterator[list[float]]:
    """Seconds by which the clock of access control is ahead, in servers made meanwhile."""
    ahead = [0.0]
    with mock.patch.object(http_app, "wall", lambda: wall() + ahead[0]):
        yield ahead


async def test_a_secret_that_expired_is_renewed_when_the_connection_dies() -> None:
    with clock_ahead() as ahead:
        async with (
            scripted_server(page_access()) as server,
            visit(server.url, before_load=KEEP_CHANNELS, expected_errors=[FAILED_REQUEST]) as seen,
        ):
            page = seen.page
            await start(page)
            await server.calls.channel.get()
            ahead[0] = 3600
            await page.evaluate("channels.at(-1).close()")
            await (
                server.calls.channel.get()
            )  # this server does not know the session any more: a new one
            await page.wait_for_selector(LIVE)
            first, second = (request.owner.secret for request in server.calls.requests)
            assert first != second
            await page.select_option("#source", "en")  # asks for the phrases of that language
            await expect(page.locator("#examples")).to_be_attached()
            await expect(page.locator("#problem")).to_be_hidden()


@contextlib.asynccontextmanager
async def with_an_endless_back_off() -> AsyncIterator[tuple[ScriptedServer, Page]]:
    """A session that is live, whose page will not try again by itself once it is lost."""
    async with (
        scripted_server(page_access()) as server,
        visit(
            server.url,
            before_load=KEEP_CHANNELS + ENDLESS_BACK_OFF,
            expected_errors=[FAILED_REQUEST],
        ) as seen,
    ):
        page = seen.page
        await start(page)
        await server.calls.channel.get()
        await page.evaluate("window.waits = 0")
        yield server, page


async def test_a_network_that_is_back_is_tried_at_once() -> None:
    """The back-off never ends: only the news brings the session back."""
    async with with_an_endless_back_off() as (server, page):
        await page.context.set_offline(True)
        await page.evaluate("channels.at(-1).close()")
        await page.wait_for_function("() => waits === 1")
        await page.wait_for_selector("[data-phase=interrupted]")
        await page.context.set_offline(False)
        await server.calls.channel.get()
        await page.wait_for_selector(LIVE)


async def test_a_person_who_is_back_need_not_wait() -> None:
    async with with_an_endless_back_off() as (server, page):
        server.calls.refuse = AdmissionRefused("All 50 places are taken.", RETRY_AFTER_S)
        await page.evaluate("channels.at(-1).close()")
        await page.wait_for_function("() => waits === 1")
        server.calls.refuse = None
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await server.calls.channel.get()
        await page.wait_for_selector(LIVE)


@pytest.mark.parametrize("transport", ["webrtc", "websocket"])
@pytest.mark.parametrize(
    ("secret", "sentence"),
    [
        ("expired", "The client secret has expired."),
        ("revoked", "The key or client secret is wrong or no longer valid."),
    ],
)
async def test_a_secret_that_opens_nothing_is_explained(
    secret: str, sentence: str, transport: str
) -> None:
    with clock_ahead() as ahead:
        async with (
            scripted_server(page_access()) as server,
            visit(
                f"{server.url}?transport={transport}",
                expected_errors=[FAILED_REQUEST, "WebSocket connection to"],
            ) as seen,
        ):
            page = seen.page
            await page.wait_for_selector("#toggle:enabled")
            ask = (
                "async () => (await (await fetch('page/secret', { method: 'POST' })).json()).value"
            )
            value = await page.evaluate(ask) if secret == "expired" else "ek_page.e30.AAAA"
            ahead[0] = 3600
            await page.route(
                "**/page/secret", lambda route: route.fulfill(json={"value": value}), times=1
            )
            await page.click("#toggle")
            await expect_problem(page, "This server asks for a key", sentence)
            assert not server.calls.requests
