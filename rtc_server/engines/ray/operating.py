"""Cluster as an operator sees it: deploy an application, show it, drain it."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import ray
from ray import serve

from rtc_server.engines.ray.deployments import (
    ASK_S,
    ENGINES,
    ClusterOrder,
    application,
)
from rtc_server.engines.ray.replica import ReplicaState
from rtc_server.errors import ConfigError, EngineUnavailable


@dataclass(frozen=True, slots=True)
class DeployedEngines:
    """An application that runs on the cluster."""

    name: str
    """Name of the application."""
    state: str
    """Word of Ray Serve for its state: ``RUNNING`` when all is as it was asked for."""
    message: str
    """Sentence of Ray Serve, where something is wrong."""
    replicas: tuple[ReplicaState, ...]
    """Replicas that answered."""


@contextmanager
def joined(address: str) -> Iterator[None]:
    """Be part of the cluster until the block ends. Raises `ConfigError` if there is none."""
    try:
        ray.init(
            address=address, namespace="serve", log_to_driver=False, logging_level=logging.ERROR
        )
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise ConfigError(
            f"No Ray cluster at --ray-address {address} ({_first_line(error)}). Run this on a "
            "machine of the cluster, after `ray start`."
        ) from None
    try:
        yield
    finally:
        ray.shutdown()


def deploy(order: ClusterOrder, host: str, port: int) -> None:
    """Run an application, or replace it replica by replica; return when it runs.

    `host` and `port` are those of the cluster's HTTP proxies, if none run yet.

    Raises:
        EngineUnavailable: it does not come to run.
    """
    serve.start(proxy_location="EveryNode", http_options={"host": host, "port": port})
    try:
        serve.run(application(order), name=order.name, route_prefix=f"/{order.name}")
    except RuntimeError as error:
        raise EngineUnavailable(
            f"{order.name} does not run: {_reason(order.name) or _first_line(error)}. Ray's logs "
            "say more."
        ) from None


def status(name: str) -> DeployedEngines | None:
    """Return the state of an application; None if there is none of that name."""
    found = serve.status().applications.get(name)
    if found is None:
        return None
    replicas: list[ReplicaState] = []
    with suppress(Exception):  # the state has the reason why none can be reached
        handle = serve.get_deployment_handle(ENGINES, name)
        answers = handle.broadcast("describe").results(timeout_s=4 * ASK_S, return_exceptions=True)
        replicas = [each for each in answers if not isinstance(each, BaseException)]
    return DeployedEngines(name, found.status.value, found.message, tuple(replicas))


def drain(name: str) -> bool:
    """End an application: each replica answers what it has. False if there is none."""
    if name not in serve.status().applications:
        return False
    serve.delete(name)
    return True


def _reason(name: str) -> str:
    """Return the last line that Ray Serve reports of a replica, which ends a traceback."""
    found = serve.status().applications.get(name)
    message = found.deployments[ENGINES].message if found and ENGINES in found.deployments else ""
    lines = message.strip().splitlines()
    return lines[-1].rstrip(".") if lines else ""


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__
