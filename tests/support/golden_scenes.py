"""Scenes of the golden files: what clients ask, right and wrong, in one order for ever.

``python -m tests.support.golden_scenes`` writes the files anew. Do so only when clients are meant
to see the difference.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from rtc_server.engines.base import AstResult, AstStatus, NearPhrase
from rtc_server.errors import EngineCrashed, EngineError
from rtc_server.transport.transport_api import CloseReason
from tests.support.fakes import FakeAst, joined, ok, silence, tone
from tests.support.golden_messages import CLIENT_EVENTS, EVERYTHING, OFFERS, SESSIONS, secret_bodies
from tests.support.golden_record import FOLDER, Record
from tests.support.golden_server import KEY, GoldenServer, golden_server
from tests.support.golden_sockets import plain_socket, translations_socket
from tests.support.offers import AUDIO, CHROME, RESTART, SENDONLY, TRICKLE, offer
from tests.support.session_bench import speak
from tests.support.virtual_time import VirtualTimeLoop

CALLS = "/v1/realtime/translations/calls"
SECRETS = "/v1/realtime/translations/client_secrets"
SDP = "application/sdp"
FRAGMENT = "application/trickle-ice-sdpfrag"
LISTENS = offer(AUDIO.replace("a=sendrecv", "a=recvonly"))
SPEAKS = offer(SENDONLY)
SENTENCE = joined([tone(1), silence(2)])
BEARER = {"Authorization": f"Bearer {KEY}"}
AST_ANSWERS: list[AstResult | EngineError] = [
    ok("где вокзал", "Where is the station?"),
    AstResult(
        AstStatus.NOT_UNDERSTOOD, hints=(NearPhrase("Где вокзал?", "Where is the station?"),)
    ),
    EngineCrashed("The engine has crashed."),
    ok("спасибо", "Thank you."),
]


async def asked_wrongly(record: Record) -> None:
    """Calls that are refused, one fault each."""
    async with golden_server(record) as server:
        for name, body in OFFERS.items():
            await server.ask(f"POST {CALLS}", body, show=name, Content_Type=SDP)
        for query in ("source=xx", "target=de&source=ru", f"model={'m' * 129}", "source=%00"):
            await server.ask(f"POST {CALLS}?{query}", CHROME, show="offer", Content_Type=SDP)
        for session in SESSIONS:
            body = json.dumps({"sdp": CHROME, "session": session})
            await server.ask(
                f"POST {CALLS}", body, show={"session": session}, Content_Type="application/json"
            )
        for text in ("{", "[]", "{}", '{"sdp":7}', '{"sdp":" "}', '{"sdp":"\\ud800v=0"}'):
            await server.ask(f"POST {CALLS}", text, Content_Type="application/json")
        await server.ask(f"POST {CALLS}", b'\xff{"', Content_Type="application/json")
        await server.ask(f"POST {CALLS}", "text", Content_Type="text/plain")
        form = "multipart/form-data; boundary=b"
        part = '--b\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n'
        for fields in (
            {"session": "{}"},
            {"sdp": "v=0", "session": "{"},
            {"sdp": "v=0", "session": "7"},
            {"sdp": "v=0", "session": "x" * 17_000},
        ):
            body = "".join(part % field for field in fields.items()) + "--b--\r\n"
            await server.ask(f"POST {CALLS}", body, show=str(fields)[:60], Content_Type=form)
        await server.ask(f"POST {CALLS}", part % ("sdp", "v=0"), Content_Type=form)
        twice = part % ("sdp", "v=0") + part % ("sdp", "v=0") + "--b--\r\n"
        await server.ask(f"POST {CALLS}", twice, Content_Type=form)
        await server.ask(f"POST {CALLS}", "x", Content_Type="multipart/form-data")
        for asked in (
            *(f"GET {CALLS}", "GET /nothing", f"DELETE {CALLS}/none", f"PATCH {CALLS}/none"),
            *(f"GET {CALLS}/none/transcript", f"POST {CALLS}/none/resume", "GET /ws/audio"),
            *("GET /ws/audio?source=xx", "GET /ws/audio?resume=none", "GET /v1/phrases"),
            *("GET /v1/realtime/translations", "POST /page/secret", "GET /v1/rooms/hall"),
        ):
            await server.ask(asked)
        server.readiness.ready = False
        await server.ask(f"POST {CALLS}", CHROME, show="offer", Content_Type=SDP)
        await server.ask("GET /readyz")


async def a_call(record: Record) -> None:
    """Record one session over WebRTC, from its offer to its transcript."""
    ast = FakeAst(list(AST_ANSWERS), partial="где находится вокзал")
    async with golden_server(record, ast=ast) as server:
        body = json.dumps({"sdp": CHROME, "session": EVERYTHING})
        _, _, headers = await server.ask(
            f"POST {CALLS}?source=ru", body, show=EVERYTHING, Content_Type="application/json"
        )
        call = headers["Location"]
        server.said()
        server.transports[0].observer.on_connected()
        for number in range(len(AST_ANSWERS)):
            await speak(server.transports[0], SENTENCE, start=number * len(SENTENCE))
            server.said()
        await _patches(server, call, headers["ETag"])
        for form in ("txt", "srt", "vtt", "json", "doc"):
            await server.ask(f"GET {call}/transcript?format={form}")
        for side in ("source", "target", "none"):
            await server.ask(f"GET {call}/transcript?side={side}")
        for seen in ("last_seq=x", "last_event_id=event_", "last_event_id=7"):
            await server.ask(f"POST {call}/resume?{seen}", CHROME, show="offer", Content_Type=SDP)
        await server.transports[0].close(CloseReason.PEER_LOST)
        server.said(0)
        seen = f"last_event_id={server.events_of(0)[-4]['event_id']}"
        await server.ask(f"POST {call}/resume?{seen}", CHROME, show="offer", Content_Type=SDP)
        server.said()
        await server.ask(f"DELETE {call}?drain=2")
        await server.ask(f"DELETE {call}?drain=1")
        server.said()
        await server.ask(f"DELETE {call}")
        await server.ask(f"GET {call}/transcript?side=target")


async def _patches(server: GoldenServer, call: str, etag: str) -> None:
    good = {"Content_Type": FRAGMENT}
    await server.ask(f"PATCH {call}", TRICKLE, show="fragment", **good)
    await server.ask(f"PATCH {call}", TRICKLE, show="fragment", If_Match="*", **good)
    server.record.note(If_Match="the answer's ETag")
    async with server.http.patch(
        call, data=TRICKLE, headers={"Content-Type": FRAGMENT, "If-Match": etag}
    ) as answer:
        server.record.note(status=answer.status)
    for wrong in ('"other"', 'W/"a"', '"a", "b"', "x"):
        await server.ask(f"PATCH {call}", TRICKLE, show="fragment", If_Match=wrong, **good)
    await server.ask(f"PATCH {call}", RESTART, show="an ICE restart", **good)
    await server.ask(f"PATCH {call}", "junk", **good)
    await server.ask(f"PATCH {call}", b"\xff", **good)
    await server.ask(f"PATCH {call}", "x" * 17_000, show="17,000 characters", **good)
    await server.ask(f"PATCH {call}", TRICKLE, show="fragment", Content_Type=SDP)


async def client_events(record: Record) -> None:
    """Record every client event over a data channel, valid and invalid."""
    async with golden_server(record) as server:
        await server.ask(f"POST {CALLS}", CHROME, show="offer", Content_Type=SDP)
        server.said()
        server.transports[0].observer.on_connected()
        for text in CLIENT_EVENTS:
            server.say(text)
        server.transports[0].observer.on_bad_message("Binary messages are not understood.")
        await asyncio.sleep(1)
        server.said()
        server.say('{"type":"session.update","session":{"x_events":["segment","playout"]}}')
        server.say('{"type":"x.say","text":"Где вокзал?"}')
        await asyncio.sleep(0.5)
        server.said()
        server.say('{"type":"x.output.clear"}')
        server.say('{"type":"session.close","event_id":"bye"}')
        await asyncio.sleep(3)
        server.said()


async def secrets(record: Record) -> None:
    """Keys, client secrets, and what each may not."""
    async with golden_server(record, keys=True) as server:
        json_type = {"Content_Type": "application/json"}
        await server.ask(f"POST {SECRETS}", "{}", **json_type)
        await server.ask(f"POST {SECRETS}", "{}", Authorization="Bearer wrong", **json_type)
        for text in secret_bodies():
            await server.ask(f"POST {SECRETS}", text, **json_type, **BEARER)
        await server.ask(f"POST {SECRETS}", "{}", Content_Type="text/plain", **BEARER)
        await server.ask(
            f"POST {SECRETS}", '{"a":"' + "x" * 17_000, show="17 kB", **json_type, **BEARER
        )
        for origin in ("http://localhost:8000", "http://other.example"):
            await server.ask("POST /page/secret", Origin=origin)
        await server.ask("POST /page/secret")
        named = {"session": {"audio": {"output": {"language": "ru"}}, "x": {"voice": "c"}}}
        async with server.http.post(SECRETS, json=named, headers=BEARER) as answer:
            secret = {"Authorization": f"Bearer {(await answer.json())['value']}"}
        await server.ask(f"POST {SECRETS}", "{}", **json_type, **secret)
        await server.ask(
            f"POST {CALLS}?target=en", CHROME, show="offer", Content_Type=SDP, **secret
        )
        server.said()
        room = {"x": {"room": {"name": "hall", "role": "listener"}}}
        async with server.http.post(SECRETS, json=room, headers=BEARER) as answer:
            ticket = {"Authorization": f"Bearer {(await answer.json())['value']}"}
        await server.ask("POST /whip/hall", SPEAKS, show="offer", Content_Type=SDP, **ticket)
        await server.ask("GET /v1/rooms/other", **ticket)
        await server.ask("GET /v1/rooms/hall", **ticket)


async def catalogue(record: Record) -> None:
    """Record engines, languages, phrases and health."""
    async with golden_server(record) as server:
        for path in ("engines", "languages", "phrases?language=ru-RU", "phrases?language=xx"):
            _, _, headers = await server.ask(f"GET /v1/{path}")
            async with server.http.get(
                f"/v1/{path}", headers={"If-None-Match": headers["ETag"]}
            ) as same:
                server.record.note(again=same.status)
        for asked in ("GET /healthz", "GET /readyz", "HEAD /healthz", "PUT /healthz"):
            await server.ask(asked)
        server.catalogue.ast = None
        await server.ask("GET /v1/languages")
        server.catalogue.engine_set = ""
        await server.ask("GET /v1/engines")


async def rooms(record: Record) -> None:
    """A room: its speaker by WHIP, a listener by WHEP, readers of its captions."""
    async with golden_server(record, ast=FakeAst([ok("привет", "Hello.")])) as server:
        sdp = {"Content_Type": SDP}
        await server.ask("POST /whep/hall?language=en", LISTENS, show="offer", **sdp)
        for asked in ("OPTIONS /whip/hall", "GET /whip/hall", "POST /whip/a%20b"):
            await server.ask(asked)
        await server.ask("POST /whip/hall", LISTENS, show="an offer that only listens", **sdp)
        await server.ask("POST /whip/hall?source=xx", SPEAKS, show="offer", **sdp)
        await server.ask("POST /whip/hall", SPEAKS, show="offer", Content_Type="text/plain")
        _, _, said = await server.ask("POST /whip/hall?source=ru", SPEAKS, show="offer", **sdp)
        await server.ask("POST /whip/hall", SPEAKS, show="another speaker", **sdp)
        for query in ("", "?language=xx", "?language=en"):
            _, _, heard = await server.ask(f"POST /whep/hall{query}", LISTENS, show="offer", **sdp)
        for transport in server.transports:
            transport.observer.on_connected()
        for text in ('{"type":"x.ping","event_id":"p"}', '{"type":"session.close"}', "{"):
            server.say(text)
        for where in (said["Location"], heard["Location"]):
            await server.ask(f"OPTIONS {where}")
            await server.ask(f"GET {where}")
            fragment = {"Content_Type": FRAGMENT}
            for tag in ({}, {"If_Match": '"x"'}, {"If_Match": "*"}):
                await server.ask(f"PATCH {where}", TRICKLE, show="fragment", **tag, **fragment)
        await server.ask("GET /v1/rooms/hall")
        await server.ask("GET /v1/rooms/hall/captions?language=xx")
        async with server.http.get("/v1/rooms/hall/captions?language=en") as captions:
            await speak(server.transports[0], SENTENCE)
            data = b""
            while b'"final":true' not in data:
                data += await captions.content.readany()
            for line in filter(None, data.decode().splitlines()):
                server.record.server(line.removeprefix("data: "))
        server.said()
        await server.ask("GET /v1/rooms/hall")
        async with server.http.post("/v1/rooms/hall/link") as link:
            told = await link.json()
            server.record.note(link={**told, "qr_svg": told["qr_svg"][:4]})
        for where in (heard["Location"], said["Location"], said["Location"]):
            await server.ask(f"DELETE {where}")
        server.said()


Scene = Callable[[Record], Awaitable[None]]
SCENES: dict[str, Scene] = {
    scene.__name__: scene
    for scene in (
        *(asked_wrongly, a_call, client_events, secrets, catalogue, rooms),
        *(plain_socket, translations_socket),
    )
}


def golden_file(name: str) -> Path:
    """Return the file of a scene."""
    return FOLDER / f"{name}.jsonl"


def main() -> None:
    """Write every file, or those that are named."""
    for name in sys.argv[1:] or SCENES:
        scene = SCENES[name]
        record = Record()
        with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
            runner.run(scene(record))  # type: ignore[arg-type]
        golden_file(name).write_text(record.text(), "utf-8")


if __name__ == "__main__":
    main()
