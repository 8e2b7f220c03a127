"""Engine servers on a real Ray cluster: effects of its events on media processes."""

import asyncio
import sys
from collections.abc import Container, Iterator

import pytest

from tests.support.engine_fakes import Do
from tests.support.engine_server import fake_engines
from tests.support.ray_cluster import RayCluster, kill, ray_cluster
from tests.support.ray_talk import WAIT_S, Talk, listed, talking, two_are_listed

pytestmark = [pytest.mark.slow, pytest.mark.unmeasured]

HEAD_GONE_S = 180.0
"""Time without a head; Ray's nodes wait 60 s by default."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[RayCluster]:
    with ray_cluster() as made:
        yield made


async def talk_until_one_is_listed(talk: Talk, directory: str) -> None:
    """Wait until one server is left, and check that calls are answered meanwhile."""
    async with asyncio.timeout(WAIT_S):
        while len(await listed(directory)) != 1:
            await talk.goes_on(2)


def kill_replica(cluster: RayCluster, engines: Container[int]) -> None:
    """Kill the process that one of these engines' processes belongs to; some may have ended."""
    engine = next(each for each in cluster.processes() if each.pid in engines)
    replica = engine.parent()
    assert replica is not None
    kill([replica])


async def test_no_segment_is_lost_with_a_replica_nor_with_the_head(cluster: RayCluster) -> None:
    loop = asyncio.get_running_loop()
    await cluster.deploy("two", "--replicas-min", "2", "--replicas-max", "2")
    directory = cluster.directory("two")
    first = await two_are_listed(directory, set())
    async with talking(directory) as talk:
        talk.more(20)
        await talk.comes_to(2)
        began_s = loop.time()
        kill_replica(cluster, talk.answers)
        second = await two_are_listed(directory, first)
        print(f"two replicas again after {loop.time() - began_s:.1f} s")
        # A server that nobody has looked for yet is not known while the head, and with it the
        # directory, is away: the last known one would be killed below.
        talk.answers.clear()
        await talk.comes_to(2)
        print(f"longest answer until then {talk.longest_s:.2f} s")

        kill(cluster.head)
        await talk.goes_on_for(HEAD_GONE_S)
        print(f"longest answer until the head is back {talk.longest_s:.2f} s")
        assert await listed(directory) in (set(), second)
        await cluster.start_head()
        await talk.goes_on()
        kill_replica(cluster, talk.answers)
        await two_are_listed(directory, second)
        await talk.goes_on()
        print(f"{sum(talk.answers.values())} answered, longest {talk.longest_s:.2f} s")
    assert "ray" not in sys.modules
    await cluster.rtc_server("drain", "two")


async def test_an_upgrade_under_load_fails_no_call(cluster: RayCluster) -> None:
    two = ("--replicas-min", "2", "--replicas-max", "2")
    await cluster.deploy("upgraded", *two)
    directory = cluster.directory("upgraded")
    await two_are_listed(directory, set())
    async with talking(directory) as talk:
        talk.more(12)
        await talk.comes_to(2)
        old = set(talk.answers)
        deploying = asyncio.create_task(cluster.deploy("upgraded", *two, "--engine-answer-s", "2"))
        await talk.until(deploying.done)
        await deploying
        await talk.is_without(old)
        await two_are_listed(directory, set())
        print(f"upgraded; longest answer {talk.longest_s:.2f} s")
    await cluster.rtc_server("drain", "upgraded")


async def test_load_brings_another_server_and_takes_it_away_and_a_drain_fails_no_call(
    cluster: RayCluster,
) -> None:
    loop = asyncio.get_running_loop()
    await cluster.deploy(
        "scaled", "--replicas-min", "1", "--replicas-max", "2", "--replica-calls", "2",
        "--scale-up-s", "1", "--scale-down-s", "15",
    )  # fmt: skip
    assert "scaled: RUNNING" in await cluster.rtc_server("status", "scaled")
    directory = cluster.directory("scaled")
    one = await listed(directory)
    assert len(one) == 1
    async with fake_engines() as plain, talking(directory, plain.address, do=Do.SLOW) as talk:
        began_s = loop.time()
        talk.more(12)
        # The choice by session may give most of them to the other server: then it takes more.
        async with asyncio.timeout(WAIT_S):
            while len(await listed(directory)) < 2:
                talk.more(1)
                await talk.goes_on(3)
        print(f"a second replica after {loop.time() - began_s:.1f} s")
        await talk.comes_to(3)
        print(f"it answers after {loop.time() - began_s:.1f} s")
        await talk.fewer(2)
        await talk_until_one_is_listed(talk, directory)
        print(f"one again after {loop.time() - began_s:.1f} s")
        await cluster.rtc_server("drain", "scaled")
        await talk.goes_on(40)
        with pytest.raises(AssertionError, match="not deployed"):
            await cluster.rtc_server("status", "scaled")
        print(f"{sum(talk.answers.values())} answered, longest {talk.longest_s:.2f} s")
