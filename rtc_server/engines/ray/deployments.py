"""Deployments of Ray Serve: replicas, and the directory that lists them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ray
from ray import serve
from starlette.requests import Request
from starlette.responses import JSONResponse

from rtc_server.engines.ray.listing import ReplicaList
from rtc_server.engines.ray.replica import EngineReplica, ReplicaState, StartReplica

ENGINES, DIRECTORY = "engines", "directory"
"""Names of the two deployments of an application."""
ASK_S = 1.5
"""Time for which replicas are waited for; media processes wait 2 s for the directory."""
_END_S = 15.0
"""Time that a replica may take to end after its drain."""
_REPORT_S = 1.0
"""Interval at which replicas report their calls."""
_POLICY = "rtc_server.engines.ray.calls_policy:CallsPolicy"


@dataclass(frozen=True, slots=True)
class ClusterOrder:
    """All that a deployment is made of."""

    name: str
    """Name of the application."""
    start: StartReplica
    """Starts the engine server of a replica."""
    token: str
    """Engine token, which the directory requires."""
    certified: str
    """Name in the replicas' certificate, if it is not their address."""
    least: int
    """Replicas at least."""
    most: int
    """Replicas at most."""
    calls: float
    """Open calls that one replica should have."""
    gpus: float
    """GPUs of a replica, or the part of one."""
    cpus: float
    """CPUs of a replica, as Ray counts them."""
    drain_s: float
    """Time in which a replica that is ended answers what is open."""
    patience_s: float
    """Time that an engine may take to be ready again after a crash."""
    scale_up_s: float
    """Time for which there have to be too many calls before a replica is added."""
    scale_down_s: float
    """Time for which there have to be few calls before a replica is ended."""


class _Replica(EngineReplica):
    """Replica as Ray Serve makes and ends it: ready when the engines are warm."""

    async def __init__(self, order: ClusterOrder) -> None:  # type: ignore[misc]
        super().__init__(order.start, drain_s=order.drain_s, patience_s=order.patience_s)
        await self.start(ray.util.get_node_ip_address())

    async def __del__(self) -> None:
        await self.stop()


class _Directory:
    """Directory as Ray Serve makes it, behind the cluster's HTTP proxies."""

    def __init__(self, replicas: Any, order: ClusterOrder) -> None:
        async def ask() -> Sequence[ReplicaState | BaseException]:
            answers: list[ReplicaState | BaseException] = await replicas.broadcast(
                "describe"
            ).results_async(timeout_s=ASK_S, return_exceptions=True)
            return answers

        # Applications of one name in several clusters are distinguished by their head.
        deployment = f"{ray.get_runtime_context().gcs_address}/{order.name}"
        self._list = ReplicaList(
            ask, deployment=deployment, token=order.token, certified=order.certified
        )

    async def __call__(self, request: Request) -> JSONResponse:
        status, body = await self._list.answer(request.headers.get("authorization", ""))
        return JSONResponse(body, status)


def application(order: ClusterOrder) -> Any:
    """Return the application, to be run or built by Ray Serve."""
    scaling: dict[str, Any] = {"num_replicas": order.least}
    if order.most > order.least:
        scaling = {
            "num_replicas": None,
            "autoscaling_config": {
                "min_replicas": order.least,
                "max_replicas": order.most,
                "upscale_delay_s": order.scale_up_s,
                "downscale_delay_s": order.scale_down_s,
                "metrics_interval_s": _REPORT_S,
                "look_back_period_s": max(2 * _REPORT_S, min(order.scale_up_s, 10.0)),
                "policy": {
                    "policy_function": _POLICY,
                    "policy_kwargs": {"calls_per_replica": order.calls},
                },
            },
        }
    engines = serve.deployment(
        name=ENGINES,
        ray_actor_options={"num_cpus": order.cpus, "num_gpus": order.gpus},
        health_check_period_s=1.0,
        graceful_shutdown_timeout_s=order.drain_s + _END_S,
        graceful_shutdown_wait_loop_s=0.1,
        **scaling,
    )(_Replica)
    directory = serve.deployment(
        name=DIRECTORY,
        num_replicas=1,
        max_ongoing_requests=100,
        ray_actor_options={"num_cpus": 0},
    )(_Directory)
    return directory.bind(engines.bind(order), order)
