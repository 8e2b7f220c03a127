"""``deploy/ray/serve.yaml`` against the code and KubeRay's types: the names in it exist, its
options are read, and its fields are those of a `RayService`.
"""

import argparse
import copy
import importlib
import re
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from rtc_server.config import ClusterSettings, EngineSettings, HttpSettings, load
from rtc_server.options import variable

CHECKOUT = Path(__file__).parents[3]
SERVICE, POLICY = yaml.safe_load_all((CHECKOUT / "deploy" / "ray" / "serve.yaml").read_text())
CONFIG: dict[str, Any] = yaml.safe_load(SERVICE["spec"]["serveConfigV2"])
[APPLICATION] = CONFIG["applications"]
RAY = SERVICE["spec"]["rayClusterConfig"]
[WORKERS] = RAY["workerGroupSpecs"]


def exactly(required: tuple[str, ...], **properties: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of an object with these fields and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


TEXT = {"type": "string", "minLength": 1}
COUNT = {"type": "integer", "minimum": 0}
PARAMS = {"type": "object", "additionalProperties": {"type": "string"}}
QUANTITIES = {
    "type": "object",
    "additionalProperties": {"type": ["string", "integer"], "pattern": r"^\d+(m|[KMG]i)?$"},
}
CONTAINER = exactly(
    ("name", "image", "resources"),
    name=TEXT,
    image=TEXT,
    env={
        "type": "array",
        "items": {
            "type": "object",
            "required": ["name"],
            "oneOf": [{"required": ["value"]}, {"required": ["valueFrom"]}],
            "properties": {"name": TEXT, "value": TEXT, "valueFrom": {"type": "object"}},
            "additionalProperties": False,
        },
    },
    ports={"type": "array", "items": exactly(("containerPort",), containerPort=COUNT, name=TEXT)},
    resources=exactly((), requests=QUANTITIES, limits=QUANTITIES),
    volumeMounts={
        "type": "array",
        "items": exactly(
            ("name", "mountPath"), name=TEXT, mountPath=TEXT, readOnly={"type": "boolean"}
        ),
    },
)
POD = exactly(
    ("spec",),
    spec=exactly(
        ("containers",),
        containers={"type": "array", "minItems": 1, "items": CONTAINER},
        volumes={"type": "array", "items": {"type": "object", "required": ["name"]}},
        terminationGracePeriodSeconds=COUNT,
    ),
)
SERVICE_SCHEMA = exactly(
    ("apiVersion", "kind", "metadata", "spec"),
    apiVersion={"const": "ray.io/v1"},
    kind={"const": "RayService"},
    metadata=exactly(("name",), name=TEXT),
    spec=exactly(
        ("serveConfigV2", "rayClusterConfig"),
        serveConfigV2=TEXT,
        rayClusterConfig=exactly(
            ("headGroupSpec",),
            rayVersion=TEXT,
            gcsFaultToleranceOptions=exactly(("redisAddress",), redisAddress=TEXT),
            headGroupSpec=exactly(
                ("rayStartParams", "template"), rayStartParams=PARAMS, template=POD
            ),
            workerGroupSpecs={
                "type": "array",
                "items": exactly(
                    ("groupName", "minReplicas", "maxReplicas", "rayStartParams", "template"),
                    groupName=TEXT,
                    replicas=COUNT,
                    minReplicas=COUNT,
                    maxReplicas=COUNT,
                    rayStartParams=PARAMS,
                    template=POD,
                ),
            },
        ),
    ),
)
"""The part of KubeRay's types (``ray-operator/apis/ray/v1``) that the file uses."""


def settings() -> tuple[EngineSettings, HttpSettings, ClusterSettings]:
    options = {variable(name): str(value) for name, value in APPLICATION["args"].items()}
    engines, http, cluster = load(
        argparse.Namespace(), options, EngineSettings, HttpSettings, ClusterSettings
    )
    return engines, http, cluster


def test_its_options_are_those_of_the_command() -> None:
    engines, _, cluster = settings()
    assert cluster.gpus(engines.engines) == 1
    assert (cluster.replicas_min, cluster.replicas_max) == (2, 4)
    assert WORKERS["maxReplicas"] >= cluster.replicas_max
    assert APPLICATION["name"] == cluster.cluster_name
    assert APPLICATION["route_prefix"] == f"/{cluster.cluster_name}"


def test_it_is_a_ray_service_field_by_field() -> None:
    jsonschema.validate(SERVICE, SERVICE_SCHEMA)
    assert WORKERS["minReplicas"] <= WORKERS["replicas"] <= WORKERS["maxReplicas"]
    wrong = copy.deepcopy(SERVICE)
    wrong["spec"]["rayClusterConfig"]["headGroupSpec"]["rayStartParams"] = {"num-cpus": 0}
    with pytest.raises(jsonschema.ValidationError, match="is not of type 'string'"):
        jsonschema.validate(wrong, SERVICE_SCHEMA)


def test_every_volume_that_is_mounted_is_there() -> None:
    for group in (RAY["headGroupSpec"], WORKERS):
        pod = group["template"]["spec"]
        mounted = {m["name"] for each in pod["containers"] for m in each.get("volumeMounts", ())}
        assert mounted == {each["name"] for each in pod.get("volumes", ())}


def test_what_it_imports_is_there_without_ray() -> None:
    module, _, name = APPLICATION["import_path"].partition(":")
    assert callable(getattr(importlib.import_module(module), name))


def test_its_ray_is_the_one_that_was_tested() -> None:
    constraints = (CHECKOUT / "scripts" / "constraints.txt").read_text()
    assert f"\nray=={RAY['rayVersion']}\n" in constraints
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    [requirement] = project["optional-dependencies"]["ray"]
    assert re.match(r"ray\[serve\]>=2\.60,", requirement)


def test_a_pod_is_left_alone_until_it_has_drained() -> None:
    _, http, _ = settings()
    pod = WORKERS["template"]["spec"]
    assert pod["terminationGracePeriodSeconds"] >= http.drain_s + 15


def test_the_token_is_a_secret_and_strangers_reach_nothing() -> None:
    for group in (RAY["headGroupSpec"], WORKERS):
        [container] = group["template"]["spec"]["containers"]
        token = next(each for each in container["env"] if each["name"] == "RTC_ENGINE_TOKEN")
        assert "secretKeyRef" in token["valueFrom"]
    assert "engine_token" not in APPLICATION["args"]
    _, _, cluster = settings()
    among_themselves, media = POLICY["spec"]["ingress"]
    assert all("podSelector" in each for each in among_themselves["from"] + media["from"])
    assert media["ports"] == [
        {"port": CONFIG["http_options"]["port"]},
        {"port": cluster.replica_port_first, "endPort": cluster.replica_port_last},
    ]
