"""Configuration file: permitted values, refusals with their sentences, and precedence."""

import argparse
import logging
from pathlib import Path

import pytest

from rtc_server.config import Settings, load_settings, sections
from rtc_server.errors import ConfigError
from rtc_server.options import add_config_option, add_options, config_key, settings_fields

KEY = "k" * 32


def read(text: str, path: Path, *argv: str, **environ: str) -> Settings:
    """Read settings with `text` as the configuration file."""
    path.write_text(text, "utf-8")
    path.chmod(0o600)
    parser = argparse.ArgumentParser()
    add_config_option(parser)
    add_options(parser, *sections())
    return load_settings(parser.parse_args(["--config", str(path), *argv]), environ)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "server.toml"


def refusal(text: str, path: Path) -> str:
    with pytest.raises(ConfigError) as error:
        read(text, path)
    said = str(error.value)
    assert str(path) in said and "\n" not in said
    return said.replace(str(path), "FILE")


def test_a_flag_beats_a_variable_which_beats_the_file_which_beats_the_default(path: Path) -> None:
    text = "max-sessions = 3"
    assert Settings().http.max_sessions not in (1, 2, 3)
    assert read("", path).http.max_sessions == Settings().http.max_sessions
    assert read(text, path).http.max_sessions == 3
    assert read(text, path, RTC_MAX_SESSIONS="2").http.max_sessions == 2
    flags = ("--max-sessions", "1")
    assert read(text, path, *flags, RTC_MAX_SESSIONS="2").http.max_sessions == 1


def test_the_variable_names_a_file_and_the_flag_beats_it(tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text("port = 1")
    parser = argparse.ArgumentParser()
    add_config_option(parser)
    environ = {"RTC_CONFIG": str(other)}
    assert load_settings(parser.parse_args([]), environ).http.port == 1
    assert load_settings(parser.parse_args([]), {"RTC_CONFIG": ""}).http.port == 8000
    mine = tmp_path / "mine.toml"
    mine.write_text("port = 2")
    assert load_settings(parser.parse_args(["--config", str(mine)]), environ).http.port == 2


def test_every_type_is_written_as_toml_has_it(path: Path) -> None:
    settings = read(
        """
        host = "127.0.0.2"
        port = 8080
        drain-s = 5
        keepalive-s = 7.5
        own-voice-guard = false
        ice-servers = ["stun:a:1", "turn:u:p@b:2"]
        phrasebook = ["a.toml", "b.toml"]
        workers = 4
        tts-device = ""
        mode = "fast"
        """,
        path,
    )
    assert (settings.http.host, settings.http.port) == ("127.0.0.2", 8080)
    assert (settings.http.drain_s, settings.http.keepalive_s) == (5.0, 7.5)
    assert isinstance(settings.http.drain_s, float)
    assert settings.interpreter.own_voice_guard is False
    assert settings.transport.ice_servers == ("stun:a:1", "turn:u:p@b:2")
    assert settings.plugins == {"phrasebook": ("a.toml", "b.toml")}
    assert settings.workers.count() == 4
    assert read('workers = "auto"', path).workers.workers == "auto"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("max-sesions = 3", "FILE: there is no option max-sesions. Is it max-sessions?"),
        ("max_sessions = 3", "FILE: there is no option max_sessions. Is it max-sessions?"),
        ("zzz = 3", "FILE: there is no option zzz. `rtc-server serve --help` lists the options."),
        ("[http]\nport = 3", "FILE: [http] is a table, and options are not in tables. Write "),
        (
            'port = "8001"',
            'FILE: port must be a whole number from 0 to 65535, not "8001". Write it as: '
            "port = 8001",
        ),
        (
            "port = 70000",
            "FILE: port must be a whole number from 0 to 65535, not 70000. Write it as: "
            "port = 8000",
        ),
        ("port = true", "not true. Write it as: port = 8000"),
        ("port = 1.5", "not 1.5. Write it as: port = 8000"),
        ("vad-threshold = nan", "number from 0.05 to 0.95, not nan. Write it as: vad-threshold ="),
        ("host = 1", 'FILE: host must be a text, not 1. Write it as: host = "1"'),
        ('vad = "magic"', 'one of silero, webrtc, not "magic". Write it as: vad = "silero"'),
        (
            'ice-servers = "stun:a, stun:b"',
            'must be a list of texts, not (hidden). Write it as: ice-servers = ["…"]',
        ),
        (
            'server-names = "a, b"',
            'FILE: server-names must be a list of texts, not "a, b". Write it as: '
            'server-names = ["a", "b"]',
        ),
        ("server-names = [1]", "must be a list of texts, not [1]. Write it as: server-names = ["),
        ('own-voice-guard = "no"', 'must be true or false, not "no". Write it as: own-voice-guard'),
        ("workers = true", "FILE: workers must be a text, not true. Write it as: workers ="),
        ("port = 1\nport = 2", "FILE is not TOML: Cannot overwrite a value"),
        ("port 1", "FILE is not TOML: "),
    ],
)
def test_what_does_not_fit_is_refused_with_file_key_value_and_advice(
    text: str, says: str, path: Path
) -> None:
    assert says in refusal(text, path)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"port = {'9' * 5000}", "FILE has a number of too many digits."),
        (f"port = 0x{'f' * 5000}", "FILE: port has a number of too many digits."),
        (f"workers = 0x{'f' * 5000}", "FILE: workers has a number of too many digits."),
        (f"port = {'[' * 3000}", "FILE has lists or tables that are nested too deeply."),
    ],
)
def test_what_the_parser_of_toml_cannot_take_is_refused(text: str, says: str, path: Path) -> None:
    assert refusal(text, path) == says


