"""Wrong command lines: each answer names the thing, the value and what to do."""

import re
from pathlib import Path

import pytest

from rtc_server.cli import main
from rtc_server.cli.command_parser import CommandParser

Capture = pytest.CaptureFixture[str]


def answer(capsys: Capture, *argv: str) -> str:
    """Run a command that is wrong; return its one sentence or more, without the usage."""
    try:
        code = main(argv, {})
    except SystemExit as end:
        assert isinstance(end.code, int)
        code = end.code
    assert code == 2
    said = capsys.readouterr().err
    assert said.count("\n") <= 6, "a long usage would hide the error"
    return said.splitlines()[-1]


@pytest.mark.parametrize(
    ("argv", "advice"),
    [
        (["serve", "--hangover", "300"], "--hangover 300. Did you mean --hangover-ms?"),
        (["serve", "--prot=80"], "--prot=80. Did you mean --port?"),
        (
            ["serve", "--prot", "80", "--hsot", "x"],
            "Did you mean --port for --prot, --host for --hsot?",
        ),
        (["serve", "--prot", "1", "--prot", "2"], "--prot 2. Did you mean --port?"),
        (["serve", "--", "--port"], "--port"),
        (["serve", "--", "--prot"], "--prot. Did you mean --port?"),
        (["doctor", "--urll", "x"], "--urll x. Did you mean --url?"),
        (["engines", "serve", "--listen", "unix:/s", "--ast-deadline", "9"], "--ast-deadline-s?"),
        (["serve", "extra"], "rtc-server serve: error: unrecognized arguments: extra"),
        (["serve", "--qqqqqqqq"], "rtc-server serve: error: unrecognized arguments: --qqqqqqqq"),
    ],
)
def test_an_unknown_option_is_answered_with_the_nearest(
    capsys: Capture, argv: list[str], advice: str
) -> None:
    assert answer(capsys, *argv).endswith(advice)


@pytest.mark.parametrize(
    ("argv", "advice"),
    [
        (
            "--port 80 serve",
            "--port 80. Put options behind the command: rtc-server serve --port 80",
        ),
        (
            "--port=80 serve",
            "--port=80. Put options behind the command: rtc-server serve --port=80",
        ),
        (
            "models --models-dir X --trust-download fetch a",
            "the command: rtc-server models --models-dir X fetch --trust-download a",
        ),
        (
            "models list --models-dir X",
            "Put --models-dir X before list: rtc-server models --models-dir X list",
        ),
        (
            "models path --models-dir=X a",
            "Put --models-dir=X before path: rtc-server models --models-dir=X path a",
        ),
        ("serve --version", "Put --version before serve: rtc-server --version serve"),
        ("models --modls-dir=X list", "--modls-dir=X. Did you mean --models-dir?"),
        (
            "--url models doctor",
            "--url models. Put options behind the command: rtc-server doctor --url models",
        ),
        (
            "models list --models-dir X --config f",
            "before list: rtc-server models --models-dir X --config f list",
        ),
        ("models list --foo --models-dir X", "--foo --models-dir. Put --models-dir X before list"),
        (
            "models verify --trust-downlod --models-dir X",
            "Did you mean --trust-download? Put --models-dir X before verify",
        ),
        ("-o models translate a", "behind the command: rtc-server translate -o models a"),
        ("--host serve --port 80 serve", "rtc-server serve --host serve --port 80"),
        ("--file list keys new a", "behind the command: rtc-server keys new --file list a"),
        ("keys --file list new a", "behind the command: rtc-server keys new --file list a"),
        (
            "models --trust-download --config list fetch a",
            "--trust-download. Put options behind the command: "
            "rtc-server models --config list fetch --trust-download a",
        ),
        (
            "models list --version",
            "Put --version before models: rtc-server --version models list",
        ),
    ],
)
def test_a_misplaced_option_is_answered_with_the_command_line_that_is_right(
    capsys: Capture, argv: str, advice: str
) -> None:
    assert answer(capsys, *argv.split()).endswith(advice)


@pytest.mark.parametrize(
    ("argv", "begins"),
    [
        ("--foo --help serve", "usage: rtc-server [-h]"),
        ("--foo x -h serve", "usage: rtc-server [-h]"),
        ("--foo x --version serve", "rtc-server "),
        ("models --foo x --help list", "usage: rtc-server models [-h]"),
    ],
)
def test_help_and_version_are_printed_behind_an_unknown_option(
    capsys: Capture, argv: str, begins: str
) -> None:
    with pytest.raises(SystemExit) as end:
        main(argv.split(), {})
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith(begins)


