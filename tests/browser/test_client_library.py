"""The client library as a package: its types, its tarball, its parts that need no browser."""

import asyncio
import json
import os
import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

from rtc_server import __version__

ROOT = Path(__file__).resolve().parents[2]
ELEMENT_PARTS = [
    ROOT / "static" / name
    for name in ("element-input.js", "element-words.js", "early-speech.js", "backlog.js")
]
TYPES = Path(__file__).parent / "types"
NODE_MODULES = "node_modules/rtc-server-client"
COMPILER = [
    "--strict",
    "--target",
    "es2022",
    "--module",
    "node16",
    "--moduleResolution",
    "node16",
    "--skipDefaultLibCheck",
]


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


async def output(*command: str | Path, cwd: Path) -> str:
    """Of a command that must succeed."""
    program = shutil.which(str(command[0]))
    assert program, f"{command[0]} is missing: apt-get install nodejs npm node-typescript"
    process = await asyncio.create_subprocess_exec(
        program,
        *map(str, command[1:]),
        cwd=cwd,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "NO_UPDATE_NOTIFIER": "1"},
    )
    out, errors = await process.communicate()
    assert process.returncode == 0, out.decode() + errors.decode()
    return out.decode()


async def in_node(cwd: Path, script: str) -> Any:
    """Return the output of a module script, as JSON."""
    return json.loads(await output("node", "--input-type=module", "--eval", script, cwd=cwd))


async def test_a_token_serves_all_the_time_in_line_until_it_expires_or_is_refused() -> None:
    kept, short, replaced, useless = await in_node(ROOT, KEPT_TOKEN)
    assert kept == ["token 1", "token 1", "token 1", "in"]
    assert short == ["token 1", "token 2", "token 3", "in"]
    assert replaced == ["token 1", "token 1", "token 2", "token 2", "in"]
    assert useless == ["token 1", "token 1", "token 2", 401], "another one does not help"


async def test_the_tarball_holds_the_library_and_nothing_else() -> None:
    [packed] = json.loads(await output("npm", "pack", "--dry-run", "--json", cwd=ROOT))
    files = {file["path"] for file in packed["files"]}
    library = {
        str(path.relative_to(ROOT))
        for folder in ("client", "worklets")
        for path in (ROOT / "static" / folder).rglob("*")
        if path.is_file()
    }
    library |= {str(part.relative_to(ROOT)) for part in ELEMENT_PARTS}
    tables = (ROOT / "static" / "strings").glob("*/element.js")
    library |= {str(path.relative_to(ROOT)) for path in tables}
    entries = ("static/client", "static/speech-translate")
    expected = {f"{entry}{suffix}" for entry in entries for suffix in (".js", ".d.ts")}
    assert files == library | expected | {"package.json", "README.md", "LICENSE"}


def test_the_package_has_the_servers_version_and_needs_no_other() -> None:
    package = json.loads((ROOT / "package.json").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert package["version"] == __version__
    assert package["license"] == project["license"]
    assert "dependencies" not in package


def test_the_library_imports_nothing_from_outside_the_package() -> None:
    static = ROOT / "static"
    for path in [static / "client.js", *(static / "client").glob("*.js")]:
        for name in re.findall(r"""(?:from|import)\s*\(?\s*["']([^"']+)["']""", path.read_text()):
            target = (path.parent / name).resolve()
            assert target.parent == static / "client", f"{path}: {name}"
            assert target.is_file() or target.suffix == ".js", f"{path}: {name}"


def test_the_element_imports_nothing_from_outside_the_package() -> None:
    static = ROOT / "static"
    parts = set(ELEMENT_PARTS)
    packed = {static / "client.js", *parts}
    packed.update((static / "client").glob("*.js"), static.glob("strings/*/element.js"))
    for path in (static / "speech-translate.js", *parts):
        code = path.read_text("utf-8")
        names = re.findall(r"""(?:from|import)\s*\(?\s*["'`]([^"'`]+)["'`]""", code)
        assert {(static / name).resolve() for name in names} <= packed, path


def test_no_page_has_a_client_of_its_own() -> None:
    """But the page for tests, which must work where the others do not."""
    makes = re.compile(r"new (?:RTCPeerConnection|WebSocket)\(")
    static = ROOT / "static"
    found = {
        path.relative_to(static).as_posix()
        for path in static.rglob("*.js")
        if makes.search(path.read_text("utf-8"))
    }
    library = {"client/room-call.js", "client/webrtc.js", "client/websocket.js"}
    assert found == library | {"doctor.js"}


async def test_it_can_be_imported_where_there_is_no_browser(tmp_path: Path) -> None:
    install(tmp_path)
    script = """
      import * as library from "rtc-server-client";
      const client = new library.TranslationClient({ url: "https://interpreter.example/" });
      const refused = await client.start({}, { source: "ru", target: "en" }).catch((e) => e.code);
      console.log(JSON.stringify([Object.keys(library), client.state, typeof refused]));
    """
    names, state, refused = await in_node(tmp_path, script)
    assert names == [
        "ClientError", "RoomCall", "RoomClient", "TranslationClient", "attachTranslation"
    ]  # fmt: skip
    assert (state, refused) == ("closed", "string")


async def test_a_token_is_asked_for_once_and_again_only_once_it_was_refused() -> None:
    """However many requests wait for it, or find it refused, at the same time."""
    assert await in_node(ROOT, TOKENS) == [
        [200, 200, 200], [None],
        [200, 200, 200], [None, "first"],
        "unauthorized", [None, "first", "second"],
    ]  # fmt: skip


async def test_who_leaves_server_events_early_leaves_no_answer_open() -> None:
    assert await in_node(ROOT, LEFT_EARLY) == [{"id": "1", "data": "{}"}]


async def test_the_types_say_what_an_application_may_do(tmp_path: Path) -> None:
    install(tmp_path)
    shutil.copy(TYPES / "usage.ts", tmp_path)
    await output("tsc", *COMPILER, "--noEmit", "usage.ts", cwd=tmp_path)


async def test_the_types_are_those_of_the_code(tmp_path: Path) -> None:
    install(tmp_path)
    code = tmp_path / "code"
    documented = shutil.ignore_patterns("*.d.ts")  # which would be read instead of the code
    shutil.copytree(ROOT / "static", code, ignore=documented)
    sources = [code / "client.js", code / "speech-translate.js"]
    made = ("--allowJs", "--declaration", "--emitDeclarationOnly", "--outDir", tmp_path / "made")
    await output("tsc", *COMPILER, *made, *sources, cwd=tmp_path)
    shutil.copy(TYPES / "agreement.ts", tmp_path)
    await output("tsc", *COMPILER, "--noEmit", "agreement.ts", cwd=tmp_path)


def install(folder: Path) -> None:
    """Put into the folder what `npm install` would."""
    package = folder / NODE_MODULES
    shutil.copytree(ROOT / "static", package / "static")
    shutil.copy(ROOT / "package.json", package)
    (folder / "package.json").write_text('{"type": "module"}')


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
