"""Choice of Canary's device, and the recording of steps, with CUDA as far as it can be imitated."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
import torch

from rtc_server.engines.canary.buffers import Recorder
from rtc_server.engines.canary.device import choose_device
from rtc_server.engines.nvidia import NvidiaDriver
from rtc_server.errors import EngineUnavailable

OLD = NvidiaDriver("/dev/nvidia0", "535.161.07")


@pytest.fixture
def cuda_build(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyTorch as PyPI has it, on a driver that is too old for it: it sees no GPU."""
    monkeypatch.setattr(torch.version, "cuda", "13.0")


@pytest.mark.parametrize("wanted", ["auto", "cuda"])
def test_a_gpu_that_the_driver_is_too_old_for_never_means_the_cpu(
    cuda_build: None, wanted: str
) -> None:
    with pytest.raises(EngineUnavailable, match=r"CUDA 13\.0.*535\.161\.07.*580 or later"):
        choose_device(wanted, lambda: OLD)


def test_the_cpu_serves_where_it_was_chosen_or_there_is_no_gpu(cuda_build: None) -> None:
    assert choose_device("cpu", lambda: OLD) == "cpu"
    assert choose_device("auto", lambda: None) == "cpu"
    with pytest.raises(EngineUnavailable, match="PyTorch sees no GPU"):
        choose_device("cuda", lambda: None)


def test_pytorch_for_the_cpu_was_somebodys_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "cuda", None)
    assert choose_device("auto", lambda: OLD) == "cpu"


def test_all_steps_are_recorded_into_one_pool_on_one_stream(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recorded: list[tuple[Any, Any]] = []

    class Stream:
        def wait_stream(self, _other: object) -> None:
            """Do nothing: there is no other stream."""

    @contextmanager
    def graph(_graph: object, *, pool: Any, stream: Any) -> Iterator[None]:
        recorded.append((pool, stream))
        yield

    for name, fake in {
        "graph_pool_handle": object,
        "Stream": Stream,
        "current_stream": Stream,
        "stream": lambda _stream: nullcontext(),
        "CUDAGraph": object,
        "graph": graph,
    }.items():
        monkeypatch.setattr(torch.cuda, name, fake)
    recorder = Recorder()
    counted = torch.zeros(1)
    seen = []
    for _ in range(2):
        recorder.record(lambda: seen.append(float(counted.add_(1))), (counted,))
    assert len(set(recorded)) == 1
    # Two steps choose workspaces and are undone; what is recorded would have no effect on CUDA.
    assert seen == [1.0, 2.0, 1.0, 2.0, 3.0, 2.0]
