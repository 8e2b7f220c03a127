"""Files an operator starts a server with: what they mount is there, what they set exists."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from rtc_server.cli.main import build_parser
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


every_unit = pytest.mark.parametrize("name", ["rtc-server", "rtc-server-engines"])


def unit(key: str, name: str = "rtc-server") -> list[str]:
    """Every value of a key of a systemd unit."""
    text = (DEPLOY / f"{name}.service").read_text()
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
    set_by_unit = [
        each.partition("=")[0]
        for name in ("rtc-server", "rtc-server-engines")
        for line in unit("Environment", name)
        for each in line.split()
    ]
    assert SETTINGS.issuperset([*SERVICES["server"]["environment"], *set_by_unit])


def test_variables_that_the_operator_fills_in_are_in_the_example() -> None:
    used = re.findall(r"\$\{(\w+)", (DEPLOY / "compose.yaml").read_text())
    assert set(used) == set(
        re.findall(r"^(\w+)=", (DEPLOY / "env.example").read_text(), re.MULTILINE)
    )


@every_unit
def test_people_may_finish_their_sentence_before_the_process_is_killed(name: str) -> None:
    assert int(SERVICES["server"]["stop_grace_period"].removesuffix("s")) > STOPPING_S
    (timeout,) = unit("TimeoutStopSec", name)
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


@every_unit
def test_the_unit_gives_the_process_no_rights(name: str) -> None:
    for key in ("NoNewPrivileges", "DynamicUser", "ProtectHome"):
        assert unit(key, name) == ["yes"]
    assert unit("ProtectSystem", name) == ["strict"]
    assert unit("CapabilityBoundingSet", name) == unit("AmbientCapabilities", name) == [""]


@every_unit
def test_the_unit_runs_a_command_that_there_is(name: str) -> None:
    (command,) = unit("ExecStart", name)
    path, *arguments = command.split()
    assert path == "/opt/rtc-server/bin/rtc-server"
    build_parser().parse_args(arguments)


def test_the_units_share_a_user_who_owns_the_socket_between_them() -> None:
    (command,) = unit("ExecStart", "rtc-server-engines")
    assert command.endswith("--listen unix:/run/rtc-server-engines/socket")
    assert unit("RuntimeDirectory", "rtc-server-engines") == ["rtc-server-engines"]
    assert unit("User", "rtc-server-engines") == ["rtc-server"]  # the other unit's, by its name
    assert unit("User") == []


@every_unit
def test_a_file_of_settings_is_read_as_a_credential(name: str) -> None:
    """The process runs as a user that does not exist before, so a file of root's must be lent."""
    text = (DEPLOY / f"{name}.service").read_text()
    [(credential, source)] = re.findall(r"^# LoadCredential=([^:\n]+):(.*)$", text, re.MULTILINE)
    assert source == "/etc/rtc-server.toml"
    assert f"\n# Environment=RTC_CONFIG=%d/{credential}\n" in text
