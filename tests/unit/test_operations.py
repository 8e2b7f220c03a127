"""Metrics in the documentation, the dashboard and the alert rules."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from rtc_server.metrics import Metrics
from tests.support.promql import complaints, series_names

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "operations.md").read_text()
DASHBOARD = json.loads((ROOT / "deploy/grafana/dashboards/rtc-server.json").read_text())
ALERTS = [
    rule
    for group in yaml.safe_load((ROOT / "deploy/prometheus/alerts.yaml").read_text())["groups"]
    for rule in group["rules"]
]
NOT_OURS = {"up": {"job", "instance"}}
"""Metrics that Prometheus makes itself."""


def metrics() -> list[Any]:
    return [each for name, each in vars(Metrics()).items() if name != "registry"]


def every_series() -> dict[str, set[str]]:
    return {name: labels for metric in metrics() for name, labels in series_names(metric).items()}


def panels() -> Iterator[dict[str, Any]]:
    for panel in DASHBOARD["panels"]:
        yield from [panel, *panel.get("panels", [])]


def queries() -> Iterator[tuple[str, str]]:
    """Title and expression of each query of the dashboard."""
    for panel in panels():
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]


def test_every_metric_is_documented_with_its_labels() -> None:
    there = {
        metric.describe()[0].name: (metric._labelnames, metric.describe()[0].documentation)
        for metric in metrics()
    }
    rows = re.findall(
        r"^\| `(rtc_\w+?)(?:\{(\w+(?:, \w+)*)\})?` \(\w+\) \| (.+) \|$", DOCUMENT, re.MULTILINE
    )
    documented = {
        name.removesuffix("_total"): (tuple(filter(None, labels.split(", "))), text)
        for name, labels, text in rows
    }
    assert documented == there


def test_every_query_of_the_dashboard_asks_for_what_is_there() -> None:
    known = every_series()
    assert not [(title, each) for title, query in queries() for each in complaints(query, known)]


def test_the_dashboard_shows_every_metric() -> None:
    shown = " ".join(query for _, query in queries())
    names = [metric.describe()[0].name for metric in metrics()]
    assert not [name for name in names if name not in shown]


def test_panels_do_not_overlap_and_have_a_description() -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in panels():
        assert panel["type"] == "row" or panel["description"], panel["title"]
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert taken.setdefault((x, y), panel["title"]) == panel["title"]


def test_every_alert_asks_for_what_is_there() -> None:
    known = every_series() | NOT_OURS
    assert not [
        (rule["alert"], each) for rule in ALERTS for each in complaints(rule["expr"], known)
    ]


def test_every_alert_has_a_severity_a_summary_and_a_line_of_what_to_do() -> None:
    for rule in ALERTS:
        assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]
        assert rule["annotations"]["summary"].endswith("."), rule["alert"]
        assert rule["annotations"]["runbook"] == "docs/operations.md#alerts"
    rows = re.findall(r"^\| `(Rtc\w+)` \| (page|ticket) \|", DOCUMENT, re.MULTILINE)
    assert rows == [(rule["alert"], rule["labels"]["severity"]) for rule in ALERTS]


def test_an_alert_on_an_increase_sees_the_first_one() -> None:
    """A series that begins at 1 has not increased, as Prometheus counts."""
    text = Metrics().exposition().decode()
    for sample in (
        'rtc_sessions_closed_total{reason="error"} 0.0',
        'rtc_engine_restarts_total{cause="crash",kind="ast"} 0.0',
        'rtc_queue_drops_total{queue="log"} 0.0',
        'rtc_queue_drops_total{queue="usage"} 0.0',
        'rtc_calls_refused_total{code="session_limit_reached"} 0.0',
        'rtc_segments_total{status="failed"} 0.0',
    ):
        assert sample in text
