"""The Helm chart as Helm renders it: the arguments of a pod, and the network policy."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from rtc_server.cli.main import build_parser
from rtc_server.config import sections
from rtc_server.options import settings_fields, variable

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        find_spec("helm_python") is None,
        reason="Helm (75 MB) is not installed: pip install --require-hashes -r scripts/helm.txt",
    ),
]

CHART = Path(__file__).parents[2] / "deploy/helm/rtc-server"
LEAST = {"auth": {"existingSecret": "keys"}}
TOKEN = {"existingSecret": "engine-token"}
NODES = {"ipBlock": {"cidr": "10.0.0.0/24"}}
PROMETHEUS = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
ENGINES = LEAST | {"engines": {"enabled": True, "token": TOKEN, "networkPolicy": {"from": [NODES]}}}
EVERYTHING = LEAST | {
    "workers": "auto",
    "media": {"hostNetwork": False, "udpPortLast": 50001, "publicAddress": "203.0.113.7"},
    "turn": {"servers": ["turn:turn.example"], "existingSecret": "turn"},
    "models": {"existingClaim": "models"},
    "settings": {"RTC_MAX_SESSIONS": 20},
    "serviceMonitor": {"enabled": True, "from": [PROMETHEUS]},
    "nodeSelector": {"media": "yes"},
    "tolerations": [{"key": "media"}],
    "engines": {
        "enabled": True,
        "servers": ["http://ray-serve-svc:8000/engines"],
        "image": {"repository": "registry.example/gpu", "tag": "2"},
        "token": TOKEN,
        "tls": {"existingSecret": "engine-tls"},
        "models": {"existingClaim": "gpu-models"},
        "settings": {"RTC_ENGINES": "gpu"},
        "nodeSelector": {"gpu": "yes"},
        "tolerations": [{"key": "gpu"}],
    },
}
RENDER = """
import json, sys, helm_python as helm
chart, values = sys.argv[1], json.loads(sys.argv[2])
try:
    with helm.Chart.load(chart) as loaded:
        print(json.dumps(loaded.render(values, name="live", namespace="media")))
except helm.HelmError as error:
    sys.exit(str(error))
