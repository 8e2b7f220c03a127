"""Look-ups of names while DNS hangs, in virtual time."""

import asyncio
import socket
from collections.abc import Sequence

import pytest

from rtc_server.app.shared_lookups import PATIENCE_S, SharedLookups

LOST = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


class HeldDns:
    """Resolver that keeps each look-up until the test answers."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, asyncio.Future[list[str]]]] = []
        self.lookups = SharedLookups(self._begin)

    def _begin(self, host: str) -> asyncio.Future[list[str]]:
        self.begun.append((host, asyncio.get_running_loop().create_future()))
        return self.begun[-1][1]

    @property
    def names(self) -> Sequence[str]:
        return [host for host, _ in self.begun]

    async def ask(self, host: str) -> list[str]:
        async with asyncio.timeout(2.0):  # like the caller that asks a directory
            return [each["host"] for each in await self.lookups.resolve(host, 80)]

    async def answer(self, answer: list[str] | OSError) -> None:
        _, future = self.begun[-1]
        if isinstance(answer, OSError):
            future.set_exception(answer)
        else:
            future.set_result(answer)
        await asyncio.sleep(0.01)

    async def learn(self, host: str, ip: str) -> None:
        async with asyncio.TaskGroup() as tasks:
            asked = tasks.create_task(self.ask(host))
            await asyncio.sleep(0.01)
            await self.answer([ip])
        assert asked.result() == [ip]


async def test_a_look_up_that_hangs_is_shared_by_all_who_ask_and_the_only_one() -> None:
    dns = HeldDns()
    for _ in range(20):
        with pytest.raises(TimeoutError):
            await dns.ask("ray.internal")
    assert dns.names == ["ray.internal"]
    asked = [asyncio.create_task(dns.ask("ray.internal")) for _ in range(3)]
    await asyncio.sleep(0.01)
    await dns.answer(["10.0.0.1", "fd00::1"])
    assert await asyncio.gather(*asked) == [["10.0.0.1", "fd00::1"]] * 3
    assert dns.names == ["ray.internal"]


async def test_other_names_wait_for_their_turn_and_have_it_though_nobody_waits_any_more() -> None:
    dns = HeldDns()
    for name in ("one", "two", "two"):
        with pytest.raises(TimeoutError):
            await dns.ask(name)
    assert dns.names == ["one"]
    await dns.answer(LOST)
    assert dns.names == ["one", "two"]
    await dns.answer(["10.0.0.2"])
    await dns.learn("two", "10.0.0.3")
    assert dns.names == ["one", "two", "two"]


async def test_the_last_answer_counts_while_look_ups_hang_or_fail() -> None:
    dns = HeldDns()
    await dns.learn("ray.internal", "10.0.0.1")
    began_s = asyncio.get_running_loop().time()
    for _ in range(5):
        assert await dns.ask("ray.internal") == ["10.0.0.1"]
    assert asyncio.get_running_loop().time() - began_s == pytest.approx(5 * PATIENCE_S)
    assert len(dns.names) == 2
    asked = asyncio.create_task(dns.ask("ray.internal"))
    await asyncio.sleep(0.01)
    await dns.answer(LOST)
    assert await asked == ["10.0.0.1"]
    await dns.learn("ray.internal", "10.0.0.2")


async def test_a_name_that_nobody_knows_is_an_error_for_all_who_ask() -> None:
    dns = HeldDns()
    asked = [asyncio.create_task(dns.ask("nobody.invalid")) for _ in range(2)]
    await asyncio.sleep(0.01)
    await dns.answer(LOST)
    assert await asyncio.gather(*asked, return_exceptions=True) == [LOST, LOST]


@pytest.mark.real_time
async def test_a_name_is_looked_up_with_all_its_addresses() -> None:
    [first, *_] = await SharedLookups().resolve("localhost", 7070)
    assert first["host"] in ("127.0.0.1", "::1")
    assert (first["hostname"], first["port"]) == ("localhost", 7070)
