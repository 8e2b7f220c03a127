"""Engine servers for a cluster: settings, ports, and a command that needs Ray and says so."""

import argparse
import pickle
import socket
import subprocess
import sys

import pytest

from rtc_server.app.cluster_order import ReplicaOrder, free_port
from rtc_server.cli import main
from rtc_server.config import ClusterSettings, EngineSettings, HttpSettings, load
from rtc_server.errors import ConfigError
from rtc_server.options import add_options
from tests.support.engine_server import FAKES, TOKEN


def read(*argv: str) -> ClusterSettings:
    parser = argparse.ArgumentParser()
    add_options(parser, ClusterSettings)
    [settings] = load(parser.parse_args(argv), {}, ClusterSettings)
    assert isinstance(settings, ClusterSettings)
    return settings


def test_the_set_for_gpus_takes_one_unless_told_otherwise() -> None:
    assert [read().gpus(name) for name in ("embedded", "laptop", "gpu")] == [0, 0, 1]
    assert read("--replica-gpus", "0.25").gpus("gpu") == 0.25
    assert read("--replica-gpus", "0").gpus("gpu") == 0


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (("--replicas-min", "3", "--replicas-max", "2"), "must not be less"),
        (("--replica-gpus", "1.5"), "a part of one GPU"),
        (("--replica-gpus", "-0.5"), "a part of one GPU"),
        (("--cluster-name", "No path"), "small letters"),
        (("--replica-port-first", "7071", "--replica-port-last", "7070"), "in this order"),
        (("--replica-port-last", "7070"), "in this order"),
    ],
)
def test_what_cannot_be_is_refused(argv: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        read(*argv)


@pytest.mark.real_time
def test_a_port_of_the_range_that_is_free_is_taken() -> None:
    assert free_port("127.0.0.1", 0, 0) == 0
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match="are taken"):
            free_port("127.0.0.1", port, port)
    assert free_port("127.0.0.1", port, port) == port


@pytest.mark.real_time
async def test_an_order_arrives_elsewhere_and_becomes_a_server() -> None:
    ast, tts = FAKES
    engines = EngineSettings(ast=ast, tts=tts, engine_token=TOKEN)
    order = pickle.loads(pickle.dumps(ReplicaOrder(("ast",), engines, HttpSettings())))
    async with order("127.0.0.1") as running:
        assert running.address.startswith("ws://127.0.0.1:")
        assert running.server.ready


WITHOUT_RAY = """
import sys
sys.modules["ray"] = sys.modules["starlette"] = None  # as if they were not installed
import rtc_server.app.cluster_order, rtc_server.engines.ray.replica, rtc_server.engines.ray.listing
import rtc_server.engines.ray.calls_policy
from rtc_server.cli import main
sys.exit(main(["cluster", sys.argv[1]], {}))
"""


@pytest.mark.real_time
@pytest.mark.parametrize("action", ["deploy", "status", "drain"])
def test_without_ray_the_command_says_how_to_install_it(action: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_RAY, action], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2, done.stderr
    assert "Ray is not installed. Run: " in done.stderr
    assert " -m pip install " in done.stderr


def test_a_wrong_setting_is_said_before_ray_is_needed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cluster", "deploy"], {"RTC_REPLICAS_MIN": "0"}) == 2
    assert "RTC_REPLICAS_MIN" in capsys.readouterr().err
