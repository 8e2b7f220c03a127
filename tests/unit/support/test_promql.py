"""The scanner of PromQL expressions."""

import pytest

from tests.support.promql import complaints, grouped_labels, selectors

KNOWN = {"a_total": {"kind", "instance"}, "b_bucket": {"le", "instance"}}


def test_metrics_are_told_from_functions_keywords_and_strings() -> None:
    expression = (
        'histogram_quantile(0.9, sum by (le) (rate(b_bucket{instance=~"x{y}"}[$__rate_interval]))) '
        'and on (instance) a_total{kind="c_total", instance!~"$i"} > 1000'
    )
    found = [(each.metric, each.labels) for each in selectors(expression)]
    assert found == [("b_bucket", ("instance",)), ("a_total", ("kind", "instance"))]
    assert grouped_labels(expression) == {"le", "instance"}


@pytest.mark.parametrize(
    ("expression", "complaint"),
    [
        ("rate(a[5m])", "there is no metric a"),
        ('a_total{sort="x"}', "a_total has no label sort"),
        ("sum by (colour) (a_total)", "nothing has the label colour"),
    ],
)
def test_what_is_not_there_is_named(expression: str, complaint: str) -> None:
    assert complaints(expression, KNOWN) == [complaint]


def test_what_is_there_is_fine() -> None:
    assert not complaints("sum by (kind, instance) (increase(a_total[1h])) > 2", KNOWN)
