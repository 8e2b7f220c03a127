"""Engine servers for a Ray cluster: from options to a Ray Serve application.

``serve.yaml`` names `build`; ``rtc-server cluster`` calls `cluster_order`. Ray is imported only
when one of them is called.
"""

import argparse
import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from rtc_server.app.engine_channel import engine_token
from rtc_server.app.engine_server import KINDS, RunningEngineServer, engine_server
from rtc_server.config import ClusterSettings, EngineSettings, HttpSettings, load_with_plugins
from rtc_server.engines.plugin import OptionValue
from rtc_server.engines.registry import Kind
from rtc_server.errors import ConfigError
from rtc_server.options import ENV_PREFIX, variable

if TYPE_CHECKING:
    from rtc_server.engines.ray.deployments import ClusterOrder


@dataclass(frozen=True, slots=True)
class ReplicaOrder:
    """Settings of a replica's engine server, pickled to machines that have this package, too."""

    kinds: tuple[Kind, ...]
    engines: EngineSettings
    http: HttpSettings
    ports: tuple[int, int] = (0, 0)
    """First and last TCP port; zeros for any."""
    plugins: Mapping[str, OptionValue] = field(default_factory=dict)
    """Options of plug-ins by name, from the process that gave the order."""

    @asynccontextmanager
    async def __call__(self, host: str) -> AsyncIterator[RunningEngineServer]:
        """Run an engine server at an IP address of this machine. Raises what that does."""
        listen = f"[{host}]" if ":" in host else host
        scheme = "" if self.http.tls_cert else "ws://"
        address = f"{scheme}{listen}:{free_port(host, *self.ports)}"
        async with engine_server(
            address, self.kinds, self.engines, self.http, self.plugins
        ) as running:
            yield running


def free_port(host: str, first: int, last: int) -> int:
    """Return a free port of the range. Raises `ConfigError` if there is none."""
    if not first:
        return 0
    for port in range(first, last + 1):
        try:
            with socket.create_server((host, port), family=_family(host)):
                return port
        except OSError:
            continue
    raise ConfigError(f"All ports from {first} to {last} of {host} are taken.")


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def cluster_order(
    kinds: tuple[Kind, ...],
    engines: EngineSettings,
    http: HttpSettings,
    cluster: ClusterSettings,
    plugins: Mapping[str, OptionValue],
) -> "ClusterOrder":
    """Return the order for an application. Raises `ConfigError`."""
    from rtc_server.engines.ray.deployments import ClusterOrder  # noqa: PLC0415 - imports Ray

    if not engine_token(engines):
        raise ConfigError(
            "Engine servers of a cluster are reached by other machines: set a token "
            "(--engine-token-file or RTC_ENGINE_TOKEN)."
        )
    ports = (cluster.replica_port_first, cluster.replica_port_last)
    return ClusterOrder(
        name=cluster.cluster_name,
        start=ReplicaOrder(kinds, engines, http, ports, plugins),
        token=engine_token(engines),
        certified=cluster.replica_cert_name,
        least=cluster.replicas_min,
        most=cluster.replicas_max,
        calls=cluster.replica_calls,
        gpus=cluster.gpus(engines.engines),
        cpus=cluster.replica_cpus,
        drain_s=http.drain_s,
        patience_s=engines.engine_start_s,
        scale_up_s=cluster.scale_up_s,
        scale_down_s=cluster.scale_down_s,
    )


def build(options: Mapping[str, Any]) -> Any:
    """Return the application for ``import_path`` of a ``serve.yaml``. Raises `ConfigError`.

    Args:
        options: those of ``rtc-server cluster deploy`` with ``_`` for ``-``, and ``only``.
            ``RTC_*`` variables of the container count, too: its token, for one.
    """
    from rtc_server.engines.ray.deployments import application  # noqa: PLC0415 - imports Ray

    only = options.get("only")
    given = {variable(name): _text(value) for name, value in options.items() if name != "only"}
    own = {name: value for name, value in os.environ.items() if name.startswith(ENV_PREFIX)}
    kinds = tuple(each for each in KINDS if only in (None, each))
    (engines, http, cluster), plugins = load_with_plugins(
        argparse.Namespace(),
        {**own, **given},
        EngineSettings,
        HttpSettings,
        ClusterSettings,
        starts=kinds,
    )
    return application(cluster_order(kinds, engines, http, cluster, plugins))


def _text(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
