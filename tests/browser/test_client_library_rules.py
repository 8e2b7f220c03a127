"""Rules of the client library that need no browser: tokens, ICE servers, refusals, waits."""

import json
from pathlib import Path

from tests.support.node import in_node

ROOT = Path(__file__).resolve().parents[2]
TOKENS = """
  import { createServer } from "node:http";
  import { Api } from "./static/client/api.js";
  let good = "first";
  const server = createServer(({ headers }, answer) => {
    answer.statusCode = headers.authorization === `Bearer ${good}` ? 200 : 401;
    answer.end("{}");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const asked = [];
  const tokens = ["first", "second", "second"];
  const source = async (refused) => {
    asked.push(refused ?? null);
    return tokens[asked.length - 1];
  };
  const api = new Api(`http://127.0.0.1:${server.address().port}/`, source);
  const three = async () => {
    const all = await Promise.allSettled(["a", "b", "c"].map((path) => api.request(path)));
    return all.map(({ value, reason }) => value?.status ?? reason.status);
  };
  const seen = [await three(), [...asked]];
  good = "second";
  seen.push(await three(), [...asked]);
  good = "a third";
  seen.push(await api.request("a").catch(({ code }) => code), asked);
  console.log(JSON.stringify(seen));
  server.closeAllConnections();
  server.close();
"""
LEFT_EARLY = """
  import { serverEvents } from "./static/client/server-events.js";
  const body = (cancel) => new ReadableStream({
    start: (stream) => stream.enqueue(new TextEncoder().encode("id: 1\\ndata: {}\\n\\n")),
    cancel,
  });
  const seen = [];
  await new Promise(async (cancelled) => {
    for await (const event of serverEvents(body(cancelled))) {
      seen.push(event);
      break;
    }
  });
  console.log(JSON.stringify(seen));
"""
KEPT_TOKEN = """
  import { ClientError } from "./static/client/errors.js";
  import { Turn } from "./static/client/turn.js";
  const refused = (status, queue) =>
    Object.assign(new ClientError("", "", status, 1), { queue: queue ?? null });
  const wait = refused(503, { ticket: "t", position: 1 });
  globalThis.setTimeout = (act) => queueMicrotask(act); // each wait is over at once
  const used = async (answers, lifetimeS) => {
    const tokens = [];
    const turn = new Turn(true);
    let given = 0;
    const expires_at = Date.now() / 1000 + lifetimeS;
    const token = turn.keep(() => ({ value: `token ${++given}`, expires_at }));
    const client = Object.assign(new EventTarget(), { state: "connecting" });
    const connect = async () => {
      tokens.push((await token()).value);
      const answer = answers.shift();
      if (answer) throw answer;
    };
    tokens.push((await turn.take(connect, client).catch(({ status }) => status)) ?? "in");
    return tokens;
  };
  const no = refused(401);
  const seen = [await used([wait, wait], 600), await used([wait, wait], 10)];
  seen.push(await used([wait, no, wait], 600), await used([wait, no, no], 600));
  console.log(JSON.stringify(seen));
"""


async def test_a_token_serves_all_the_time_in_line_until_it_expires_or_is_refused() -> None:
    kept, short, replaced, useless = await in_node(ROOT, KEPT_TOKEN)
    assert kept == ["token 1", "token 1", "token 1", "in"]
    assert short == ["token 1", "token 2", "token 3", "in"]
    assert replaced == ["token 1", "token 1", "token 2", "token 2", "in"]
    assert useless == ["token 1", "token 1", "token 2", 401], "another one does not help"


async def test_a_token_is_asked_for_once_and_again_only_once_it_was_refused() -> None:
    """However many requests wait for it, or find it refused, at the same time."""
    assert await in_node(ROOT, TOKENS) == [
        [200, 200, 200], [None],
        [200, 200, 200], [None, "first"],
        "unauthorized", [None, "first", "second"],
    ]  # fmt: skip


async def test_who_leaves_server_events_early_leaves_no_answer_open() -> None:
    assert await in_node(ROOT, LEFT_EARLY) == [{"id": "1", "data": "{}"}]


async def test_ice_servers_are_read_from_link_headers() -> None:
    header = ", ".join(
        [
            '<stun:stun.example:3478>; rel="ice-server"',
            '</other>; rel="next"; title="a, b; c"',
            '<turn:turn.example:3478?transport=udp>; rel="ice-server"; '
            'username="1790003600:sess_a,b"; credential="q\\"w\\\\e="; credential-type="password"',
            "<turns:turn.example:5349>; rel=ice-server; username=u; credential=c",
        ]
    )
    servers = await in_node(
        ROOT / "static",
        f"""import {{ iceServersOf }} from "./client/ice.js";
        console.log(JSON.stringify([iceServersOf({json.dumps(header)}), iceServersOf("")]));""",
    )
    assert servers == [
        [
            {"urls": ["stun:stun.example:3478"]},
            {
                "urls": ["turn:turn.example:3478?transport=udp"],
                "username": "1790003600:sess_a,b",
                "credential": 'q"w\\e=',
            },
            {"urls": ["turns:turn.example:5349"], "username": "u", "credential": "c"},
        ],
        [],
    ]


async def test_a_refusal_says_when_to_come_back() -> None:
    script = """import { ClientError } from "./client/errors.js";
      const refusal = (headers) => new Response("{}", { status: 503, headers });
      const waits = [{ "Retry-After": "7" }, { "Retry-After": "soon" }, {}].map(async (headers) => {
        const error = await ClientError.fromResponse(refusal(headers));
        return [error.code, error.retryable, error.retryAfterMs];
      });
      console.log(JSON.stringify(await Promise.all(waits)));"""
    busy = ["server_busy", True]
    assert await in_node(ROOT / "static", script) == [[*busy, 7000], [*busy, 0], [*busy, 0]]


async def test_trying_again_backs_off_with_jitter_and_ends() -> None:
    script = """import { Backoff } from "./client/backoff.js";
      const run = (random) => {
        const [waits, backoff] = [[], new Backoff(1000, 60_000, () => random)];
        let now = 1000;
        for (let wait; (wait = backoff.next(now)) !== null; now += wait) waits.push(wait);
        return [waits, now];
      };
      const asked = new Backoff(0, 60_000, () => 0);
      const told = [asked.next(0, 7000), asked.next(7250, 7000), asked.next(59_000, 7000)];
      console.log(JSON.stringify([run(0), run(1), told]));"""
    (eager, end), (patient, same_end), told = await in_node(ROOT / "static", script)
    assert told == [7250, 7500, 1000], "no sooner than asked, and not beyond its patience"
    assert end == same_end == 61_000
    assert eager[:6] == [250, 500, 1000, 2000, 4000, 4000]
    assert patient[:6] == [500, 1000, 2000, 4000, 8000, 8000]
