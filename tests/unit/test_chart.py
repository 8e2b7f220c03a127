"""The Helm chart as far as it is read without Helm: values, their schema, what templates use."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from rtc_server.config import EngineSettings, sections
from rtc_server.options import settings_fields, variable

CHART = Path(__file__).parents[2] / "deploy/helm/rtc-server"
VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
TEMPLATES = "\n".join(path.read_text() for path in sorted((CHART / "templates").iterdir()))
FREE_FORM = {"settings", "resources", "nodeSelector", "tolerations"}


def complete(**changes: Any) -> dict[str, Any]:
    """The chart's values with what the operator has to fill in."""
    values = copy.deepcopy(VALUES)
    values["auth"]["existingSecret"] = "a-secret"
    return values | changes


def paths(values: dict[str, Any], before: str = "") -> set[str]:
    found: set[str] = set()
    for name, value in values.items():
        nested = isinstance(value, dict) and name not in FREE_FORM
        found |= paths(value, f"{before}{name}.") if nested else {before + name}
    return found


def test_the_schema_takes_the_values_once_a_secret_is_named() -> None:
    jsonschema.validate(complete(), SCHEMA)
    with pytest.raises(jsonschema.ValidationError, match=r"too short|non-empty"):
        jsonschema.validate(VALUES, SCHEMA)


@pytest.mark.parametrize(
    "changes",
    [
        {"replica": 2},
        {"replicas": 0},
        {"settings": {"PORT": 8000}},
        {"turn": {"servers": ["turn.example"]}},
        {"serviceMonitor": {"enabled": True, "interval": "often"}},
        {"serviceMonitor": {"from": [{}]}},  # everybody
        {"workers": 0},
        {"workers": "all"},
        {"engines": {"servers": ["gpu-1"]}},
        {"engines": {"servers": ["gpu-1:7070,gpu-2:7070"]}},
        {"engines": {"settings": {"ENGINES": "gpu"}}},
    ],
)
def test_the_schema_refuses_what_would_not_work(changes: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(complete(**changes), SCHEMA)


@pytest.mark.parametrize(
    "server", ["gpu-1:7070", "ws://10.0.0.7:7070", "[fd00::1]:7070", "http://ray-svc:8000/engines"]
)
def test_the_schema_takes_what_the_option_takes(server: str) -> None:
    jsonschema.validate(complete(engines={"servers": [server]}), SCHEMA)
    EngineSettings(ast_servers=(server,), engine_token="0123456789abcdef")


def test_templates_use_every_value_and_no_other() -> None:
    used = set(re.findall(r"\.Values\.(\w+(?:\.\w+)*)", TEMPLATES))
    assert used == paths(VALUES)


def typed(kind: dict[str, Any], before: str = "") -> set[str]:
    """Paths that the schema gives a type, down to those that hold a value."""
    found: set[str] = set()
    for name, inner in kind["properties"].items():
        known = SCHEMA["properties"][inner["$ref"].rpartition("/")[2]] if "$ref" in inner else inner
        nested = "properties" in known
        found |= typed(known, f"{before}{name}.") if nested else {before + name}
    return found


def test_every_value_has_a_type() -> None:
    assert typed(SCHEMA) - {"global"} == paths(VALUES)


def test_the_cluster_adds_no_variables_that_look_like_settings() -> None:
    assert "enableServiceLinks: false" in TEMPLATES


def test_settings_exist() -> None:
    known = {variable(fld.name) for _, fld, _ in settings_fields(*sections())}
    assert known.issuperset(re.findall(r"name: (RTC_\w+)", TEMPLATES))
