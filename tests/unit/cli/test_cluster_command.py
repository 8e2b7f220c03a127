"""``rtc-server cluster`` with a stand-in for Ray."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from rtc_server.cli import cluster, main
from rtc_server.engines.ray.replica import ReplicaState


@dataclass
class PlayedCluster:
    """Stand-in for `rtc_server.engines.ray.operating`."""

    state: str = ""
    """State of the application; empty when there is none."""
    joined_at: list[str] = field(default_factory=list)

    @contextmanager
    def joined(self, address: str) -> Iterator[None]:
        self.joined_at.append(address)
        yield

    def status(self, name: str) -> SimpleNamespace | None:
        replicas = (
            ReplicaState(address="ws://10.0.0.3:7070", is_draining=False, calls=3),
            ReplicaState(address="ws://10.0.0.4:7070", is_draining=True, calls=1),
        )
        found = SimpleNamespace(name=name, state=self.state, message="", replicas=replicas)
        return found if self.state else None

    def drain(self, name: str) -> bool:
        assert name == "blue"
        was, self.state = self.state, ""
        return bool(was)


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> PlayedCluster:
    made = PlayedCluster()
    monkeypatch.setattr(cluster, "_with_ray", lambda: made)
    return made


def ran(*argv: str) -> int:
    return main(["cluster", *argv, "--cluster-name", "blue"], {"RTC_RAY_ADDRESS": "10.0.0.2:6379"})


def test_status_shows_each_server_and_succeeds_when_it_runs(
    played: PlayedCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ran("status") == 1
    assert capsys.readouterr().out == "blue: not deployed\n"
    played.state = "DEPLOYING"
    assert ran("status") == 1
    played.state = "RUNNING"
    capsys.readouterr()
    assert ran("status") == 0
    assert capsys.readouterr().out.splitlines() == [
        "blue: RUNNING",
        "  ws://10.0.0.3:7070  takes calls, 3 open",
        "  ws://10.0.0.4:7070  draining, 1 open",
    ]
    assert set(played.joined_at) == {"10.0.0.2:6379"}


def test_drain_says_what_it_found(
    played: PlayedCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    played.state = "RUNNING"
    assert [ran("drain"), ran("drain")] == [0, 1]
    assert capsys.readouterr().out == "blue: drained\nblue: not deployed\n"
