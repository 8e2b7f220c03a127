"""Options of plug-ins: flags, variables and keys as all others, and values in the engine."""

import pickle
import sys
import tomllib
from pathlib import Path

import pytest

from rtc_server.app.cluster_order import ReplicaOrder
from rtc_server.app.engine_server import engine_server
from rtc_server.cli import main
from rtc_server.config import (
    EngineSettings,
    HttpSettings,
)
from rtc_server.engines.base import EngineOptions
from rtc_server.engines.engine_settings import NO_PLUGINS
from rtc_server.engines.own_options import own_options
from rtc_server.engines.plugin import OptionValue
from rtc_server.errors import ConfigError
from tests.support.engine_plugins import add, install_example
from tests.support.served_settings import served_settings as read

ALL = """(
    PluginOption(name="odd_text", default="a", help="100 % of it", metavar="FILE"),
    PluginOption(name="odd_list", type=tuple[str, ...], default=(), help="some, comma separated"),
    PluginOption(name="odd_count", type=int, default=3, low=1, high=9, help="how many"),
    PluginOption(name="odd_least", type=float, default=0.5, low=0, help="how much"),
    PluginOption(name="odd_any", type=float, default=0.5, help="how much of all"),
    PluginOption(name="odd_on", type=bool, default=False, help="whether it is on"),
    PluginOption(name="odd_unit", default="km", choices=("km", "miles"), help="unit"),
    PluginOption(name="odd_key", default="", help="key of a service", secret=True),
)"""

UNIT = 'PluginOption(name="odd_unit", default="km", help="unit")'

TELLS = """
def create(options):
    from tests.support.engine_fakes import ObedientAst
    from dataclasses import replace
    engine = ObedientAst()
    engine.capabilities = replace(engine.capabilities, title=f"{sorted(options.own.items())}")
    return engine
"""

Capture = pytest.CaptureFixture[str]
Given = dict[str, OptionValue]


def helped(capsys: Capture, *command: str) -> str:
    with pytest.raises(SystemExit) as end:
        main([*command, "--help"], {})
    assert end.value.code == 0
    return " ".join(capsys.readouterr().out.split())


def test_an_option_is_read_as_every_other(site: Path) -> None:
    install_example(site)
    assert read(site).plugins["stopwatch_unit"] == "seconds"
    in_file, in_environ = 'stopwatch-unit = "minutes"', {"RTC_STOPWATCH_UNIT": "minutes"}
    assert read(site, text=in_file).plugins["stopwatch_unit"] == "minutes"
    assert read(site, **in_environ).plugins["stopwatch_unit"] == "minutes"
    flag = ("--stopwatch-unit", "seconds")
    assert read(site, *flag, text=in_file, **in_environ).plugins["stopwatch_unit"] == "seconds"
    given = {"RTC_STOPWATCH_UNIT": "seconds"}
    assert read(site, text=in_file, **given).plugins["stopwatch_unit"] == "seconds"


def test_the_help_shows_it(site: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "1000")
    install_example(site)
    add(site, "odd", "rtc-odd", options=ALL)
    for command in (
        ("serve",),
        ("translate",),
        ("phrases",),
        ("doctor",),
        ("engines", "serve"),
        ("cluster", "deploy"),
    ):
        text = helped(capsys, *command)
        assert "Options of the engine stopwatch of the package rtc-stopwatch 1.0:" in text
        assert (
            "--stopwatch-unit {seconds,minutes} unit that the stopwatch counts in "
            "(default: seconds; environment: RTC_STOPWATCH_UNIT)" in text
        )
        assert "Options of the engine phrasebook:" in text
        assert "--odd-text FILE 100 % of it (default: a; environment: RTC_ODD_TEXT)" in text
    assert "--stopwatch-unit" not in helped(capsys, "models")


@pytest.mark.parametrize(
    ("environ", "text", "says"),
    [
        ({"RTC_ODD_UNIT": "m"}, "", "RTC_ODD_UNIT must be one of km, miles, not 'm'."),
        ({}, 'odd-unit = "m"', 'odd-unit must be one of km, miles, not "m". Write it as: odd-unit'),
        ({"RTC_ODD_COUNT": "0"}, "", "RTC_ODD_COUNT must be a whole number from 1 to 9, not '0'."),
        ({}, 'odd-count = "4"', 'odd-count must be a whole number from 1 to 9, not "4". Write'),
        ({"RTC_ODD_LEAST": "-1"}, "", "RTC_ODD_LEAST must be a number of 0 or more, not '-1'."),
        ({"RTC_ODD_ANY": "nan"}, "", "RTC_ODD_ANY must be a number, not 'nan'."),
        ({}, f"odd-any = 0x{400 * 'f'}", "odd-any must be a number, not "),
        ({"RTC_ODD_ON": "maybe"}, "", "RTC_ODD_ON must be yes or no, not 'maybe'."),
        ({}, "odd-list = 1", "odd-list must be a list of texts, not 1."),
        ({}, "odd-units = 1", "there is no option odd-units. Is it odd-unit?"),
        ({"RTC_ODD_UNITS": "m"}, "", "Unknown environment variable RTC_ODD_UNITS."),
    ],
)
def test_what_does_not_fit_is_refused(
    site: Path, environ: dict[str, str], text: str, says: str
) -> None:
    add(site, "odd", "rtc-odd", options=ALL)
    with pytest.raises(ConfigError) as error:
        read(site, text=text, **environ)
    assert says in str(error.value)


