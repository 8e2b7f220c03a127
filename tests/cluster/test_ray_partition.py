"""A node of a Ray cluster that the network parts from everybody else: its processes live on."""

import asyncio
import os

import pytest

from tests.support.namespaces import Namespace, namespace
from tests.support.ray_cluster import RayCluster, kill, ray_cluster
from tests.support.ray_talk import WAIT_S, talking, two_are_listed

pytestmark = [
    pytest.mark.slow,
    pytest.mark.unmeasured,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root makes network namespaces"),
]

PARTED_S = 5.0


def replicas_of(cluster: RayCluster, ip: str) -> set[int]:
    """Return the engine processes that the raylet of the node with that address has started."""
    raylets = [
        each
        for each in cluster.processes()
        if f"--node_ip_address={ip}" in " ".join(each.cmdline())
    ]
    return {child.pid for each in raylets for child in each.children(recursive=True)}


def test_nobody_loses_a_segment_while_a_node_is_parted_for_some_seconds() -> None:
    with namespace() as place, ray_cluster(place.outside_ip, cpus=1) as cluster:
        try:
            asyncio.run(cluster.start_distant_node(place))
            asyncio.run(part(cluster, place))
        finally:
            kill(cluster.processes())  # before their network is gone


async def part(cluster: RayCluster, place: Namespace) -> None:
    loop = asyncio.get_running_loop()
    await cluster.deploy("parted", "--replicas-min", "2", "--replicas-max", "2")
    directory = cluster.directory("parted")
    addresses = await two_are_listed(directory, set())
    assert any(place.inside_ip in each for each in addresses)  # one on each node
    async with talking(directory) as talk:
        talk.more(20)
        await talk.comes_to(2)
        with place.parted():
            talk.answers.clear()
            await talk.goes_on_for(PARTED_S)
            print(f"longest answer while parted {talk.longest_s:.2f} s")
        began_s = loop.time()
        distant = replicas_of(cluster, place.inside_ip)
        # Sessions stay with their new server; only new sessions go to it.
        async with asyncio.timeout(WAIT_S):
            while not talk.answers.keys() & distant:
                talk.more(1)
                await talk.goes_on(3)
        print(f"asked again after {loop.time() - began_s:.1f} s")
        await talk.goes_on()
        print(f"{sum(talk.answers.values())} answered, longest {talk.longest_s:.2f} s")
