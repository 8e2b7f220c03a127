"""The command: arguments in; text, files and an exit code out."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rtc_server import __version__
from rtc_server.app import offline
from rtc_server.cli import main, translate
from rtc_server.cli.audio_files import read_recording
from rtc_server.cli.engines import describe
from rtc_server.config import sections
from rtc_server.engines.base import EngineCard
from rtc_server.errors import EngineUnavailable, UnsupportedPair
from rtc_server.events.segment_events import (
    CaptionHint,
    SegmentEvent,
    SegmentStatus,
    SourceCaption,
    TargetCaption,
)
from rtc_server.options import flag, settings_fields, variable
from rtc_server.pcm import PLAYOUT_RATE, SPEECH_RATE
from tests.support.signals import tone
from tests.support.wav import write_wav

Capture = pytest.CaptureFixture[str]


def segment(status: SegmentStatus, **extra: Any) -> SegmentEvent:
    """Return a caption of a segment from 0.3 to 1.94 seconds."""
    return SegmentEvent(
        segment_id="s1",
        rev=1,
        final=True,
        status=status,
        source=SourceCaption("ru", "Где вокзал?", 11, 300, 1940),
        target=TargetCaption("en", "Where is the station?", 21),
        **extra,
    )


def test_captions_say_when_what_and_what_it_means() -> None:
    text = translate.caption(segment(SegmentStatus.FINAL))
    assert text == "[0.3–1.9 s] ru: Где вокзал? → en: Where is the station?"


def test_captions_say_what_went_wrong() -> None:
    hints = (CaptionHint("Где банк?", "Where is the bank?"), CaptionHint("Где?", "Where?"))
    text = translate.caption(segment(SegmentStatus.NOT_UNDERSTOOD, hints=hints))
    assert text.splitlines() == [
        "[0.3–1.9 s] ru: not understood",
        "    perhaps: Где банк? → Where is the bank?",
        "    perhaps: Где? → Where?",
    ]
    text = translate.caption(segment(SegmentStatus.FAILED, message="The engine is restarting."))
    assert text == "[0.3–1.9 s] ru: failed: The engine is restarting."


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    return write_wav(tmp_path / "in.wav", tone(440, 200), SPEECH_RATE)


def pipeline(monkeypatch: pytest.MonkeyPatch, result: Any) -> list[tuple[Any, ...]]:
    """Replace the pipeline by one that returns, or raises, `result`; return its arguments."""
    seen: list[tuple[Any, ...]] = []

    async def translated(*arguments: Any) -> offline.RecordingTranslation:
        seen.append(arguments)
        if isinstance(result, Exception):
            raise result
        return offline.RecordingTranslation(result, tone(440, 300, sample_rate=PLAYOUT_RATE))

    monkeypatch.setattr(translate, "translate", translated)
    return seen


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        ([SegmentStatus.FINAL], 0),
        ([SegmentStatus.FINAL, SegmentStatus.NOT_UNDERSTOOD], 1),
        ([SegmentStatus.FAILED], 1),
        ([], 1),
    ],
)
def test_the_exit_code_says_whether_all_was_translated(
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
    recording: Path,
    statuses: list[SegmentStatus],
    code: int,
) -> None:
    seen = pipeline(monkeypatch, tuple(segment(status) for status in statuses))
    out = recording.with_name("out.wav")
    argv = ["translate", str(recording), "-o", str(out), "--source", "en-GB", "--target", "ru"]
    assert main([*argv, "--hangover-ms", "500"], {"RTC_MIN_SPEECH_MS": "70"}) == code
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == max(len(statuses), 1)
    assert len(read_recording(out)) == pytest.approx(4800, abs=32)
    samples, settings, patch = seen[0]
    assert len(samples) == 3200
    assert (settings.segmenter.hangover_ms, settings.segmenter.min_speech_ms) == (500, 70)
    assert (patch.source_language, patch.target_language) == ("en", "ru")


def test_a_folder_that_is_not_there_is_told_before_the_work(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, recording: Path
) -> None:
    seen = pipeline(monkeypatch, ())
    assert (
        main(["translate", str(recording), "-o", str(recording.parent / "no" / "o.wav")], {}) == 2
    )
    assert "There is no folder" in capsys.readouterr().err
    assert not seen


@pytest.mark.parametrize(
    "error", [UnsupportedPair("There is no Klingon."), EngineUnavailable("No engine here.")]
)
def test_errors_are_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, recording: Path, error: Exception
) -> None:
    pipeline(monkeypatch, error)
    assert main(["translate", str(recording)], {}) == 2
    assert capsys.readouterr().err == f"rtc-server: {error}\n"


@pytest.mark.parametrize(
    ("argv", "environ", "named"),
    [
        (["serve", "--port", "x"], {}, "--port"),
        (["serve"], {"RTC_PROT": "1"}, "RTC_PROT"),
        (["serve"], {"RTC_HOST": "0.0.0.0"}, "Set an API key"),
        (["serve", "--ice-servers", "turn:nobody"], {}, "turn:user:password@host:port"),
        (["translate", "x.wav", "--vad", "magic"], {}, "silero, webrtc"),
    ],
)
def test_wrong_settings_are_one_sentence(
    capsys: Capture, argv: list[str], environ: dict[str, str], named: str
) -> None:
    assert main(argv, environ) == 2
    captured = capsys.readouterr()
    assert named in captured.err
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize(
    "argv",
    [
        ["serve"],
        ["doctor"],
        ["engines", "serve", "--listen", "unix:/s"],
        ["translate", "in.wav"],
        ["models", "path"],
        ["phrases"],
    ],
)
@pytest.mark.parametrize("by_variable", [False, True])
def test_each_command_that_has_settings_takes_them_from_a_file(
    tmp_path: Path, capsys: Capture, argv: list[str], by_variable: bool
) -> None:
    path = tmp_path / "server.toml"
    path.write_text("port = 70000")
    if by_variable:
        assert main(argv, {"RTC_CONFIG": str(path)}) == 2
    else:
        behind = 2 if argv[0] == "engines" else 1  # its action has options of its own
        assert main([*argv[:behind], "--config", str(path), *argv[behind:]], {}) == 2
    assert f"{path}: port must be" in capsys.readouterr().err


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["dance"],
        ["serve", "--prot", "1"],
        ["serve", "--por", "1"],
        ["serve", "extra"],
        ["translate"],
        ["engines", "--port", "1"],
        ["phrases", "--port", "1"],
    ],
)
def test_unknown_usage_fails(capsys: Capture, argv: list[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(argv, {})
    assert end.value.code == 2
    assert "usage: rtc-server" in capsys.readouterr().err


def test_help_explains_each_option_with_default_and_variable(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.setenv("COLUMNS", "1000")
    with pytest.raises(SystemExit) as end:
        main(["serve", "--help"], {})
    assert end.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    for _, field, _ in settings_fields(*sections()):
        assert f" {flag(field.name)} " in text
        assert f"; environment: {variable(field.name)})" in text
    assert text.count("(default: ") == len(settings_fields(*sections()))


def test_the_version(capsys: Capture) -> None:
    with pytest.raises(SystemExit) as end:
        main(["--version"], {})
    assert end.value.code == 0
    assert capsys.readouterr().out == f"rtc-server {__version__}\n"


def test_engines_are_listed_with_licences(capsys: Capture) -> None:
    assert main(["engines"], {}) == 0
    text = capsys.readouterr().out
    for wanted in ("phrasebook", "espeak", "GPL-3.0", "--ast", "--tts"):
        assert wanted in text


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("ru", "  Где находится вокзал? → Where is the train station?"),
        ("en-US", "  Where is the train station? → Где находится вокзал?"),
    ],
)
def test_phrases_are_listed_with_translations(capsys: Capture, language: str, line: str) -> None:
    assert main(["phrases", "--language", language], {}) == 0
    assert line in capsys.readouterr().out.splitlines()


def test_phrases_of_a_language_that_is_not_in_the_book(capsys: Capture) -> None:
    assert main(["phrases", "--language", "de"], {}) == 2
    assert "lists no phrases in 'de'. Its languages: en, ru." in capsys.readouterr().err


def test_phrases_of_a_bad_book_are_one_sentence(tmp_path: Path, capsys: Capture) -> None:
    book = tmp_path / "mine.toml"
    book.write_text("[[phrase]\n")
    assert main(["phrases"], {"RTC_PHRASEBOOK": str(book)}) == 2
    captured = capsys.readouterr()
    assert "mine.toml" in captured.err
    assert captured.err.count("\n") == 1


def test_an_engine_that_is_missing_says_what_to_install() -> None:
    card = EngineCard("ast", "big", "Big", "CC-BY", ("en",), False, "Run: pip install big")
    assert describe(card)[0] == "  big  (not installed)"
    assert describe(card)[-1] == "    Run: pip install big"


def test_the_command_starts_without_loading_engines_or_the_web() -> None:
    code = (
        "import sys; from rtc_server.cli import main\n"
        "try: main(['serve', '--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'aiohttp', 'aiortc', 'av', 'numpy', 'onnxruntime', 'pocketsphinx'}\n"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


def test_output_that_nobody_reads_to_its_end_is_no_error() -> None:
    code = "import sys; from rtc_server.cli import main; sys.exit(main(['engines']))"
    reading, writing = os.pipe()
    os.close(reading)  # before it starts: on a busy machine it may end before the next line
    try:
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=writing, stderr=subprocess.PIPE, check=False
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.fixture
def taken_port() -> Iterator[int]:
    """Port of 127.0.0.1 that is in use."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_port_in_use_is_one_sentence(capsys: Capture, taken_port: int) -> None:
    assert main(["serve", "--port", str(taken_port)], {}) == 2
    assert f"Cannot listen on 127.0.0.1:{taken_port}" in capsys.readouterr().err
