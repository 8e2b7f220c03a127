"""The client library in a room, by itself: an application's own page for speakers and listeners."""

from typing import Any

from playwright.async_api import Page

from tests.support.browser.chromium import visit
from tests.support.rooms import server

NOT_FOUND = ["Failed to load resource"]
"""A blank page has no icon; a room where nobody speaks yet is not there."""
OPEN = """async () => {
  const { RoomClient } = await import(new URL("static/client.js", location));
  window.room = new RoomClient({ url: location.href, room: "hall" });
  const [track] = new AudioContext().createMediaStreamDestination().stream.getAudioTracks();
  window.track = track;
  window.until = async (condition) => {
    while (!(await condition())) await new Promise((wake) => setTimeout(wake, 50));
  };
  window.states = (call) => {
    const seen = [];
    call.addEventListener("state", ({ detail }) => seen.push([detail.state, detail.error?.code]));
    return seen;
  };
  return (await room.state().catch((error) => [error.code, error.status]));
}"""
SPEAK = """async () => {
  window.speaking = room.speak(track, { source: "en" });
  const seen = states(speaking);
  await until(() => speaking.state === "live");
  await until(async () => (await room.state()).live);
  return [seen, (await room.invite()).url];
}"""
LISTEN = """async () => {
  const call = room.listen("ru");
  const seen = states(call);
  const track = new Promise((resolve) =>
    call.addEventListener("track", ({ detail }) => resolve(detail.track.kind)));
  await until(() => call.state === "live");
  await until(async () => (await room.state()).listeners === 1);
  const kind = await track;
  call.stop();
  await until(async () => (await room.state()).listeners === 0);
  return [seen, kind, call.state];
}"""
RENEW = """async () => {
  const seen = states(speaking);
  speaking.renew();
  await until(() => seen.length === 2);
  speaking.stop();
  await until(() => room.state().then(({ live }) => !live, ({ status }) => status === 404));
  return [seen, speaking.state];
}"""
LATE = """async () => {
  const { RoomClient } = await import(new URL("static/client.js", location));
  const room = new RoomClient({ url: location.href, room: "nobody" });
  const call = room.listen("ru");
  const seen = states(call);
  await until(() => call.state === "closed");
  const unknown = await room.captions("ru").next().catch(({ status }) => status);
  return [seen.map(([state]) => state), unknown];
}"""


async def test_an_application_speaks_and_listens_in_a_room() -> None:
    async with (
        server() as house,
        visit(f"{house.url}/healthz", expected_errors=NOT_FOUND) as seen,
    ):
        page: Page = seen.page
        run: Any = page.evaluate
        assert await run(OPEN) == ["server_refused", 404]
        states, url = await run(SPEAK)
        assert states == [["live", None]]
        assert url == f"{house.url}/listen/hall"
        assert await run(LISTEN) == [[["live", None]], "audio", "closed"]
        states, state = await run(RENEW)
        assert states == [["reconnecting", "connection_lost"], ["live", None]]
        assert state == "closed"
        assert await run(LATE) == [["closed"], 404]
