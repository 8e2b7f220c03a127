"""A Ray cluster of this machine's processes: a head node, and a node that runs the replicas.

Everything is done by commands, as an operator does it. The test's own process stands for the media
process, and never imports Ray.
"""

import asyncio
import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.support.engine_server import FAKES, TOKEN
from tests.support.namespaces import Namespace
from tests.support.ports import free_ports

CHECKOUT = Path(__file__).parents[2]
RECONNECT_S = 600
"""Time for which nodes wait for a head that is gone: by default 60 s, then they end."""
COMMAND_S = 300.0
"""Time that a command may take on a busy machine."""
_NODE = (
    "--num-gpus=0",
    "--object-store-memory=100000000",
    "--disable-usage-stats",
    # Any, so that the two nodes of one machine do not meet, nor the other ports of the test.
    "--min-worker-port=0",
    "--max-worker-port=0",
)


class RayCluster:
    """Head and node, and applications on them."""

    def __init__(self, folder: Path, ports: Sequence[int], host: str = "127.0.0.1") -> None:
        """`host`: IP address of this machine that head and node have."""
        self._folder, self._host = folder, host
        self._port, self._directory_port, *self._agent_ports = ports
        self._environ = {k: v for k, v in os.environ.items() if not k.startswith(("RTC_", "RAY_"))}
        self._environ |= {
            "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}",
            "PYTHONPATH": str(CHECKOUT),
            "RAY_gcs_storage": "rocksdb",
            "RAY_gcs_storage_path": str(folder / "gcs"),
            "RAY_gcs_rpc_server_reconnect_timeout_s": str(RECONNECT_S),
            "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
            # By default Ray's processes have a lower priority than the test, and starve.
            "RAY_worker_niceness": "0",
            "RTC_ENGINE_TOKEN": TOKEN,
            "RTC_RAY_ADDRESS": f"{host}:{self._port}",
        }
        self.head: set[psutil.Process] = set()
        """Processes of the head node, as it was started."""
        (folder / "gcs").mkdir()

    def directory(self, name: str) -> str:
        """Return the URL of an application's directory."""
        return f"http://{self._host}:{self._directory_port}/{name}"

    async def start_head(self) -> None:
        """Start the node that keeps the cluster's state, and runs no replicas."""
        # The node of this machine would be taken for a head that lives, as no head of another is.
        (self._folder / "ray" / "ray_current_cluster").unlink(missing_ok=True)
        await self._ray(
            "start", "--head", f"--port={self._port}", f"--temp-dir={self._folder}/ray",
            "--num-cpus=0", "--include-dashboard=false",
            f"--ray-client-server-port={self._agent_ports[2]}",
            f"--dashboard-agent-listen-port={self._agent_ports[0]}",
            f"--node-ip-address={self._host}", *_NODE,
        )  # fmt: skip

    async def start_node(self, cpus: int = 4) -> None:
        """Start a node that replicas run on, one for each CPU."""
        await self._ray(
            "start", f"--address={self._host}:{self._port}", f"--num-cpus={cpus}",
            f"--dashboard-agent-listen-port={self._agent_ports[1]}",
            f"--node-ip-address={self._host}", *_NODE,
        )  # fmt: skip

    async def start_distant_node(self, place: Namespace, cpus: int = 1) -> None:
        """Start such a node in a network namespace, as on another host."""
        ray = str(Path(sys.executable).parent / "ray")
        await self._run(
            *place.prefix, ray, "start", f"--address={self._host}:{self._port}",
            f"--num-cpus={cpus}", f"--node-ip-address={place.inside_ip}", *_NODE,
        )  # fmt: skip

    async def rtc_server(self, action: str, name: str, *argv: str) -> str:
        """Run ``rtc-server cluster`` for an application, and return its output."""
        command = (sys.executable, "-m", "rtc_server", "cluster", action)
        return await self._run(*command, "--cluster-name", name, *argv)

    async def deploy(self, name: str, *argv: str) -> None:
        """Deploy engines that do what the test asks."""
        ast, tts = FAKES
        await self.rtc_server(
            "deploy", name, "--ast", ast, "--tts", tts, "--engine-wait-s", "60",
            "--replica-cpus", "1",
            "--directory-host", self._host, "--directory-port", str(self._directory_port), *argv,
        )  # fmt: skip

    def processes(self) -> set[psutil.Process]:
        """Return all processes of the cluster now."""
        # Those that Ray starts name the folder, or else the head's port; what they start may bear
        # another title.
        marks = (str(self._folder), f":{self._port}")
        found: set[psutil.Process] = set()
        for each in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if any(mark in word for word in each.cmdline() for mark in marks):
                    found |= {each, *each.children(recursive=True)}
        return found

    async def _ray(self, *argv: str) -> None:
        await self._run("ray", *argv)

    async def _run(self, *argv: str) -> str:
        # Daemons that it starts inherit the log: nobody may wait for the end of a pipe.
        log = self._folder / "command.log"
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *argv, stdin=asyncio.subprocess.DEVNULL, stdout=output, stderr=output,
                env=self._environ, cwd=self._folder,
            )  # fmt: skip
        try:
            async with asyncio.timeout(COMMAND_S):
                status = await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        text = log.read_text(errors="replace")
        assert status == 0, f"{argv}: {text}"
        return text


def kill(processes: Iterable[psutil.Process]) -> None:
    """End processes and all that they have started, as kill -9 does, or as a machine that fails.

    All stand still before the first is killed. Else the head's store sees its node die, begins to
    move Serve's controller, is killed in the middle of that, and no later head goes on with it.
    """
    found: set[psutil.Process] = set()
    for each in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.suspend()
            found |= {each, *each.children(recursive=True)}
    for action in (psutil.Process.suspend, psutil.Process.kill):
        for one in found:
            with contextlib.suppress(psutil.NoSuchProcess):
                action(one)


@contextmanager
def ray_cluster(host: str = "127.0.0.1", cpus: int = 4) -> Iterator[RayCluster]:
    """Start head and node; kill every process of them at the end."""
    # Short, because the paths of Ray's sockets in it may have at most 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="ray", dir="/tmp"))
    with free_ports(5) as ports:
        cluster = RayCluster(folder, ports, host)
        try:
            asyncio.run(cluster.start_head())
            cluster.head = cluster.processes()
            asyncio.run(cluster.start_node(cpus))
            yield cluster
        finally:
            for _ in range(3):  # one that ends may have started another
                kill(cluster.processes())
            shutil.rmtree(folder, ignore_errors=True)
