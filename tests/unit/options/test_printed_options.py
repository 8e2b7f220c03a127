"""``--print-config``: the settings in force, and the example of all of them."""

import argparse
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from rtc_server.cli import main
from rtc_server.config import SECTIONS, EngineSettings, Settings, load_settings
from rtc_server.options import config_key, example_file, settings_fields

CHECKOUT = Path(__file__).parents[3]
EXAMPLE = CHECKOUT / "deploy" / "rtc-server.example.toml"
SECRET = "whsec_" + 32 * "A"

Capture = pytest.CaptureFixture[str]


def printed(capsys: Capture, *argv: str, **environ: str) -> str:
    assert main([*argv, "--print-config"], environ) == 0
    return capsys.readouterr().out


def origin(text: str, key: str) -> str:
    found = re.search(rf"^{key} = .*  # (.*)$", text, re.MULTILINE)
    assert found
    return found[1]


def test_each_setting_is_shown_with_the_place_it_came_from(capsys: Capture, tmp_path: Path) -> None:
    path = tmp_path / "server.toml"
    path.write_text('port = 1\nhangover-ms = 500\nmode = "fast"\nengines = "gpu"\n')
    text = printed(capsys, "serve", "--config", str(path), "--port", "9000", RTC_HANGOVER_MS="400")
    values = tomllib.loads(text)
    assert values.keys() == {config_key(fld.name) for _, fld, _ in settings_fields(*SECTIONS)}
    assert (values["port"], origin(text, "port")) == (9000, "--port")
    assert (values["hangover-ms"], origin(text, "hangover-ms")) == (400, "RTC_HANGOVER_MS")
    assert (values["mode"], origin(text, "mode")) == ("fast", str(path))
    assert (values["host"], origin(text, "host")) == ("127.0.0.1", "default")
    assert (values["ast"], origin(text, "ast")) == ("canary", "follows from other options")


def test_what_is_printed_is_a_file_that_gives_the_same_settings(
    capsys: Capture, tmp_path: Path
) -> None:
    argv = ["serve", "--server-names", "a.example,b.example", "--phrasebook", 'a "b".toml']
    path = tmp_path / "server.toml"
    path.write_text(printed(capsys, *argv, RTC_OWN_VOICE_GUARD="no"))
    settings = load_settings(argparse.Namespace(config=str(path)), {})
    assert settings.access.server_names == ("a.example", "b.example")
    assert settings.engines.phrasebook == (Path('a "b".toml'),)
    assert settings.interpreter.own_voice_guard is False


def test_secrets_are_not_printed(capsys: Capture) -> None:
    text = printed(
        capsys,
        *("serve", "--ice-servers", "turn:user:pass%40word@turn.example:3478,turn:s.example"),
        RTC_API_KEY="api" * 10,
        RTC_TURN_SECRET="turnsecret",
        RTC_ENGINE_TOKEN="tokentokentoken1",
        RTC_USAGE_WEBHOOK="https://me:mine@hooks.example/T000/token",
        RTC_USAGE_WEBHOOK_SECRET=SECRET,
    )
    for secret in (
        "apiapi",
        "turnsecret",
        "tokentoken",
        "pass",
        "word@",
        "user",
        "mine",
        "T000",
        "AAAA",
    ):
        assert secret not in text
    values = tomllib.loads(text)
    assert values["api-key"] == "(hidden)"
    assert values["ice-servers"] == ["turn:(hidden)@turn.example:3478", "turn:s.example"]
    assert values["usage-webhook"] == "https://hooks.example/(hidden)"


def test_an_option_whose_name_speaks_of_a_secret_is_masked_or_no_secret_itself() -> None:
    """A secret that comes later must not be forgotten here."""
    suspicious = re.compile("key|secret|token|password")
    harmless = {
        *("tls_key", "api_keys", "secret_key_file", "engine_token_file"),  # paths
        *("key_sessions", "key_minutes_a_day", "key_requests_a_minute", "secret_sessions"),
    }
    fields = {fld.name: fld for _, fld, _ in settings_fields(*SECTIONS)}
    unmasked = {n for n, fld in fields.items() if suspicious.search(n) and not fld.metadata["mask"]}
    assert unmasked == harmless


def test_settings_that_would_not_start_are_refused(capsys: Capture) -> None:
    assert main(["serve", "--print-config"], {"RTC_HOST": "0.0.0.0"}) == 2
    assert "Set an API key" in capsys.readouterr().err


def test_an_engine_server_shows_its_own(capsys: Capture) -> None:
    text = printed(capsys, "engines", "serve", "--listen", "unix:/s", RTC_AST_PROCESSES="2")
    assert origin(text, "ast-processes") == "RTC_AST_PROCESSES"
    assert "max-rooms" not in text


def uncommented(text: str) -> dict[str, Any]:
    return tomllib.loads(re.sub(r"^#(?=[a-z])", "", text, flags=re.MULTILINE))


def test_the_example_has_every_option_with_its_default(tmp_path: Path) -> None:
    assert tomllib.loads(example_file(SECTIONS)) == {}
    values = uncommented(example_file(SECTIONS))
    assert values.keys() == {config_key(fld.name) for _, fld, _ in settings_fields(*SECTIONS)}
    path = tmp_path / "all.toml"
    path.write_text(re.sub(r"^#(?=[a-z])", "", example_file(SECTIONS), flags=re.MULTILINE))
    assert load_settings(argparse.Namespace(config=str(path)), {}) == Settings()


def test_the_example_in_deploy_is_that_of_the_settings(capsys: Capture) -> None:
    """Renew it: rtc-server serve --print-config=example > deploy/rtc-server.example.toml"""
    assert main(["serve", "--print-config=example"], {"RTC_HOST": "0.0.0.0"}) == 0
    assert capsys.readouterr().out == EXAMPLE.read_text("utf-8")


def test_the_example_of_an_engine_server_has_its_options_only() -> None:
    keys = uncommented(example_file([EngineSettings])).keys()
    assert keys == {config_key(fld.name) for _, fld, _ in settings_fields(EngineSettings)}
