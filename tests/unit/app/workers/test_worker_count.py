"""Number of workers that the option asks for."""

import os

import pytest

from rtc_server.config import WorkerSettings
from rtc_server.errors import ConfigError


@pytest.mark.parametrize(("cores", "count"), [(1, 1), (2, 1), (3, 2), (16, 15)])
def test_auto_takes_one_for_each_core_but_one(
    cores: int, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _pid: set(range(cores)), raising=False)
    assert WorkerSettings("auto").count() == count


def test_auto_takes_one_where_nobody_tells_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert WorkerSettings("auto").count() == 1


def test_a_number_is_taken_as_it_is() -> None:
    assert WorkerSettings("7").count() == 7
    assert WorkerSettings().count() == 1


@pytest.mark.parametrize("workers", ["0", "257", "-1", "2.5", "many", "", "Auto"])
def test_what_is_no_number_of_workers_is_refused(workers: str) -> None:
    with pytest.raises(ConfigError, match="from 1 to 256, or auto"):
        WorkerSettings(workers)
