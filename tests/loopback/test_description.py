"""The description of the API and the running server: neither may say what the other does not."""

import asyncio
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import aiohttp
import jsonschema
import pytest
import yaml
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from rtc_server.app.server import mountable, running
from rtc_server.config import HttpSettings, Settings
from rtc_server.events.client import parse_client_event
from rtc_server.events.server import ServerEvent
from rtc_server.pcm import PLAYOUT_RATE, SPEECH_RATE
from rtc_server.resample import Resampler
from tests.support.patient import QUICK
from tests.support.rtc_client import RtcClient
from tests.support.signals import english

ROOT = Path(__file__).parents[2]
OPENAPI = yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text())
EVENTS = json.loads((ROOT / "docs" / "events.schema.json").read_text())
PAGES = re.compile(r"/|/static/.*|/page|/listen/.*|/rooms/.*|/doctor")
"""Paths for people, not for programs."""
OPTIONAL = {
    *(("x.segment", name) for name in ("hints", "message", "code")),
    ("x.playout", "skipped"),
}
"""Fields that are left out when empty."""


def part(name: str) -> dict[str, Any]:
    """Return one definition of the events' schema that is complete by itself."""
    return {"$ref": f"#/$defs/{name}", "$defs": EVENTS["$defs"]}


def described() -> Iterator[tuple[str, str]]:
    for path, item in OPENAPI["paths"].items():
        for method in item.keys() - {"parameters"}:
            yield method.upper(), path


def served(app: web.Application) -> Iterator[tuple[str, str]]:
    for route in app.router.routes():
        path = route.resource.canonical if route.resource else ""
        if route.method not in ("HEAD", "OPTIONS") and not PAGES.fullmatch(path):
            yield route.method, path


def test_every_route_is_described_and_every_description_has_its_route() -> None:
    assert set(described()) == set(served(mountable(Settings(engines=QUICK))))


def test_every_server_event_is_described_field_by_field() -> None:
    ours = {
        str(kind.__struct_config__.tag): set(kind.__struct_fields__)
        for kind in get_args(ServerEvent)
    }
    for name, there in ours.items():
        schema = EVENTS["$defs"][f"server.{name}"]
        assert set(schema["properties"]) - {"type", "event_id", "seq"} == there, name
        required = {field for field in there if (name, field) not in OPTIONAL}
        assert set(schema["required"]) - {"type", "event_id", "seq"} == required, name
    listed = {
        ref["$ref"].rpartition("server.")[2] for ref in EVENTS["$defs"]["server_event"]["oneOf"]
    }
    assert listed == {*ours, "session.output_audio.delta"}


words = st.none() | st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=10)
junk = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)


