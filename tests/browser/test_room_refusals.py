"""Speakers and listeners of a room who are refused, put off or cut off."""

from playwright.async_api import Route, expect

from tests.support.browser.chromium import visit
from tests.support.browser.room_pages import SILENT_YET
from tests.support.rooms import server, speaker


async def test_a_speaker_who_is_refused_reads_why() -> None:
    problem = {"detail": "This room is full of speakers."}
    async with (
        server() as house,
        visit(f"{house.url}/rooms/hall", expected_errors=SILENT_YET) as seen,
    ):
        await seen.page.route(
            "**/whip/hall?*", lambda route: route.fulfill(status=409, json=problem)
        )
        await seen.page.click("#toggle")
        await expect(seen.page.locator("#status")).to_have_text(problem["detail"])
        await expect(seen.page.locator("#toggle")).to_have_text("Speak")


async def test_a_listener_of_a_full_room_comes_back_when_the_server_asked_for_it() -> None:
    attempts: list[str] = []

    async def full(route: Route) -> None:
        attempts.append(route.request.url)
        problem = {"detail": "All places are taken.", "error": {"code": "session_limit_reached"}}
        await route.fulfill(status=503, json=problem, headers={"Retry-After": "60"})

    async with (
        server() as house,
        speaker(house),
        visit(f"{house.url}/listen/hall", expected_errors=SILENT_YET) as seen,
    ):
        await seen.page.route("**/whep/hall?*", full)
        await seen.page.clock.install()
        await seen.page.reload()  # so that every timer of the page is the clock's
        await seen.page.click("#toggle:enabled")
        await expect(seen.page.locator("body")).to_have_attribute("data-state", "full")
        for _ in range(10):
            await seen.page.clock.run_for(5_000)
        assert len(attempts) == 1
        async with seen.page.expect_response("**/whep/hall?*"):
            for _ in range(10):
                await seen.page.clock.run_for(5_000)


async def test_a_speaker_comes_back_and_takes_the_ice_servers_of_the_answer() -> None:
    configurations = """
      const Peer = RTCPeerConnection;
      window.seen = [];
      window.RTCPeerConnection = class extends Peer {
        constructor(configuration) {
          super(configuration);
          window.seen.push(configuration.iceServers.length);
        }
      };
    """
    attempts: list[str] = []

    async def unsteady(route: Route) -> None:
        attempts.append(route.request.url)
        if len(attempts) == 1:
            return await route.abort()
        answer = await route.fetch()
        link = '<turn:127.0.0.1:9>; rel="ice-server"; username="u"; credential="c"'
        return await route.fulfill(response=answer, headers={**answer.headers, "link": link})

    async with (
        server() as house,
        visit(
            f"{house.url}/rooms/hall", expected_errors=SILENT_YET, before_load=configurations
        ) as seen,
    ):
        await seen.page.route("**/whip/hall?*", unsteady)
        await seen.page.click("#toggle")
        await expect(seen.page.locator("#status")).to_have_text("You are heard.")
        assert await seen.page.evaluate("window.seen") == [0, 0, 1]
