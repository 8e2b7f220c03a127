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

CONFIGURED = """async ([first, second]) => {
  const { RoomClient } = await import(new URL("static/client.js", location));
  const policies = [];
  const Peer = RTCPeerConnection;
  window.RTCPeerConnection = class extends Peer {
    constructor(configuration) {
      super(configuration);
      policies.push([configuration.iceTransportPolicy, configuration.iceServers.length]);
      if (configuration.iceTransportPolicy === "relay") call.stop(); // it was about this alone
    }
  };
  const token = async (refused) => (refused === undefined ? first : second);
  const call = new RoomClient({ url: location.href, room: "hall", token }).listen("ru");
  await until(() => call.state === "closed");
  window.RTCPeerConnection = Peer;
  return policies;
}"""
HOPELESS = """async () => {
  const { RoomClient } = await import(new URL("static/client.js", location));
  const closed = async (call) => {
    const seen = states(call);
    await until(() => call.state === "closed");
    return seen;
  };
  const nowhere = new RoomClient({ url: location.href, room: "gone" });
  const gone = await closed(nowhere.listen("ru"));
  delete window.RTCPeerConnection;
  return [gone, await closed(room.speak(track, { source: "en" }))];
}"""
RELAYED = {
    "value": "ek_relayed",
    "x": {"ice_servers": [{"urls": "stun:127.0.0.1:9"}], "ice_transport_policy": "relay"},
}
KEY = "a key that somebody chose"


async def test_no_peer_is_opened_before_its_token_named_servers_and_policy() -> None:
    async with (
        server(api_key=KEY) as running_server,
        visit(f"{running_server.url}/healthz", expected_errors=NOT_FOUND) as seen,
    ):
        await seen.page.evaluate(OPEN)
        run: Any = seen.page.evaluate
        assert await run(CONFIGURED, [RELAYED, RELAYED]) == [["relay", 1]]
        assert await run(CONFIGURED, ["ek_refused", RELAYED]) == [["all", 0], ["relay", 1]]


async def test_a_call_says_that_the_server_is_gone_or_webrtc_missing() -> None:
    """A speaker without WebRTC does not try again."""
    async with (
        server() as running_server,
        visit(f"{running_server.url}/healthz", expected_errors=NOT_FOUND) as seen,
    ):
        await seen.page.route("**/whep/gone?*", lambda route: route.abort("connectionrefused"))
        await seen.page.evaluate(OPEN)
        gone, missing = await seen.page.evaluate(HOPELESS)
        assert gone == [["closed", "server_gone"]]
        assert missing == [["closed", "webrtc_missing"]]


async def test_an_application_speaks_and_listens_in_a_room() -> None:
    async with (
        server() as running_server,
        visit(f"{running_server.url}/healthz", expected_errors=NOT_FOUND) as seen,
    ):
        page: Page = seen.page
        run: Any = page.evaluate
        assert await run(OPEN) == ["server_refused", 404]
        states, url = await run(SPEAK)
        assert states == [["live", None]]
        assert url == f"{running_server.url}/listen/hall"
        assert await run(LISTEN) == [[["live", None]], "audio", "closed"]
        states, state = await run(RENEW)
        assert states == [["reconnecting", "connection_lost"], ["live", None]]
        assert state == "closed"
        assert await run(LATE) == [["closed"], 404]