def some(**of: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """An object with some of these, and mostly right values; or null, or something else."""
    each = {key: value | value | value | junk for key, value in of.items()}
    whole = st.fixed_dictionaries({}, optional=each)
    return st.one_of(whole, whole, whole, junk)


groups = st.lists(st.sampled_from(["segment", "playout", "vad", "metrics"]) | words, max_size=3)
vad = some(
    mode=st.sampled_from(["auto", "off"]), hangover_ms=st.integers(99, 3001) | st.floats(100, 3000)
)
flat = {
    **dict.fromkeys(("source_language", "target_language", "voice", "engine"), words),
    "vad": vad,
    "mode": st.none() | st.sampled_from(("fast", "consecutive")),
    "x_events": groups,
}
sessions = some(
    audio=some(
        input=some(
            transcription=some(model=words, language=words), noise_reduction=some(type=words)
        ),
        output=some(language=words),
    ),
    x_events=groups,
    x=some(**flat),
)
TYPES = [name.removeprefix("client.") for name in EVENTS["$defs"] if name.startswith("client.")]


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.unmeasured
def test_a_client_event_that_fits_the_schema_is_understood(kind: str) -> None:
    validator = jsonschema.Draft202012Validator(part("client_event"))
    own = {"session.update": {"session": sessions}, "x.say": {"text": st.text(min_size=1)}}
    must = {"type": st.just(kind)} | own.get(kind, {})
    may = {"event_id": st.text(), "tail_ms": st.none() | st.integers(-1, 1001), **flat}
    fitted = 0

    @given(st.fixed_dictionaries(must, optional=may))
    def check(event: dict[str, Any]) -> None:
        nonlocal fitted
        if validator.is_valid(event):
            fitted += 1
            parse_client_event(json.dumps(event))

    check()
    assert fitted


async def test_all_that_a_session_says_fits_the_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(EVENTS)
    validator = jsonschema.Draft202012Validator(part("server_event"))
    kinds = set()
    async with running(Settings(http=HttpSettings(port=0), engines=QUICK)) as running_server:
        audio = Resampler(SPEECH_RATE, PLAYOUT_RATE).push(english("yes"))
        calls = f"{running_server.url}/v1/realtime/translations/calls?source=en&target=ru"
        session = {
            "x_events": ["segment", "playout", "vad", "metrics"],
            "audio": {"input": {"transcription": {"model": "any"}}},
        }
        async with RtcClient(calls, audio=audio, session=session) as client:
            client.send({"type": "session.update", "session": session})
            client.send({"type": "x.ping", "event_id": "mine"})
            client.send({"type": "nonsense"})
            await client.until(lambda: any(e.get("state") == "finished" for e in client.events))
            await client.event("x.metrics")
            client.send({"type": "session.close"})
            await client.event("session.closed")
        events = list(client.events)
        url = f"{running_server.url}/ws/audio?source=en&target=ru"
        async with aiohttp.ClientSession() as http, http.ws_connect(url) as socket:
            await socket.send_bytes(bytes(SPEECH_RATE))
            await socket.send_json({"type": "start", "vad": False})
            events += [await socket.receive_json(timeout=30) for _ in range(3)]
    for event in events:
        validator.validate(event)
        kinds.add(event["type"])
    unseen = {"x.warning", "x.expiring", "session.output_audio.delta"}
    every = {
        ref["$ref"].rpartition("server.")[2] for ref in EVENTS["$defs"]["server_event"]["oneOf"]
    }
    assert kinds - {"x.warning"} == every - unseen  # which may warn of a busy machine's engines


KEY = "k" * 32


@pytest.mark.parametrize(
    ("key", "examples"),
    [
        pytest.param("", 40, id="no key", marks=pytest.mark.slow),
        pytest.param(KEY, 40, id="key", marks=pytest.mark.slow),
        pytest.param(KEY, 10, id="key, few examples"),
    ],
)
async def test_schemathesis_finds_no_difference(key: str, examples: int, tmp_path: Path) -> None:
    wanted = Settings(http=HttpSettings(port=0, api_key=key), engines=QUICK)
    async with running(wanted) as running_server:
        tests = Path(__file__).parent
        environment = {
            **os.environ,
            "SCHEMATHESIS_HOOKS": "tests.loopback.schemathesis_hooks",
            "PYTHONPATH": str(ROOT),
        }
        process = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("schemathesis"),
            *("--config-file", tests / "schemathesis.toml"),
            *("run", f"{running_server.url}/v1/openapi.yaml", "--url", running_server.url),
            *("--checks", "all", "--exclude-checks", "positive_data_acceptance"),
            *("--max-examples", str(examples), "--seed", "1"),
            *("--generation-database", "none"),
            *(("-H", f"Authorization: Bearer {key}") if key else ()),
            env=environment,
            cwd=tmp_path,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            output, _ = await process.communicate()
        finally:
            if process.returncode is None:  # it took too long, and must not fail the next test, too
                process.kill()
                await process.communicate()
        assert process.returncode == 0, output.decode()[-5000:]
        assert running_server.manager.sessions == 0