def test_each_type_reaches_the_settings(site: Path) -> None:
    add(site, "odd", "rtc-odd", options=ALL)
    text = """
        odd-text = "b"
        odd-list = ["b", "c"]
        odd-count = 4
        odd-least = 2
        odd-any = -1e9
        odd-on = true
        odd-unit = "miles"
        odd-key = "k"
    """
    own = own_options("ast", "odd", read(site, text=text).plugins)
    assert [type(each) for each in own.values()] == [str, tuple, int, float, float, bool, str, str]
    values: tuple[object, ...] = ("b", ("b", "c"), 4, 2.0, -1e9, True, "miles", "k")
    assert tuple(own.values()) == values


@pytest.mark.parametrize(
    ("kind", "default"),
    [
        (int, 2**63 - 1),
        (int, -(2**63) + 1),
        (float, 1e300),
        (float, float("-inf")),
        (str, ' a "b" \\ \x7f\x1b\r\n\u2028 # ü'),
        (tuple[str, ...], ("b c", '"d"', "e\nf")),
    ],
)
def test_a_default_is_read_back_as_it_was_printed(
    site: Path, capsys: Capture, kind: type, default: OptionValue
) -> None:
    name = "tuple[str, ...]" if isinstance(default, tuple) else kind.__name__
    value = f"float('{default}')" if kind is float else ascii(default)
    options = f"(PluginOption(name='odd_any', type={name}, default={value}, help='x'),)"
    add(site, "odd", "rtc-odd", options=options)
    assert read(site).plugins["odd_any"] == default
    assert main(["serve", "--print-config"], {}) == 0
    printed = read(site, text=capsys.readouterr().out).plugins["odd_any"]
    assert (printed, type(printed)) == (default, type(default))


def test_the_printed_settings_have_it_and_no_secret(site: Path, capsys: Capture) -> None:
    add(site, "odd", "rtc-odd", options=ALL)
    environ = {"RTC_ODD_KEY": "verysecret", "RTC_ODD_COUNT": "4"}
    for command in (["serve"], ["engines", "serve", "--listen", "unix:/run/e"]):
        assert main([*command, "--print-config"], environ) == 0
        shown = capsys.readouterr().out
        assert tomllib.loads(shown)["odd-count"] == 4
        assert "odd-count = 4  # RTC_ODD_COUNT" in shown
        assert "verysecret" not in shown and '# odd-key = "(hidden)"' in shown
        assert main([*command, "--print-config=example"], {}) == 0
        shown = capsys.readouterr().out
        assert "# ---- Options of the engine odd of the package rtc-odd 1.0" in shown
        assert "# unit\n# One of: km, miles\n#odd-unit = " in shown


def test_an_engine_gets_its_own_options_only(site: Path) -> None:
    install_example(site)
    add(site, "odd", "rtc-odd", options=f"({UNIT},)")
    given = {"odd_unit": "miles", "stopwatch_unit": "minutes"}
    own = {
        name: EngineSettings(ast=name).options("ast", given).own
        for name in ("odd", "stopwatch", "rtc_stopwatch.engine:create", "laptop", "os:getpid")
    }
    assert own["odd"] == {"odd_unit": "miles"}
    assert own["stopwatch"] == own["rtc_stopwatch.engine:create"] == {"stopwatch_unit": "minutes"}
    assert own["laptop"] == own["os:getpid"] == {}
    assert EngineSettings().options("tts", given).own == {}
    assert EngineSettings(ast="odd").options("ast").own == {"odd_unit": "km"}, "the default"
    assert "rtc_stopwatch.engine" not in sys.modules, "that is for the engine's process"


@pytest.mark.real_time
async def test_its_process_has_the_values_in_an_engine_server_and_on_a_cluster(site: Path) -> None:
    add(site, "odd", "rtc-odd", TELLS, options=ALL, create="rtc_odd:create")
    given: Given = {"odd_unit": "miles", "odd_list": ("b", "c"), "odd_least": 2.0, "odd_on": True}
    engines = EngineSettings(ast="odd", engine_token="t" * 16)
    told = str(sorted(own_options("ast", "odd", given).items()))
    assert "'miles'" in told and "('b', 'c')" in told
    http = HttpSettings()
    async with engine_server("127.0.0.1:0", ("ast",), engines, http, given) as running:
        assert running.engines == (told,)
    order = pickle.loads(pickle.dumps(ReplicaOrder(("ast",), engines, http, plugins=given)))
    async with order("127.0.0.1") as running:
        assert running.engines == (told,)


def test_settings_travel_to_other_processes(site: Path) -> None:
    add(site, "odd", "rtc-odd", options=ALL)
    settings = read(site, "--odd-list", "b,c")
    assert pickle.loads(pickle.dumps(settings)) == settings
    assert settings.plugins["odd_list"] == ("b", "c")


def test_an_engine_written_before_there_were_options_starts_as_it_did(site: Path) -> None:
    add(site, "odd", "rtc-odd")
    settings = read(site, "--ast", "odd", "--phrasebook", "mine.toml")
    options = settings.engines.options("ast", settings.plugins)
    assert options.phrasebooks == (Path("mine.toml"),)
    assert options.own == {} == EngineOptions().own == dict(NO_PLUGINS)


def test_a_command_without_engines_reads_no_plug_in(site: Path, capsys: Capture) -> None:
    add(site, "odd", "rtc-odd")
    with pytest.raises(SystemExit):
        main(["--help"], {})
    assert "phrases" in capsys.readouterr().out
    assert "rtc_odd" not in sys.modules
