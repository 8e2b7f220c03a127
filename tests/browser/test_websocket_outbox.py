"""Audio that the browser keeps for a network that is too slow for speech."""

from tests.support.browser.chromium import visit
from tests.support.browser.scripted_server import scripted_server

STALL_AND_GO_ON = """async () => {
  const { Outbox } = await import("/static/client/outbox.js");
  const sent = [];
  const given_back = [];
  const name = (message) => (typeof message === "string" ? message : new Int32Array(message)[0]);
  const socket = { bufferedAmount: 20000, send: (message) => sent.push(name(message)) };
  const outbox = new Outbox(socket, (chunk) => given_back.push(name(chunk)));
  for (let number = 0; number < 130; number++) {
    outbox.put(new Int32Array([number]).buffer);
    if (number === 10) outbox.put("an event");
  }
  const stalled = { sent: [...sent], dropped: outbox.dropped, given_back: [...given_back] };
  socket.bufferedAmount = 0;
  outbox.put("the last");
  const { dropped, isEmpty: empty } = outbox;
  return { stalled, sent, dropped, given_back: given_back.length, empty };
}"""


async def test_the_oldest_speech_is_dropped_and_no_event() -> None:
    async with scripted_server() as server, visit(server.url) as seen:
        found = await seen.page.evaluate(STALL_AND_GO_ON)
    assert found["stalled"] == {"sent": [], "dropped": 30, "given_back": list(range(30))}
    assert found["sent"] == ["an event", *range(30, 130), "the last"]
    assert found["given_back"] == 130
    assert found["dropped"] == 30
    assert found["empty"]
