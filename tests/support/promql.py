"""Names in PromQL expressions, by a small scanner: enough to hold queries against metrics."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client import Counter, Histogram
from prometheus_client.metrics import MetricWrapperBase

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_RANGE = re.compile(r"\[[^\]]*\]")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_SELECTOR = re.compile(r"([A-Za-z_:][\w:]*)\s*(?:\{([^}]*)\})?(\s*\()?")
_LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
_OPERATORS = {"and", "or", "unless", "bool", "offset"}
_OF_THE_SCRAPE = {"instance", "job"}
"""Labels that Prometheus adds."""


@dataclass(frozen=True, slots=True)
class Selector:
    """One metric in an expression, and the labels that select its series."""

    metric: str
    labels: tuple[str, ...]


def selectors(expression: str) -> Iterator[Selector]:
    """Yield each metric that the expression reads."""
    plain = _GROUPING.sub(" ", _RANGE.sub(" ", _STRING.sub('""', expression)))
    for name, labels, call in _SELECTOR.findall(plain):
        if not call and name not in _OPERATORS:
            yield Selector(name, tuple(_LABEL.findall(labels)))


def grouped_labels(expression: str) -> set[str]:
    """Return the labels of all ``by (…)`` and their like."""
    groups = _GROUPING.findall(_STRING.sub('""', expression))
    return {label.strip() for group in groups for label in group.split(",") if label.strip()}


def series_names(metric: MetricWrapperBase) -> dict[str, set[str]]:
    """Return the names under which Prometheus keeps a metric, each with its labels."""
    labels = {*metric._labelnames, *_OF_THE_SCRAPE}  # the library has no public name for them
    name = next(iter(metric.describe())).name
    if isinstance(metric, Histogram):
        return {f"{name}_bucket": {*labels, "le"}, f"{name}_sum": labels, f"{name}_count": labels}
    return {f"{name}_total" if isinstance(metric, Counter) else name: labels}


def complaints(expression: str, known: dict[str, set[str]]) -> list[str]:
    """Return what the expression asks for that is not in `known`, one sentence each."""
    found, labels = [], set()
    for selector in selectors(expression):
        if selector.metric not in known:
            found.append(f"there is no metric {selector.metric}")
            continue
        there = known[selector.metric]
        labels |= there
        found += [f"{selector.metric} has no label {each}" for each in {*selector.labels} - there]
    return found + [f"nothing has the label {each}" for each in grouped_labels(expression) - labels]
