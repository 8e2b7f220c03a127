"""Promises of the package to applications that embed it, and the effects of importing it."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import rtc_server
from rtc_server import config, errors

DOCS = Path(__file__).parents[2]
FUNCTIONS = {"mountable", "running", "serve"}
SETTINGS = {
    "Settings",
    "AccessSettings",
    "EngineSettings",
    "HttpSettings",
    "InterpreterSettings",
    "SegmenterSettings",
    "RoomSettings",
    "TransportSettings",
    "UsageSettings",
    "WorkerSettings",
}
ERRORS = {
    "AdmissionRefused",
    "AudioAhead",
    "BadEvent",
    "BadOffer",
    "BodyTimeout",
    "ConfigError",
    "EngineCrashed",
    "EngineError",
    "EngineOverloaded",
    "EngineTimeout",
    "EngineUnavailable",
    "EtagMismatch",
    "EtagMissing",
    "Forbidden",
    "IceRestartRefused",
    "ModelError",
    "NotReady",
    "PayloadTooLarge",
    "RateLimited",
    "RemoteError",
    "RoomSilent",
    "RoomTaken",
    "RtcServerError",
    "SessionRefused",
    "SlowReader",
    "TooManyTracks",
    "Unauthorized",
    "UnknownRoom",
    "UnknownSession",
    "UnsupportedMedia",
    "UnsupportedPair",
}


def test_the_public_names_are_these() -> None:
    """Removing one breaks somebody's application: that is a line in the changelog."""
    public = FUNCTIONS | SETTINGS | ERRORS | {"MediaScheduler", "RunningServer", "__version__"}
    assert set(rtc_server.__all__) == public
    assert set(dir(rtc_server)) >= public


@pytest.mark.parametrize("name", sorted(rtc_server.__all__))
def test_each_name_is_there_and_documented(name: str) -> None:
    value = getattr(rtc_server, name)
    if name != "__version__":
        assert inspect.getdoc(value)


def test_the_whole_error_tree_and_all_sections_are_public() -> None:
    tree = {
        name
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, errors.RtcServerError)
    }
    sections = {section.__name__ for section in config.SECTIONS}
    # An error or section added by a feature is public from its first day.
    assert tree <= set(rtc_server.__all__)
    assert sections <= set(rtc_server.__all__)


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"rtc_server.*nothing_like_it"):
        _ = rtc_server.nothing_like_it


def run(code: str) -> str:
    """Return the output of a fresh interpreter."""
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout


def test_importing_is_cheap() -> None:
    """A host that only catches an error or reads the version loads no media and no numerics."""
    heavy = "{'numpy', 'av', 'aiortc', 'aiohttp', 'asyncio', 'scipy'} & set(sys.modules)"
    assert run(f"import sys, rtc_server; rtc_server.ConfigError; print({heavy})") == "set()\n"


def test_importing_changes_nothing_of_the_process() -> None:
    code = """
import logging, os, signal, threading, warnings

def state():
    levels = {n: l.level for n, l in logging.root.manager.loggerDict.items()
              if isinstance(l, logging.Logger) and l.level}
    signals = {s: signal.getsignal(s) for s in signal.valid_signals()}
    return (dict(os.environ), os.getcwd(), levels, logging.root.level, logging.root.handlers[:],
            signals, threading.active_count())

import aiohttp.web, aiortc, av, numpy, scipy  # their own effects are not ours
before, filters = state(), warnings.filters[:]
import rtc_server
for name in rtc_server.__all__:
    getattr(rtc_server, name)
import rtc_server.app.server, rtc_server.cli.main, rtc_server.cli.serve, rtc_server.engines.process
for then, now in zip(before, state()):
    assert now == then, (then, now)
assert warnings.filters == filters
"""
    run(code)


def test_the_documents_use_the_public_names() -> None:
    places = [DOCS / "README.md", *DOCS.glob("docs/*.md"), *DOCS.glob("examples/**/*.py")]
    for place in places:
        text = place.read_text("utf-8")
        assert "rtc_server.app.server" not in text, place
        assert "from rtc_server.config import" not in text, place
        assert "from rtc_server.errors import" not in text, place
