"""Files an operator starts a server with: what they mount is there, what they set exists."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from rtc_server.config import SECTIONS, HttpSettings
from rtc_server.options import settings_fields, variable

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
MADE_BY_THE_OPERATOR = DEPLOY / "secrets/api-key"
SETTINGS = {variable(fld.name) for _, fld, _ in settings_fields(*SECTIONS)}
STOPPING_S = HttpSettings().drain_s + 10
"""Time that must pass before the process is killed (docs/operations.md)."""

every_service = pytest.mark.parametrize("name", SERVICES)


def unit(key: str) -> list[str]:
    """Every value of a key of the systemd unit."""
    text = (DEPLOY / "rtc-server.service").read_text()
    return re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)


@every_service
def test_a_service_is_hardened(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"] and "cap_add" not in service
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged") and "/tmp" in service["tmpfs"]


@every_service
def test_an_image_of_others_has_a_version(name: str) -> None:
    service = SERVICES[name]
    if "build" not in service:
        assert re.fullmatch(r"[a-z/-]+:v?\d+\.\d+\.\d+", service["image"])


@every_service
def test_what_a_service_mounts_is_there_and_read_only(name: str) -> None:
    for source, target, *mode in (each.split(":") for each in SERVICES[name].get("volumes", [])):
        if source.startswith("."):
            assert (DEPLOY / source).exists(), source
            assert mode == ["ro"], target
        else:
            assert source in COMPOSE["volumes"]
    assert set(SERVICES[name].get("secrets", [])) <= COMPOSE["secrets"].keys()


def test_the_image_is_one_of_the_dockerfile() -> None:
    build = SERVICES["server"]["build"]
    dockerfile = (DEPLOY / build["context"] / "Dockerfile").read_text()
    assert f" AS {build['target']}\n" in dockerfile


def test_settings_exist() -> None:
    set_by_unit = [each.partition("=")[0] for line in unit("Environment") for each in line.split()]
    assert SETTINGS.issuperset([*SERVICES["server"]["environment"], *set_by_unit])


def test_variables_that_the_operator_fills_in_are_in_the_example() -> None:
    used = re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text())
    assert set(used) == set(
        re.findall(r"^(\w+)=", (DEPLOY / "env.example").read_text(), re.MULTILINE)
    )


def test_people_may_finish_their_sentence_before_the_process_is_killed() -> None:
    assert int(SERVICES["server"]["stop_grace_period"].removesuffix("s")) > STOPPING_S
    (timeout,) = unit("TimeoutStopSec")
    assert int(timeout) > STOPPING_S


def test_prometheus_finds_its_rules_and_the_key() -> None:
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    assert all((DEPLOY / "prometheus" / each).exists() for each in config["rule_files"])
    (scrape,) = config["scrape_configs"]
    (secret,) = SERVICES["prometheus"]["secrets"]
    assert scrape["authorization"]["credentials_file"] == f"/run/secrets/{secret}"
    assert DEPLOY / COMPOSE["secrets"][secret]["file"] == MADE_BY_THE_OPERATOR
    rules = (DEPLOY / "prometheus/alerts.yaml").read_text()
    assert f'up{{job="{scrape["job_name"]}"}}' in rules


def test_grafana_finds_prometheus_and_the_dashboard() -> None:
    provisioning = DEPLOY / "grafana/provisioning"
    (provider,) = yaml.safe_load((provisioning / "dashboards/rtc-server.yaml").read_text())[
        "providers"
    ]
    mounts = [each.split(":") for each in SERVICES["grafana"]["volumes"]]
    (folder,) = [source for source, target, *_ in mounts if target == provider["options"]["path"]]
    assert list((DEPLOY / folder).glob("*.json"))
    (source,) = yaml.safe_load((provisioning / "datasources/prometheus.yaml").read_text())[
        "datasources"
    ]
    listens = source["url"].removeprefix("http://").replace("localhost", "127.0.0.1")
    assert f"--web.listen-address={listens}" in SERVICES["prometheus"]["command"]


def test_the_unit_gives_the_process_no_rights() -> None:
    assert unit("NoNewPrivileges") == unit("DynamicUser") == unit("ProtectHome") == ["yes"]
    assert unit("ProtectSystem") == ["strict"]
    assert unit("CapabilityBoundingSet") == unit("AmbientCapabilities") == [""]
