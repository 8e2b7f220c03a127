"""The service's rules behind a server: segments first, fair shares, nothing lost with a server.
Real services over engines of a known speed, in virtual time.
"""

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace

from rtc_server.engines.base import AstRequest
from rtc_server.engines.remote.messages import ServerHello
from rtc_server.engines.remote.remote_ast import RemoteAst
from rtc_server.engines.remote.server import EngineServer, Served
from rtc_server.pcm import SPEECH_RATE
from tests.support.engine_pool import HeldServer, HeldServers, talk, translating
from tests.support.fakes import AST_CAPABILITIES
from tests.support.until import until
from tests.support.virtual_engine import Machine, virtual_service

BATCH_S = 0.25
SEGMENT_S = 3.0


def machine(call_s: float) -> Machine:
    """Return a machine whose calls of up to four requests all take the same time."""
    return Machine(call_s, 0.0, capabilities=replace(AST_CAPABILITIES, max_batch=4))


@asynccontextmanager
async def served(*machines: Machine) -> AsyncIterator[tuple[HeldServers, RemoteAst]]:
    """A server for each machine, and a media process that uses them."""
    async with AsyncExitStack() as stack:
        made = []
        for number, each in enumerate(machines):
            service, _ = await stack.enter_async_context(virtual_service(each))
            held = HeldServer(f"unix:{number}")
            hello = ServerHello("1", "fake", ast=service.capabilities)
            held.server = EngineServer(Served(ast=service, ast_hello=hello))
            made.append(held)
        servers = HeldServers(*made)
        yield servers, await stack.enter_async_context(translating(servers))


@dataclass
class RuleTalk:
    """Sessions that speak without a pause, and the time that their segments took."""

    ast: RemoteAst
    interval_s: float
    """Time from one partial of a session to its next."""
    finals_s: list[float] = field(default_factory=list)
    partials: int = 0

    async def of(self, session: int, phase: float, seconds: float) -> None:
        loop, audio = asyncio.get_running_loop(), talk(SEGMENT_S)
        await asyncio.sleep(phase * SEGMENT_S)
        async with asyncio.TaskGroup() as tasks:
            end_s, size = loop.time() + seconds, 0
            while loop.time() < end_s:
                await asyncio.sleep(self.interval_s)
                size += round(self.interval_s * SPEECH_RATE)
                is_final = size >= audio.size
                request = AstRequest(audio[:size].copy(), "ru", "en", partial=not is_final)
                tasks.create_task(self._ask(f"s{session}", request))
                size = 0 if is_final else size

    async def _ask(self, session: str, request: AstRequest) -> None:
        began_s = asyncio.get_running_loop().time()
        if request.partial:
            answer = await self.ast.submit_partial(request, session_id=session)
            self.partials += answer is not None
        else:
            await self.ast.submit(request, session_id=session)
            self.finals_s.append(asyncio.get_running_loop().time() - began_s)

    async def all(self, sessions: int, seconds: float) -> None:
        async with asyncio.TaskGroup() as tasks:
            for session in range(sessions):
                tasks.create_task(self.of(session, session / sessions, seconds))


async def test_three_times_too_many_partials_keep_no_segment_waiting() -> None:
    async with served(machine(BATCH_S)) as (_, ast):
        sessions = 12
        talk_of_all = RuleTalk(ast, interval_s=sessions / (3 * 4 / BATCH_S))
        await talk_of_all.all(sessions, 24)
    assert len(talk_of_all.finals_s) == sessions * round(24 / SEGMENT_S)
    ordered = sorted(talk_of_all.finals_s)
    assert ordered[math.ceil(0.95 * len(ordered)) - 1] <= 1.5 * BATCH_S + 0.2
    assert talk_of_all.partials > 0


async def test_no_segment_of_twenty_sessions_is_lost_with_one_of_two_servers() -> None:
    async with served(machine(0.05), machine(0.05)) as (servers, ast):
        talk_of_all = RuleTalk(ast, interval_s=0.5)
        work = asyncio.create_task(talk_of_all.all(20, 24))
        await asyncio.sleep(11)
        connection = ast._pool._servers["unix:0"].connection
        assert connection is not None
        await until(lambda: any(call.may_move for call in connection.calls))  # a complete segment
        await servers.by_name["unix:0"].kill()
        await work
    assert len(talk_of_all.finals_s) == 20 * round(24 / SEGMENT_S)
    assert max(talk_of_all.finals_s) <= 2.0
    assert servers.sample("rtc_engine_calls_moved_total", kind="ast") > 0


async def test_a_session_that_asks_for_everything_takes_nothing_from_another_process() -> None:
    async with served(machine(0.5)) as (servers, ast):
        other = RemoteAst(servers.pool("ast", ast._pool._settings))
        await other.start()
        greedy = [
            ast.submit(AstRequest(talk(1.0), "ru", "en"), session_id="greedy") for _ in range(30)
        ]
        await asyncio.sleep(0.6)
        began_s = asyncio.get_running_loop().time()
        await other.submit(AstRequest(talk(1.0), "ru", "en"), session_id="modest")
        assert (
            asyncio.get_running_loop().time() - began_s <= 1.1
        )  # the call in progress, and its own
        await other.close()
        ast.forget("greedy")
        await asyncio.gather(*greedy, return_exceptions=True)
