"""``rtc-server cluster``: engine servers on a Ray cluster. Needs the extra ``ray``."""

import argparse
from collections.abc import Mapping
from types import ModuleType

from rtc_server.app.cluster_order import cluster_order
from rtc_server.app.engine_server import KINDS
from rtc_server.config import ClusterSettings, EngineSettings, HttpSettings, load_with_plugins
from rtc_server.engines.extras import install_command
from rtc_server.engines.plugin import Kind, OptionValue
from rtc_server.errors import ConfigError


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Deploy, show or drain; return 1 if there is nothing to show or it does not run."""
    kinds: tuple[Kind, ...] = ()
    if arguments.action == "deploy":
        kinds = tuple(each for each in KINDS if arguments.only in (None, each))
    settings, plugins = load_with_plugins(
        arguments, environ, EngineSettings, HttpSettings, ClusterSettings, starts=kinds
    )
    match arguments.action:
        case "deploy":
            return _deploy(kinds, plugins, *settings)
        case "status":
            return _status(settings[-1])
    return _drain(settings[-1])


def _deploy(
    kinds: tuple[Kind, ...],
    plugins: Mapping[str, OptionValue],
    engines: EngineSettings,
    http: HttpSettings,
    cluster: ClusterSettings,
) -> int:
    ours = _with_ray()
    order = cluster_order(kinds, engines, http, cluster, plugins)
    with ours.joined(cluster.ray_address):
        ours.deploy(order, cluster.directory_host, cluster.directory_port)
        print(f"{cluster.cluster_name} runs. Directory, on each machine with engine servers:")
        print(f"  http://HOST:{cluster.directory_port}/{cluster.cluster_name}", flush=True)
    return 0


def _status(cluster: ClusterSettings) -> int:
    ours = _with_ray()
    with ours.joined(cluster.ray_address):
        found = ours.status(cluster.cluster_name)
    if found is None:
        print(f"{cluster.cluster_name}: not deployed")
        return 1
    print(f"{found.name}: {found.state}{f', {found.message}' if found.message else ''}")
    for each in found.replicas:
        state = "draining" if each["is_draining"] else "takes calls"
        print(f"  {each['address']}  {state}, {each['calls']} open")
    return 0 if found.state == "RUNNING" else 1


def _drain(cluster: ClusterSettings) -> int:
    ours = _with_ray()
    with ours.joined(cluster.ray_address):
        is_there = ours.drain(cluster.cluster_name)
    print(f"{cluster.cluster_name}: {'drained' if is_there else 'not deployed'}")
    return 0 if is_there else 1


def _with_ray() -> ModuleType:
    try:
        from rtc_server.engines.ray import operating as ours  # noqa: PLC0415 - imports Ray
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("ray", "starlette"):
            raise
        raise ConfigError(f"Ray is not installed. Run: {install_command('ray')}") from None
    return ours
