"""Alert rules as Prometheus itself reads them, and the alerts that series cause."""

import subprocess
from pathlib import Path

import pytest
import yaml

from rtc_server.app.workers.totals import Totals
from rtc_server.metrics import Metrics

FOLDER = Path(__file__).parents[2] / "deploy/prometheus"


def promtool(folder: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    """Run promtool of Debian's package `prometheus` in a folder."""
    return subprocess.run(
        ["promtool", *argv], cwd=folder, text=True, capture_output=True, check=False
    )


def test_prometheus_reads_every_rule() -> None:
    [group] = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"]
    done = promtool(FOLDER, "check", "rules", "alerts.yaml")
    assert done.returncode == 0, done.stderr
    assert f"{len(group['rules'])} rules found" in done.stdout


def test_rules_wake_an_operator_when_they_should_and_not_else() -> None:
    done = promtool(FOLDER, "test", "rules", "alerts_test.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_page_has_a_series_that_it_is_tested_with() -> None:
    rules = yaml.safe_load((FOLDER / "alerts.yaml").read_text())["groups"][0]["rules"]
    fired = {
        each["alertname"]
        for test in yaml.safe_load((FOLDER / "alerts_test.yaml").read_text())["tests"]
        for each in test["alert_rule_test"]
        if each["exp_alerts"]
    }
    assert {rule["alert"] for rule in rules} <= fired


def shown_by_workers(*ups: int) -> str:
    """Series of an engine server that workers have (1) or have lost (0), as they are scraped."""
    totals = Totals()
    for number, up in enumerate(ups, start=1):
        metrics = Metrics()
        metrics.engine_server_up.labels("ast", "10.0.0.7:7070").set(up)
        totals.take(number, metrics.exposition().decode())
    name = "rtc_engine_server_up{"
    lines = totals.exposition(Metrics().exposition().decode()).splitlines()
    [series] = [line for line in lines if line.startswith(name)]
    return series


def test_an_engine_server_that_one_of_three_workers_has_lost_is_reported(tmp_path: Path) -> None:
    series, _, well = shown_by_workers(1, 1, 1).rpartition(" ")
    lost = shown_by_workers(1, 0, 1).rpartition(" ")[2]
    labels = {"severity": "ticket", "kind": "ast", "server": "10.0.0.7:7070"}
    text = " has been without engine server 10.0.0.7:7070 (ast) for two minutes."
    alert = {
        "exp_labels": labels,
        "exp_annotations": {"summary": text, "runbook": "docs/operations.md#alerts"},
    }
    rule = {"alertname": "RtcEngineServerGone"}
    test = {
        "interval": "1m",
        "input_series": [{"series": series, "values": f"{float(well):g}x9 {float(lost):g}x20"}],
        "alert_rule_test": [
            {"eval_time": "9m", **rule, "exp_alerts": []},
            {"eval_time": "15m", **rule, "exp_alerts": [alert]},
        ],
    }
    rules = {"rule_files": [str(FOLDER / "alerts.yaml")], "evaluation_interval": "1m"}
    (tmp_path / "test.yaml").write_text(yaml.safe_dump({**rules, "tests": [test]}))
    done = promtool(tmp_path, "test", "rules", "test.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def scraped(tmp_path: Path) -> Path:
    """The folder as it is mounted, with the key that the operator puts there."""
    for each in FOLDER.iterdir():
        text = each.read_text().replace("/run/secrets/api-key", str(tmp_path / "api-key"))
        (tmp_path / each.name).write_text(text)
    (tmp_path / "api-key").write_text("a-key")
    return tmp_path


def test_prometheus_reads_its_configuration(scraped: Path) -> None:
    done = promtool(scraped, "check", "config", "prometheus.yml")
    assert done.returncode == 0, done.stdout + done.stderr