@pytest.mark.parametrize("argv", ["-- serve extra", "models -- path a b", "-- --port 80 serve"])
def test_two_dashes_before_a_command_are_no_option(capsys: Capture, argv: str) -> None:
    assert "Put options" not in answer(capsys, *argv.split())


@pytest.mark.parametrize(
    ("argv", "usage", "said"),
    [
        (["translate"], "translate IN.wav [OPTION]...", "required: IN.wav"),
        (["engines", "serve"], "serve --listen ADDRESS [OPTION]...", "required: --listen"),
        (["serve", "--turn-secret", "-x"], "serve [OPTION]...", "Write --turn-secret=VALUE for"),
        (["translate", "-o"], "translate IN.wav [OPTION]...", "Write --output=VALUE for"),
    ],
)
def test_a_lacking_argument_is_in_the_usage_or_explained(
    capsys: Capture, argv: list[str], usage: str, said: str
) -> None:
    with pytest.raises(SystemExit):
        main(argv, {})
    above, error = capsys.readouterr().err.splitlines()
    assert f"{usage}  (`" in above
    assert said in error


def test_the_nearest_option_is_found_in_a_coloured_help(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Python 3.14 writes it on a terminal."""
    plain = CommandParser.format_help

    def coloured(parser: CommandParser) -> str:
        return re.sub(r"--[\w-]+", "\x1b[1;36m\\g<0>\x1b[0m", plain(parser))

    monkeypatch.setattr(CommandParser, "format_help", coloured)
    assert answer(capsys, "serve", "--prot", "80").endswith("Did you mean --port?")


@pytest.mark.parametrize(
    "argv", [["--ast", "nope"], ["--tts", "nope"], ["--ast", "nope", "--workers", "2"]]
)
def test_an_unknown_engine_is_refused_before_the_server_listens(
    capfd: Capture, argv: list[str]
) -> None:
    assert main(["serve", "--port", "0", *argv], {}) == 2
    said = capfd.readouterr().err  # with a line of the log, if it had begun to listen
    assert re.fullmatch(r"rtc-server: There is no (AST|TTS) engine named nope\. .*\n", said)


@pytest.mark.parametrize(
    ("argv", "choices"),
    [([], "serve, translate, "), (["keys"], "new, list, revoke"), (["cluster"], "deploy, status")],
)
def test_a_missing_command_is_answered_with_the_choices(
    capsys: Capture, argv: list[str], choices: str
) -> None:
    assert f". Choose one of {choices}" in answer(capsys, *argv)


@pytest.mark.parametrize(
    "url", ["nope", "http://", "ftp://x", "127.0.0.1:8000", "http://x:99999", "http://[x"]
)
def test_the_doctor_refuses_what_is_no_address(capsys: Capture, url: str) -> None:
    said = answer(capsys, "doctor", "--url", url)
    assert said.startswith(f"rtc-server: {url!r} is not the address of a server. --url takes")


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["serve", "--config", "F"], "options file F (No such file or directory). Correct --conf"),
        (["serve", "--tls-key", "F"], "--tls-key F has no --tls-cert. Set"),
        (["serve", "--tls-cert", "F"], "--tls-cert F has no --tls-key. Set"),
        (["serve", "--port", "0", "--tls-cert", "D/k", "--tls-key", "F"], "(there is no file F)."),
        (["serve", "--port", "0", "--api-keys", "D"], "D is a folder. Name the key file in it."),
        (["serve", "--port", "0", "--secret-key-file", "F"], "`openssl rand -hex 32`"),
        (["keys", "list", "--file", "D"], "D is a folder. Name the key file in it."),
        (["keys", "new", "--file", "F/k", "name"], "F/k: No such file or directory. Its folder"),
    ],
)
def test_a_file_is_named_with_what_to_do(
    capsys: Capture, tmp_path: Path, argv: list[str], said: str
) -> None:
    """D is a folder that is there, with a file k; F is not there."""
    (tmp_path / "k").write_text("no certificate", "utf-8")
    names = {"D": str(tmp_path), "F": str(tmp_path / "absent")}

    def named(text: str) -> str:
        return re.sub(r"\b[DF]\b", lambda found: names[found[0]], text)

    assert named(said) in answer(capsys, *map(named, argv))
