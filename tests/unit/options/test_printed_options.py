"""``--print-config``: the settings in force, and the example of all of them."""

import argparse
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from rtc_server.cli import main
from rtc_server.cli.main import build_parser
from rtc_server.config import EngineSettings, Settings, load_settings, sections
from rtc_server.options import config_key, example_file, settings_fields
from rtc_server.options.option import hidden_query, masked

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
    keys = {config_key(fld.name) for _, fld, _ in settings_fields(*sections())}
    assert values.keys() == keys - {"ast", "tts"}
    assert (values["port"], origin(text, "port")) == (9000, "--port")
    assert (values["hangover-ms"], origin(text, "hangover-ms")) == (400, "RTC_HANGOVER_MS")
    assert (values["mode"], origin(text, "mode")) == ("fast", str(path))
    assert (values["host"], origin(text, "host")) == ("127.0.0.1", "default")
    assert '# ast = "canary"  # follows from other options' in text.split("\n")


def test_what_is_printed_is_a_file_that_gives_the_same_settings(
    capsys: Capture, tmp_path: Path
) -> None:
    argv = ["serve", "--server-names", "a.example,b.example", "--phrasebook", 'a "b".toml']
    argv += ["--engines", "laptop", "--tts", "piper", "--host", "::1"]
    secrets = {
        "RTC_API_KEY": "k" * 32,
        "RTC_ICE_SERVERS": "turn:u:p@b:2,turn:c",
        "RTC_TURN_SECRET": "turnsecret",
        "RTC_USAGE_WEBHOOK": "https://hooks.example/T000",
        "RTC_USAGE_WEBHOOK_SECRET": SECRET,
    }
    path = tmp_path / "server.toml"
    path.write_text(printed(capsys, *argv, RTC_OWN_VOICE_GUARD="no", **secrets))
    settings = load_settings(argparse.Namespace(config=str(path)), secrets)
    given = [*argv, "--own-voice-guard", "no"]
    assert settings == load_settings(build_parser().parse_args(given), secrets)
    # Another set is not held back by what followed from the former one.
    other = load_settings(argparse.Namespace(config=str(path)), secrets | {"RTC_ENGINES": "gpu"})
    assert (other.engines.ast, other.engines.tts) == ("canary", "piper")
    assert settings.access.server_names == ("a.example", "b.example")
    assert settings.plugins == {"phrasebook": ('a "b".toml',)}
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
    lines = text.split("\n")
    assert '# api-key = "(hidden)"  # RTC_API_KEY' in lines
    assert (
        '# ice-servers = ["turn:(hidden)@turn.example:3478", "turn:s.example"]  # --ice-servers'
        in lines
    )
    assert '# usage-webhook = "https://hooks.example/(hidden)"  # RTC_USAGE_WEBHOOK' in lines
    assert "(hidden)" not in str(tomllib.loads(text))


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"RTC_ENGINE_TOKEN": "verysec"}, "needs 16 or more"),
        (
            {
                "RTC_USAGE_WEBHOOK": "http:/[x/verysec",
                "RTC_USAGE_WEBHOOK_SECRET": "whsec_" + "c2VjcmV0" * 4,
            },
            "--usage-webhook is not a URL",
        ),
        ({"RTC_AST_SERVERS": "gpu one:7"}, "'gpu one:7' is not the address of an engine server"),
        (
            {"RTC_TTS_SERVERS": "user:verysec@gpu:x"},
            "'(hidden)@gpu:x' is not the address of an engine",
        ),
        (
            {"RTC_AST_SERVERS": "https://user:very?sec@dir.example/x?token=verysec"},
            "'https://(hidden)@dir.example/x?(hidden)' is not the address of a directory",
        ),
    ],
)
def test_addresses_that_cannot_be_are_refused_without_their_secrets(
    environ: dict[str, str], says: str, capsys: Capture
) -> None:
    assert main(["serve", "--print-config"], environ) == 2
    said = capsys.readouterr()
    assert said.out == "" and says in said.err
    assert not re.search("user|very|sec", said.err)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("gpu:7070", "gpu:7070"),
        ("http://ray:8000/engines", "http://ray:8000/engines"),
        ("unix:/run/a@b?c", "unix:/run/a@b?c"),
        ("https://u:p@a/x?token=s", "https://(hidden)@a/x?(hidden)"),
        ("HTTPS://u:p?q@a/x#s", "HTTPS://(hidden)@a/x?(hidden)"),
        ("u:p@gpu:7070", "(hidden)@gpu:7070"),
    ],
)
def test_user_password_and_query_of_an_address_are_hidden(text: str, shown: str) -> None:
    assert hidden_query(text) == shown
    fields = {fld.name: fld for _, fld, _ in settings_fields(EngineSettings)}
    for name in ("ast_servers", "tts_servers"):
        assert masked(fields[name], (text,)) == (shown,)


def test_an_option_whose_name_speaks_of_a_secret_is_masked_or_no_secret_itself() -> None:
    """A secret that comes later must not be forgotten here."""
    suspicious = re.compile("key|secret|token|password")
    harmless = {
        *("tls_key", "api_keys", "secret_key_file", "engine_token_file"),  # paths
        *("key_sessions", "key_minutes_a_day", "key_requests_a_minute", "secret_sessions"),
    }
    fields = {fld.name: fld for _, fld, _ in settings_fields(*sections())}
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
    assert tomllib.loads(example_file(sections())) == {}
    values = uncommented(example_file(sections()))
    assert values.keys() == {config_key(fld.name) for _, fld, _ in settings_fields(*sections())}
    path = tmp_path / "all.toml"
    path.write_text(re.sub(r"^#(?=[a-z])", "", example_file(sections()), flags=re.MULTILINE))
    assert load_settings(argparse.Namespace(config=str(path)), {}) == Settings(
        plugins={"phrasebook": ()}
    )


def test_the_example_in_deploy_is_that_of_the_settings(capsys: Capture) -> None:
    """Renew it: rtc-server serve --print-config=example > deploy/rtc-server.example.toml"""
    assert main(["serve", "--print-config=example"], {"RTC_HOST": "0.0.0.0"}) == 0
    assert capsys.readouterr().out == EXAMPLE.read_text("utf-8")


def test_the_example_of_an_engine_server_has_its_options_only() -> None:
    keys = uncommented(example_file([EngineSettings])).keys()
    assert keys == {config_key(fld.name) for _, fld, _ in settings_fields(EngineSettings)}
