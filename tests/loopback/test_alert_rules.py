"""Alert rules as Prometheus itself reads them, and what they make of series."""

import subprocess
from pathlib import Path

import pytest
import yaml

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
