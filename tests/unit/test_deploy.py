"""Files with which an operator starts a server: mounted files exist, and so do the options that are
set.
"""

import argparse
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from rtc_server.app.engine_server import checked_address
from rtc_server.cli.main import build_parser
from rtc_server.config import HttpSettings, load_settings, sections
from rtc_server.options import settings_fields, variable

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
ENGINES = yaml.safe_load((DEPLOY / "compose.engines.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"] | ENGINES["services"]
MADE_BY_THE_OPERATOR = DEPLOY / "secrets/api-key"
SETTINGS = {variable(fld.name) for _, fld, _ in settings_fields(*sections())}
STOPPING_S = HttpSettings().drain_s + 10
"""Time that must pass before the process is killed (docs/operations.md)."""

ATTRIBUTED = {"coturn": ["NET_BIND_SERVICE"]}
"""Capabilities that an image's program has as attributes of its file (setcap): the kernel starts
no such program with less.
"""

WORKERS = "rtc-server.service.d/workers"
"""Drop-in of a unit."""

every_service = pytest.mark.parametrize("name", SERVICES)


every_unit = pytest.mark.parametrize("name", ["rtc-server", "rtc-server-engines"])


def unit(key: str, name: str = "rtc-server") -> list[str]:
    """Return every value of a key of a systemd unit."""
    suffix = "conf" if name == WORKERS else "service"
    text = (DEPLOY / f"{name}.{suffix}").read_text()
    return re.findall(rf"^{key}=(.*)$", text, re.MULTILINE)


@every_service
def test_a_service_is_hardened(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service.get("cap_add", []) == ATTRIBUTED.get(name, [])
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged") and "/tmp" in service["tmpfs"]


@every_service
def test_an_image_of_others_has_a_version(name: str) -> None:
    service = SERVICES[name]
    if "build" not in service:
        assert re.fullmatch(r"[a-z/-]+:v?\d+\.\d+\.\d+", service["image"])


@every_service
def test_what_a_service_mounts_is_there_and_read_only(name: str) -> None:
    mounts = [re.split(r":(?![?])", each) for each in SERVICES[name].get("volumes", [])]
    for source, target, *mode in mounts:
        if source.startswith("${"):  # a folder of the operator's
            assert mode == ["ro"], target
        elif source.startswith("."):
            assert (DEPLOY / source).exists(), source
            assert mode == ["ro"], target
        else:
            assert source in COMPOSE["volumes"]
    file = ENGINES if name in ENGINES["services"] else COMPOSE
    assert set(SERVICES[name].get("secrets", [])) <= file["secrets"].keys()


@pytest.mark.parametrize("name", ["server", "engines"])
def test_the_image_is_one_of_the_dockerfile(name: str) -> None:
    build = SERVICES[name]["build"]
    dockerfile = (DEPLOY / build["context"] / "Dockerfile").read_text()
    assert f" AS {build['target']}\n" in dockerfile


def test_settings_exist() -> None:
    set_by_unit = [
        each.partition("=")[0]
        for name in ("rtc-server", "rtc-server-engines", WORKERS)
        for line in unit("Environment", name)
        for each in line.split()
    ]
    assert SETTINGS.issuperset(set_by_unit)
    for name in ("server", "engines"):
        assert SETTINGS.issuperset(SERVICES[name]["environment"])


@pytest.mark.parametrize(
    ("compose", "example"),
    [("compose.yaml", "env.example"), ("compose.engines.yaml", "env.engines.example")],
)
def test_variables_that_the_operator_fills_in_are_in_the_example(
    compose: str, example: str
) -> None:
    used = re.findall(r"\$\{(\w+)", (DEPLOY / compose).read_text())
    named = re.findall(r"^(\w+)=", (DEPLOY / example).read_text(), re.MULTILINE)
    assert set(used) == set(named)


@pytest.mark.parametrize("example", ["env.example", "env.engines.example"])
def test_no_variable_of_an_example_has_a_comment_for_its_value(example: str) -> None:
    """Compose cuts comments off at a space before #, and spaces before a value off first."""
    for line in (DEPLOY / example).read_text().splitlines():
        assert re.fullmatch(r"(#.*|\w+=[^#\s]*|)", line), line


def settings_of(service: str, **filled_in: str) -> dict[str, str]:
    """Variables of a service, with what the operator filled in or the file's own defaults."""

    def value(match: re.Match[str]) -> str:
        return filled_in.get(match[1]) or match[2] or ""

    environment: dict[str, str] = SERVICES[service]["environment"]
    return {
        name: re.sub(r"\$\{(\w+)(?::-([^}]*)|:[?][^}]*)?\}", value, text)
        for name, text in environment.items()
    }


REQUIRED = {
    "RTC_API_KEY": "0123456789abcdef",
    "RTC_TURN_SECRET": "a-secret",
    "PUBLIC_ADDRESS": "203.0.113.7",
}


def test_a_server_has_its_own_engines_unless_others_are_named() -> None:
    settings = load_settings(argparse.Namespace(), settings_of("server", **REQUIRED))
    assert settings.engines.ast_servers == settings.engines.tts_servers == ()
    assert settings.workers.count() == 1
    token = "0123456789abcdef"
    servers = "gpu-1.internal:7070,gpu-2.internal:7070"
    named = REQUIRED | {"ENGINE_SERVERS": servers, "RTC_ENGINE_TOKEN": token, "WORKERS": "2"}
    settings = load_settings(argparse.Namespace(), settings_of("server", **named))
    assert settings.engines.ast_servers == settings.engines.tts_servers == tuple(servers.split(","))
    assert settings.engines.engine_token == token
    assert settings.workers.count() == 2


def test_an_engine_machine_listens_where_its_check_looks_and_shows_a_certificate() -> None:
    service = SERVICES["engines"]
    arguments = build_parser().parse_args(service["command"])
    address = checked_address(arguments.listen, "0123456789abcdef", HttpSettings())
    assert f"'127.0.0.1', {address.port}" in service["healthcheck"]["test"][-1]
    mounted = {f"/run/secrets/{each}" for each in service["secrets"]}
    environment = service["environment"]
    assert {environment["RTC_TLS_CERT"], environment["RTC_TLS_KEY"]} == mounted
    stops_s = int(service["stop_grace_period"].removesuffix("s"))
    assert stops_s > int(environment["RTC_DRAIN_S"]) + 10


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


def test_reloading_replaces_workers_and_nothing_ends_one_process() -> None:
    assert unit("ExecReload") == []
    assert unit("ExecReload", WORKERS) == ["/bin/kill -HUP $MAINPID"]
    [workers] = unit("Environment", WORKERS)
    name, _, value = workers.partition("=")
    assert name == "RTC_WORKERS"
    assert int(value) > 1  # auto may be one


def test_a_container_that_is_sent_a_signal_comes_back_after_a_reboot() -> None:
    """Docker remembers the signal as a stop by hand, which `unless-stopped` heeds."""
    text = "\n".join(path.read_text() for path in DEPLOY.glob("compose*.yaml"))
    signalled = re.findall(r"docker compose (?:-f \S+ )?kill (?:-s|--signal) ?\w+ (\w+)", text)
    assert signalled == ["server"]
    page = (DEPLOY.parent / "docs/operations.md").read_text()
    assert f"`docker compose kill -s SIGHUP {signalled[0]}`" in page
    assert SERVICES["server"]["restart"] == "always"
    assert "With WORKERS of 2 or more" in text  # one process is ended by SIGHUP


@every_unit
def test_a_file_of_settings_is_read_as_a_credential(name: str) -> None:
    """The process runs as a user that does not exist before, so a file of root's must be lent."""
    text = (DEPLOY / f"{name}.service").read_text()
    [(credential, source)] = re.findall(r"^# LoadCredential=([^:\n]+):(.*)$", text, re.MULTILINE)
    assert source == "/etc/rtc-server.toml"
    assert "LoadCredential and named in Environment as %d/" in text or "_TOKEN_FILE" not in text
    assert f"\n# Environment=RTC_CONFIG=%d/{credential}\n" in text