def test_a_byte_order_mark_is_no_part_of_the_first_key(path: Path) -> None:
    assert read("\ufeffport = 8001", path).http.port == 8001


def test_a_list_is_stripped_as_in_a_flag(path: Path) -> None:
    settings = read('phrasebook = ["", " a.toml "]\nserver-names = [" a ", " "]', path)
    flags = read("", path, "--phrasebook", ", a.toml ", "--server-names", " a , ")
    assert settings == flags
    assert settings.plugins == {"phrasebook": ("a.toml",)}


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('api-key = "(hidden)"', "api-key"),
        ('ice-servers = ["stun:a:1", "turn:(hidden)@turn.example:3478"]', "ice-servers"),
        ('usage-webhook = "https://hooks.example/(hidden)"', "usage-webhook"),
    ],
)
def test_a_mask_is_no_secret(text: str, key: str, path: Path) -> None:
    assert refusal(text, path).startswith(f"FILE: {key} holds (hidden), which --print-config shows")


def test_a_mask_is_no_secret_in_a_flag_or_a_variable_either(path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^--api-key holds \(hidden\)"):
        read("", path, "--api-key", "(hidden)")
    with pytest.raises(ConfigError, match=r"^RTC_AST_SERVERS holds \(hidden\)"):
        read("", path, RTC_AST_SERVERS="http://(hidden)@dir.example/x")


def test_what_breaks_a_rule_of_its_section_names_the_file(path: Path) -> None:
    assert refusal('tls-cert = "c.pem"', path).endswith("together, or neither. (from FILE)")
    with pytest.raises(ConfigError, match=r"neither\. \(from "):
        read('tls-cert = "c.pem"', path, "--path-prefix", "/x")


def test_what_flags_and_variables_do_wrong_does_not_name_the_file(path: Path) -> None:
    with pytest.raises(ConfigError, match=r"at the end\.$"):
        read("port = 8001", path, "--path-prefix", "x")
    with pytest.raises(ConfigError, match=r"or neither\.$"):
        read("drain-s = 5", path, RTC_TLS_CERT="c.pem", RTC_TLS_KEY="")
    with pytest.raises(ConfigError, match=r"or neither\.$"):
        read("resume-s = 5", path, "--tls-cert", "c.pem")  # another section's


def lost(caplog: pytest.LogCaptureFixture) -> list[str]:
    said = [record.getMessage() for record in caplog.records]
    caplog.clear()
    return [each for each in said if "is set, but empty" in each]


def test_an_empty_variable_that_takes_a_secret_away_is_warned_of(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text = f'api-key = "{KEY}"\nice-servers = ["stun:a:1"]\nhost = "127.0.0.2"'
    assert read(text, path, RTC_API_KEY="").http.api_key == ""
    assert lost(caplog) == [
        f"RTC_API_KEY is set, but empty, and wins over api-key in {path}: unset it to use that of "
        "the file."
    ]
    read(text, path, "--api-key", KEY, RTC_API_KEY="")
    read(text, path, RTC_API_KEY=KEY)
    read('api-key = ""', path, RTC_API_KEY="")
    read("", path, RTC_API_KEY="")
    read(text, path, RTC_ICE_SERVERS="", RTC_TLS_CERT="")
    assert lost(caplog) == []


def test_a_secret_is_in_no_refusal(path: Path) -> None:
    assert "1234567" not in refusal("api-key = 1234567", path)


def test_a_key_of_a_section_that_is_not_in_use_is_checked_too(path: Path) -> None:
    """One file may serve all commands; the first command finds an error in it."""
    path.write_text("vad-threshold = 2")
    with pytest.raises(ConfigError, match="vad-threshold must be"):
        load_settings(argparse.Namespace(config=str(path)), {})


def test_a_file_that_is_not_there_or_not_text(path: Path) -> None:
    with pytest.raises(ConfigError, match=r"Cannot read .*No such file.*\. Correct --config, or"):
        load_settings(argparse.Namespace(config=str(path)), {})
    with pytest.raises(ConfigError, match=r"Cannot read .*No such file.*\. Correct RTC_CONFIG, or"):
        load_settings(argparse.Namespace(), {"RTC_CONFIG": str(path)})
    path.write_bytes(b"host = '\xff'")
    with pytest.raises(ConfigError, match="UTF-8"):
        load_settings(argparse.Namespace(config=str(path)), {})


@pytest.mark.parametrize(
    ("mode", "text", "warns"),
    [
        (0o644, f'api-key = "{KEY}"', True),
        (0o640, f'api-key = "{KEY}"', False),
        (0o600, f'api-key = "{KEY}"', False),
        (0o644, 'api-key = ""', False),
        (0o644, "port = 8000", False),
        (0o644, 'ast-servers = ["gpu:7070"]', False),
    ],
)
def test_a_secret_that_every_user_can_read_is_warned_of(
    path: Path, mode: int, text: str, warns: bool, caplog: pytest.LogCaptureFixture
) -> None:
    path.write_text(text)
    path.chmod(mode)
    with caplog.at_level(logging.WARNING):
        load_settings(argparse.Namespace(config=str(path)), {})
    said = [record.getMessage() for record in caplog.records]
    assert [f"{path} holds api-key" in each for each in said] == ([True] if warns else [])
    assert KEY not in " ".join(said)


def test_each_option_has_a_key_that_is_its_flag_without_dashes() -> None:
    keys = [config_key(fld.name) for _, fld, _ in settings_fields(*sections())]
    assert len(keys) == len(set(keys)) and "max-sessions" in keys