"""
"""Program for a process of its own: the library brings a runtime with threads and signals."""

Resource = dict[str, Any]


def template(values: Resource) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", RENDER, str(CHART), json.dumps(values)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def rendered(values: Resource) -> dict[tuple[str, str], Resource]:
    """Resources by kind and name."""
    done = template(values)
    assert done.returncode == 0, done.stderr
    found = [
        each
        for text in json.loads(done.stdout).values()
        for each in yaml.safe_load_all(text)
        if each is not None
    ]
    by_name = {(each["kind"], each["metadata"]["name"]): each for each in found}
    assert len(by_name) == len(found)
    return by_name


def container(deployment: Resource) -> Resource:
    [only] = deployment["spec"]["template"]["spec"]["containers"]
    assert isinstance(only, dict)
    return only


def environment(deployment: Resource) -> dict[str, Any]:
    rows = container(deployment)["env"]
    found = {each["name"]: each.get("value", each.get("valueFrom")) for each in rows}
    assert len(found) == len(rows)
    return found


def chosen(selector: Resource, deployment: Resource) -> bool:
    """Return True where a selector takes the pods of a deployment."""
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    return all(labels.get(name) == value for name, value in selector.items())


def test_by_default_a_pod_has_its_own_engines() -> None:
    found = rendered(LEAST)
    assert {kind for kind, _ in found} == {"Deployment", "Service", "PodDisruptionBudget"}
    assert len(found) == 3
    names = environment(found["Deployment", "live"])
    assert names["RTC_WORKERS"] == "1"
    assert not [name for name in names if "ENGINE" in name or "SERVERS" in name]


@pytest.mark.parametrize("values", [ENGINES, EVERYTHING], ids=["plain", "everything"])
def test_media_pods_find_the_engines_by_name_and_reach_them(values: Resource) -> None:
    found = rendered(values)
    media, engines = found["Deployment", "live"], found["Deployment", "live-engines"]
    assert environment(media)["RTC_ENGINE_TOKEN"] == environment(engines)["RTC_ENGINE_TOKEN"]
    service = found["Service", "live-engines"]["spec"]
    assert service["clusterIP"] == "None"
    [port] = service["ports"]
    address = environment(media)["RTC_AST_SERVERS"].split(",")[0]
    assert address.removeprefix("ws://") == f"live-engines:{port['port']}"
    assert environment(media)["RTC_TTS_SERVERS"] == environment(media)["RTC_AST_SERVERS"]
    [listens] = container(engines)["ports"]
    assert listens["name"] == port["targetPort"]
    policy = found["NetworkPolicy", "live-engines"]["spec"]
    assert chosen(policy["podSelector"]["matchLabels"], engines)
    [rule] = policy["ingress"]
    assert rule["ports"] == [{"port": listens["containerPort"]}]
    assert chosen(rule["from"][0]["podSelector"]["matchLabels"], media)
    assert not chosen(rule["from"][0]["podSelector"]["matchLabels"], engines)
    assert rule["from"][1:] == ([NODES] if values is ENGINES else [PROMETHEUS])


@pytest.mark.parametrize("values", [LEAST, ENGINES, EVERYTHING], ids=["least", "plain", "all"])
def test_no_selector_takes_the_pods_of_both(values: Resource) -> None:
    found = rendered(values)
    deployments = [each for (kind, _), each in found.items() if kind == "Deployment"]
    for (kind, name), each in found.items():
        match kind:
            case "Service":
                selector = each["spec"]["selector"]
            case "Deployment" | "PodDisruptionBudget" | "ServiceMonitor":
                selector = each["spec"]["selector"]["matchLabels"]
            case _:
                continue
        taken = [one["metadata"]["name"] for one in deployments if chosen(selector, one)]
        assert taken == [name], kind


def test_without_tls_the_addresses_say_so_and_with_it_names_are_checked() -> None:
    plain, whole = rendered(ENGINES), rendered(EVERYTHING)
    assert environment(plain["Deployment", "live"])["RTC_AST_SERVERS"] == "ws://live-engines:7070"
    media, engines = whole["Deployment", "live"], whole["Deployment", "live-engines"]
    assert environment(media)["RTC_AST_SERVERS"].startswith("live-engines:7070,http://ray")
    for deployment, names in ((media, ["ENGINE_CA"]), (engines, ["TLS_CERT", "TLS_KEY"])):
        mounts = {each["mountPath"] for each in container(deployment)["volumeMounts"]}
        for name in names:
            path = Path(environment(deployment)[f"RTC_{name}"])
            assert str(path.parent) in mounts
    probes = ("startupProbe", "livenessProbe", "readinessProbe")
    schemes = {container(engines)[each]["httpGet"]["scheme"] for each in probes}
    assert schemes == {"HTTPS"}


@pytest.mark.parametrize("values", [ENGINES, EVERYTHING], ids=["plain", "everything"])
def test_every_pod_is_started_with_what_there_is_and_ends_in_its_own_time(
    values: Resource,
) -> None:
    known = {variable(fld.name) for _, fld, _ in settings_fields(*sections())}
    for (kind, _), deployment in rendered(values).items():
        if kind != "Deployment":
            continue
        names, pod = environment(deployment), deployment["spec"]["template"]["spec"]
        assert names.keys() <= known
        build_parser().parse_args(container(deployment).get("args", ["serve"]))
        assert pod["terminationGracePeriodSeconds"] > int(names["RTC_DRAIN_S"]) + 10
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert container(deployment)["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        volumes = {each["name"] for each in pod["volumes"]}
        assert {each["name"] for each in container(deployment)["volumeMounts"]} == volumes


@pytest.mark.parametrize(
    ("engines", "sentence"),
    [
        ({"enabled": True, "token": TOKEN}, "name the nodes' addresses"),
        ({"enabled": True, "networkPolicy": {"enabled": False}}, "name a Secret"),
        ({"servers": ["gpu-1:7070"]}, "name a Secret"),
        ({"servers": ["gpu-1"], "token": TOKEN}, "/engines/servers/0"),
        ({"replica": 2}, "replica"),
    ],
)
def test_what_would_not_work_is_refused_with_a_sentence(engines: Resource, sentence: str) -> None:
    done = template(LEAST | {"engines": engines})
    assert done.returncode != 0
    assert sentence in done.stderr


def test_prometheus_is_named_where_the_engines_keep_strangers_out() -> None:
    monitored: Resource = {**LEAST, "serviceMonitor": {"enabled": True}}
    engines = {"enabled": True, "token": TOKEN, "networkPolicy": {"from": [NODES]}}
    done = template({**monitored, "engines": engines})
    assert done.returncode != 0
    assert "name Prometheus's pods" in done.stderr
    engines["networkPolicy"] = {"enabled": False}
    assert ("ServiceMonitor", "live-engines") in rendered({**monitored, "engines": engines})
    assert ("ServiceMonitor", "live") in rendered(monitored)


def test_prometheus_is_let_in_only_where_it_is_to_look() -> None:
    named = ENGINES | {"serviceMonitor": {"from": [PROMETHEUS]}}
    [rule] = rendered(named)["NetworkPolicy", "live-engines"]["spec"]["ingress"]
    assert PROMETHEUS not in rule["from"]
