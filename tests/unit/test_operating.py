"""The metrics of the documentation are those that there are."""

import re
from pathlib import Path

from rtc_server.metrics import Metrics

DOCUMENT = Path(__file__).parents[2] / "docs" / "operating.md"


def test_every_metric_is_documented_with_its_labels() -> None:
    there = {}
    for metric in Metrics().registry.collect():
        there[metric.name] = metric.documentation
    rows = re.findall(r"^\| `(rtc_\w+?)(?:\{(\w+(?:, \w+)*)\})?` \((\w+)\) \| (.+) \|$",
                      DOCUMENT.read_text(), re.MULTILINE)  # fmt: skip
    assert {name.removesuffix("_total"): text for name, _, _, text in rows} == there
