import argparse

import pytest

from rtc_server.config import Settings, load_settings, sections
from rtc_server.engine_sets import set_of
from rtc_server.errors import ConfigError
from rtc_server.options import add_options, settings_fields

SECRET = "whsec_" + 32 * "A"


def read(*argv: str, **environ: str) -> Settings:
    parser = argparse.ArgumentParser()
    add_options(parser, *sections())
    return load_settings(parser.parse_args(argv), environ)


def test_a_flag_beats_the_environment_which_beats_the_default() -> None:
    assert read().http.port == 8000
    assert read(RTC_PORT="9000").http.port == 9000
    assert read("--port", "9001", RTC_PORT="9000").http.port == 9001


def test_lists_are_comma_separated() -> None:
    assert read("--ice-servers", "stun:a:1, turn:u:p@b:2").transport.ice_servers == (
        "stun:a:1",
        "turn:u:p@b:2",
    )


def test_an_unknown_variable_fails() -> None:
    with pytest.raises(ConfigError, match="RTC_PROT"):
        read(RTC_PROT="9000")


def test_a_set_of_engines_fills_what_was_not_chosen() -> None:
    def engines(*argv: str, **environ: str) -> tuple[str, str]:
        settings = read(*argv, **environ).engines
        return settings.ast, settings.tts

    assert engines() == ("phrasebook", "espeak")
    assert engines("--engines", "gpu") == ("canary", "silero")
    assert engines(RTC_ENGINES="laptop") == ("laptop", "auto")
    assert engines("--engines", "gpu", "--tts", "piper") == ("canary", "piper")
    assert engines("--engines", "laptop", RTC_AST="canary-hf") == ("canary-hf", "auto")


def test_a_set_is_known_by_its_engines_however_they_were_chosen() -> None:
    assert set_of("phrasebook", "espeak") == "embedded"
    assert set_of("canary", "silero") == "gpu"
    assert set_of("phrasebook", "piper") == ""


@pytest.mark.parametrize("text", ["-1", "70000", "nan", "1.5", "http"])
def test_a_bad_number_names_the_option_and_what_fits(text: str) -> None:
    with pytest.raises(ConfigError, match="--port must be a whole number from 0 to 65535"):
        read("--port", text)


def test_a_number_that_is_not_one_is_refused() -> None:
    with pytest.raises(ConfigError):
        read("--vad-threshold", "nan")


def test_a_choice_lists_what_there_is() -> None:
    with pytest.raises(ConfigError, match="silero, webrtc"):
        read("--vad", "magic")


def test_a_public_bind_without_a_key_is_refused() -> None:
    with pytest.raises(ConfigError, match="Set an API key"):
        read("--host", "0.0.0.0")
    key = "sixteen-letters!"
    assert read("--host", "0.0.0.0", "--api-key", key).http.api_key == key


def test_a_key_that_would_be_guessed_or_never_let_in_is_refused() -> None:
    with pytest.raises(ConfigError, match="has 6 characters"):
        read("--host", "0.0.0.0", "--api-key", "s3cret")
    assert read("--api-key", "s3cret").http.api_key == "s3cret", "on this machine only"
    with pytest.raises(ConfigError, match="begins with ek_"):
        read("--api-key", "ek_" + "x" * 32)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--usage-webhook", "https://a.example"], "together"),
        (["--usage-webhook", "a.example/letters!", "--usage-webhook-secret", SECRET], "not a URL"),
        (["--usage-webhook", "https://a.example", "--usage-webhook-secret", "whsec_AAAA"], "24 b"),
        (["--usage-webhook", "https://a.example", "--usage-webhook-secret", "letters!"], "24 b"),
    ],
)
def test_a_webhook_that_nobody_could_trust_is_refused(arguments: list[str], says: str) -> None:
    with pytest.raises(ConfigError, match=says) as refusal:
        read(*arguments)
    assert "AAAA" not in str(refusal.value) and "letters!" not in str(refusal.value)


def test_no_two_settings_share_a_name() -> None:
    names = [f.name for _, f, _ in settings_fields(*sections())]
    assert len(names) == len(set(names))


def test_engine_servers_are_a_list() -> None:
    engines = read("--ast-servers", "unix:/e, gpu:7070", RTC_ENGINE_TOKEN="t" * 16).engines
    assert engines.ast_servers == ("unix:/e", "gpu:7070")
    assert (engines.tts_servers, engines.engine_token) == ((), "t" * 16)
