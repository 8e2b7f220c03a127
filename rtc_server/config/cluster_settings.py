"""Cluster: engine servers that Ray places. No server with its own page has these settings."""

import re
from dataclasses import dataclass

from rtc_server.errors import ConfigError
from rtc_server.options import option

_NAME = re.compile(r"[a-z][a-z0-9-]{0,62}")


@dataclass(frozen=True, slots=True)
class ClusterSettings:
    """Cluster settings: an application of engine servers on Ray Serve."""

    cluster_name: str = option(
        "engines",
        "name of the Ray application, and of its directory's path; a cluster may have several",
    )
    ray_address: str = option(
        "auto", "address of the Ray cluster; auto takes the cluster of this machine"
    )
    replicas_min: int = option(1, "least number of engine servers", low=1, high=1000)
    replicas_max: int = option(
        1, "largest number of engine servers; Ray adds some while calls wait", low=1, high=1000
    )
    replica_calls: float = option(
        8.0, "open calls that one engine server should have on average", low=0.1, high=10_000
    )
    replica_gpus: float = option(
        -1.0,
        "GPUs of an engine server, or a part of one, such as 0.5; -1 takes 1 for the set gpu, "
        "else none",
        low=-1,
        high=64,
    )
    replica_cpus: float = option(
        1.0, "CPUs that Ray reserves for an engine server; it is not a limit", low=0, high=1024
    )
    replica_port_first: int = option(
        0, "first TCP port that engine servers listen on; 0 takes any", low=0, high=65535
    )
    replica_port_last: int = option(
        0,
        "last TCP port that engine servers listen on; a machine needs one for each engine server",
        low=0,
        high=65535,
    )
    replica_cert_name: str = option(
        "",
        "host name in the certificate of --tls-cert, if it does not contain the machines' IP "
        "addresses",
    )
    scale_up_s: float = option(
        5.0, "seconds of too many calls before a server is added", low=0, high=3600
    )
    scale_down_s: float = option(
        300.0, "seconds of few calls before a server is ended", low=0, high=86_400
    )
    directory_host: str = option(
        "0.0.0.0", "address that the directory listens on, on each machine with engine servers"
    )
    directory_port: int = option(8000, "its TCP port", low=1, high=65535)

    def __post_init__(self) -> None:
        if _NAME.fullmatch(self.cluster_name) is None:
            raise ConfigError(
                "--cluster-name must be small letters, digits and -, a letter first, not "
                f"{self.cluster_name!a}."
            )
        if self.replicas_max < self.replicas_min:
            raise ConfigError("--replicas-max must not be less than --replicas-min.")
        if self.replica_port_last < self.replica_port_first or (
            bool(self.replica_port_first) != bool(self.replica_port_last)
        ):
            raise ConfigError("Set --replica-port-first and --replica-port-last in this order.")
        if -1 < self.replica_gpus < 0 or (self.replica_gpus > 1 and self.replica_gpus % 1):
            raise ConfigError("--replica-gpus must be a part of one GPU, or a whole number.")

    def gpus(self, engine_set: str) -> float:
        """Return the GPUs of a replica with that set of engines."""
        if self.replica_gpus >= 0:
            return self.replica_gpus
        return 1.0 if engine_set == "gpu" else 0.0
