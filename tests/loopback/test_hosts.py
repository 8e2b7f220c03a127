"""Two servers behind a balancer that sends all requests of a session to the same one."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from rtc_server.app.server import RunningServer, running
from rtc_server.config import HttpSettings, Settings
from tests.support.http_proxy import proxy
from tests.support.patient import PATIENT, TRANSPORT
from tests.support.ports import free_ports
from tests.support.rooms import say, told
from tests.support.rtc_client import RtcClient
from tests.support.server import CALLS, EVENTS, of, said

EXAMPLES = Path(__file__).parents[2] / "examples" / "proxy"
SENTENCE = "please call a taxi for tomorrow morning"


@asynccontextmanager
async def host() -> AsyncIterator[RunningServer]:
    settings = Settings(
        http=HttpSettings(port=0, trusted_proxies=("127.0.0.1",)),
        transport=TRANSPORT,
        engines=replace(PATIENT, ast="tests.support.server_engines:many"),
    )
    async with running(settings) as running_server:
        yield running_server


@asynccontextmanager
async def balanced(name: str, folder: Path, hosts: list[RunningServer]) -> AsyncIterator[str]:
    """Yield the balancer's URL."""
    example = {"nginx": "hosts.nginx.conf", "caddy": "hosts.Caddyfile"}[name]
    with free_ports(3) as ports:
        text = (EXAMPLES / example).read_text()
        for number, port in zip((8080, 8011, 8012), ports, strict=True):
            text = text.replace(f"127.0.0.1:{number}", f"127.0.0.1:{port}")
        for number, running_server in zip((8001, 8002), hosts, strict=True):
            text = text.replace(f"127.0.0.1:{number}", f"127.0.0.1:{running_server.port}")
        path = folder / example
        path.write_text(text)
        program = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
        assert program, f"{name} is missing; scripts/test installs it"
        commands = {
            "nginx": [program, "-p", str(folder), "-c", str(path), "-g", "daemon off;"],
            "caddy": [program, "run", "--config", str(path), "--adapter", "caddyfile"],
        }
        async with proxy(commands[name], ports[0]):
            yield f"http://127.0.0.1:{ports[0]}"


@pytest.mark.parametrize("name", ["nginx", "caddy"])
async def test_calls_and_rooms_stay_at_the_host_that_has_them(name: str, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        hosts = [await stack.enter_async_context(host()) for _ in range(2)]
        url = await stack.enter_async_context(balanced(name, tmp_path, hosts))
        http = await stack.enter_async_context(aiohttp.ClientSession(url))
        calls: list[RtcClient] = []
        while not all(running_server.manager.sessions for running_server in hosts):
            client = RtcClient(f"{url}{CALLS}?source=en&target=ru", session=EVENTS)
            calls.append(await stack.enter_async_context(client))
        speaking = {each.location.split("/")[1]: each for each in calls}  # one at each host
        assert set(speaking) == {"h1", "h2"}
        for each in speaking.values():
            each.track.say(said(SENTENCE))
        for each in speaking.values():
            await each.until(lambda each=each: bool(of(each, "x.segment", final=True)))  # type: ignore[misc]
            async with http.get(f"{each.location}/transcript") as answer:
                assert "one two three" in await answer.text()
        async with RtcClient(f"{url}{calls[0].location}/resume") as resumed:
            assert resumed.location == calls[0].location
        for each in calls:
            async with http.delete(each.location) as answer:
                assert answer.status == 200

        rooms = "abcdef"
        speakers = [RtcClient(f"{url}/whip/{room}?source=en", channel=None) for room in rooms]
        for speaker in speakers:
            await stack.enter_async_context(speaker)
        assert sum(len(running_server.rooms.names) for running_server in hosts) == len(rooms)
        listener = RtcClient(f"{url}/whep/a?language=de", listens_only=True)
        await stack.enter_async_context(listener)
        say(speakers[0], SENTENCE)
        await told(listener)
        async with http.delete(listener.location) as answer:
            assert answer.status == 200
        await asyncio.sleep(0)
