"""Replicas by open calls."""

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from rtc_server.engines.ray.calls_policy import CallsPolicy


@dataclass
class Context:
    aggregated_metrics: Mapping[str, Mapping[str, float]] | None
    target_num_replicas: int = 2


@pytest.mark.parametrize(
    ("calls", "wanted"),
    [
        ({"a": 0.0}, 1),
        ({"a": 8.0}, 1),
        ({"a": 8.2}, 2),
        ({"a": 16.0, "b": 0.0}, 2),
        ({"a": 9.0, "b": 9.0}, 3),
        ({"a": 0.1, "b": 7.9}, 1),
        ({"a": 0.5, "b": 0.5, "c": 0.5}, 1),
        ({"a": 8 / 3, "b": 8 / 3, "c": 8 / 3}, 1),
    ],
)
def test_as_many_as_the_open_calls_need(calls: dict[str, float], wanted: int) -> None:
    assert CallsPolicy(calls_per_replica=8)(Context({"calls": calls})) == (wanted, {})


@pytest.mark.parametrize("metrics", [None, {}, {"calls": {}}, {"other": {"a": 99.0}}])
def test_without_a_report_all_stays_as_it_is(
    metrics: Mapping[str, Mapping[str, float]] | None,
) -> None:
    assert CallsPolicy(calls_per_replica=8)(Context(metrics, 5)) == (5, {})
