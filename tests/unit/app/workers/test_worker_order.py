"""Orders to a new process: those of another version are refused."""

import json
import pickle
import socket
import struct
from dataclasses import dataclass

import pytest

from rtc_server.app.workers import worker_order
from rtc_server.app.workers.process import FINGERPRINT
from rtc_server.app.workers.worker_order import WorkerOrder, fingerprint
from rtc_server.cli.worker import read_order
from rtc_server.config import Settings

ORDER = WorkerOrder(3, "/run/3.sock", Settings())


def sent(first: bytes) -> tuple[socket.socket, socket.socket]:
    """Return both ends, after the supervisor has sent its order."""
    ours, theirs = socket.socketpair()
    blob = pickle.dumps(ORDER)
    ours.sendall(first + struct.pack("!I", len(blob)) + blob)
    return ours, theirs


def test_an_order_of_the_same_version_is_read() -> None:
    ours, theirs = sent(FINGERPRINT)
    with ours, theirs:
        assert read_order(theirs) == ORDER


@pytest.mark.parametrize("first", [b"\0" * len(FINGERPRINT), b""])
def test_an_order_of_another_version_is_refused_with_a_sentence(first: bytes) -> None:
    ours, theirs = sent(first)
    with ours, theirs:
        assert read_order(theirs) is None
        kind, _, fields = json.loads(ours.recv(4096))
        assert (kind, "restart the server" in fields["message"]) == ("failed", True)


def test_the_version_and_each_field_count(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fingerprint() == FINGERPRINT == fingerprint()

    @dataclass(frozen=True, slots=True)
    class Other:
        number: int
        settings: Settings
        socket_path: str
        more: int

    with monkeypatch.context() as patch:
        patch.setattr(worker_order, "WorkerOrder", Other)
        assert fingerprint() != FINGERPRINT
    monkeypatch.setattr(worker_order, "__version__", "0.0.0")
    assert fingerprint() != FINGERPRINT
