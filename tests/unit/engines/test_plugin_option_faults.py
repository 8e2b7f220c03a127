"""Options of plug-ins that cannot be used: a sentence with the package, and no harm to others."""

from dataclasses import fields
from pathlib import Path
from typing import NoReturn

import pytest

from rtc_server.cli import cluster, main
from rtc_server.cli.main import build_parser
from rtc_server.config import plugins, sections
from rtc_server.errors import ConfigError
from rtc_server.options import config_key
from tests.support.engine_plugins import add, install
from tests.support.served_settings import served_settings as read

UNIT = 'PluginOption(name="odd_unit", default="km", help="unit")'

TWO_OF_A_PACKAGE = """
from rtc_server.engines.contract import EnginePlugin, PluginOption
WAYS = dict(contract=1, kind="ast", title="", licence="")
A = EnginePlugin(**WAYS, create="rtc_odd:a", options=({a},))
B = EnginePlugin(**WAYS, create="rtc_odd:b", options=({b},))
"""

Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize("name", ["port", "ast", "replicas_min", "phrasebook"])
def test_an_option_of_the_server_stays_its_own(site: Path, capsys: Capture, name: str) -> None:
    add(site, "odd", "rtc-odd", options=f'(PluginOption(name="{name}", default="", help="x"),)')
    says = "Engine odd of the package rtc-odd 1.0 cannot be used with its option "
    says += f"--{config_key(name)}: "
    assert read(site).engines.ast == "phrasebook", "the others are not harmed"
    with pytest.raises(ConfigError) as error:
        read(site, "--ast", "odd")
    assert str(error.value).startswith(says)
    with pytest.raises(ConfigError):
        read(site, "--ast", "rtc_odd.engine:create")
    assert read(site, "--ast", "odd", "--ast-servers", "unix:/e").engines.ast == "odd"
    for command in (["translate", "a.wav", "--ast", "odd"], ["phrases", "--engine", "odd"]):
        assert main(command, {}) == 2
        assert says in capsys.readouterr().err
    assert main(["engines"], {}) == 0
    assert says in capsys.readouterr().out


def test_of_two_packages_with_one_option_neither_can_be_chosen(site: Path) -> None:
    add(site, "odd", "rtc-odd", options=f"({UNIT},)")
    add(site, "odder", "rtc-odder", options=f"({UNIT},)")
    assert read(site, "--odd-unit", "m").engines.ast == "phrasebook"
    for name, other in (("odd", "odder"), ("odder", "odd")):
        with pytest.raises(ConfigError) as error:
            read(site, "--ast", name)
        assert f"Engine {name} of the package rtc-{name} 1.0 cannot" in str(error.value)
        assert f"engine {other} of rtc-{other} 1.0 has one of this name" in str(error.value)


CLASH = "cannot be used with its option --port: "
OF_THE_SERVER = '(PluginOption(name="port", default="", help="x"),)'


@pytest.mark.parametrize("kind", ["ast", "tts"])
def test_an_engine_of_either_kind_is_refused(site: Path, kind: str) -> None:
    add(site, "odd", "rtc-odd", kind=kind, options=OF_THE_SERVER)
    with pytest.raises(ConfigError) as error:
        read(site, f"--{kind}", "odd")
    assert CLASH in str(error.value)
    assert read(site, f"--{kind}", "odd", f"--{kind}-servers", "unix:/e")


def no_cluster() -> NoReturn:
    raise ConfigError("Nobody can join this.")


@pytest.mark.real_time
@pytest.mark.parametrize(
    ("command", "other"),
    [
        ("phrases --engine phrasebook", "Доброе утро. → Good morning."),
        ("doctor --url http://127.0.0.1:1", "does not answer"),
        ("engines serve --only tts --listen 0.0.0.0:7", "would let anyone use these engines"),
        ("cluster deploy --only tts", "Nobody can join this."),
        ("cluster status", "Nobody can join this."),
        ("cluster drain", "Nobody can join this."),
    ],
)
def test_a_command_that_does_not_start_it_works(
    site: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch, command: str, other: str
) -> None:
    add(site, "odd", "rtc-odd", options=OF_THE_SERVER)
    monkeypatch.setattr(cluster, "_with_ray", no_cluster)
    main(command.split(), {"RTC_AST": "odd", "RTC_TTS": "tone"})
    said = "".join(capsys.readouterr())
    assert other in said
    assert CLASH not in said


@pytest.mark.real_time
@pytest.mark.parametrize(
    "command", ["engines serve --only ast --listen 0.0.0.0:7", "cluster deploy"]
)
def test_a_command_that_starts_it_is_refused(site: Path, capsys: Capture, command: str) -> None:
    add(site, "odd", "rtc-odd", options=OF_THE_SERVER)
    assert main(command.split(), {"RTC_AST": "odd"}) == 2
    assert CLASH in capsys.readouterr().err


@pytest.mark.real_time
def test_the_doctor_reports_it_beside_what_else_is_wrong(site: Path, capsys: Capture) -> None:
    add(site, "odd", "rtc-odd", options=OF_THE_SERVER)
    assert main(["doctor", "--port", "0", "--ast", "odd"], {}) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "[ ok ] Port 0 on 127.0.0.1 is free." in said
    assert f"[BAD ] Engine odd of the package rtc-odd 1.0 {CLASH}" in said


@pytest.mark.parametrize("other", ["zed", "ace"])
def test_no_engine_of_two_packages_with_one_option_is_spared(site: Path, other: str) -> None:
    """Not even one that shares it within its package; the order of the names decides nothing."""
    two = TWO_OF_A_PACKAGE.format(a=UNIT, b=UNIT)
    install(site, "rtc-odd", {"odda": "rtc_odd:A", "oddb": "rtc_odd:B"}, {"rtc_odd": two})
    add(site, other, "rtc-odder", options=f"({UNIT},)")
    for name, rival in (("odda", other), ("oddb", other), (other, "odda")):
        with pytest.raises(ConfigError) as error:
            read(site, "--ast", name)
        assert f"Engine {name} of the package rtc-odd" in str(error.value)
        assert f": engine {rival} of rtc-odd" in str(error.value)
        assert "Remove one of the packages, or report" in str(error.value)
    assert read(site, "--odd-unit", "m").engines.ast == "phrasebook"


def test_one_package_with_two_forms_of_an_option_is_its_authors_to_mend(site: Path) -> None:
    two = TWO_OF_A_PACKAGE.format(a=UNIT, b=UNIT.replace("km", "miles"))
    install(site, "rtc-odd", {"odda": "rtc_odd:A", "oddb": "rtc_odd:B"}, {"rtc_odd": two})
    for name, rival in (("odda", "oddb"), ("oddb", "odda")):
        with pytest.raises(ConfigError) as error:
            read(site, "--ast", name)
        assert str(error.value) == (
            f"Engine {name} of the package rtc-odd 1.0 cannot be used with its option --odd-unit: "
            f"engine {rival} of the same package describes it differently. Report it to the "
            "authors of rtc-odd."
        )
    assert read(site, "--odd-unit", "m").engines.ast == "phrasebook"


def test_engines_of_one_package_may_share_an_option(site: Path) -> None:
    text = f"""
from rtc_server.engines.contract import EnginePlugin, PluginOption
SHARED = ({UNIT},)
AST = EnginePlugin(contract=1, kind="ast", title="", licence="", create="rtc_odd:a", options=SHARED)
TTS = EnginePlugin(contract=1, kind="tts", title="", licence="", create="rtc_odd:t", options=SHARED)
"""
    install(site, "rtc-odd", {"odd": "rtc_odd:AST", "odd-voice": "rtc_odd:TTS"}, {"rtc_odd": text})
    settings = read(site, "--ast", "odd", "--tts", "odd-voice", "--odd-unit", "miles")
    for kind in ("ast", "tts"):
        assert settings.engines.options(kind, settings.plugins).own == {"odd_unit": "miles"}
    assert plugins().faults == ()


def test_a_broken_plug_in_is_named_where_its_option_is_unknown(site: Path, capsys: Capture) -> None:
    install(site, "rtc-odd", {"odd": "rtc_odd:ENGINE"}, {"rtc_odd": "import not_there_at_all"})
    assert read(site).engines.ast == "phrasebook", "the others are not harmed"
    why = "Engine odd of the package rtc-odd 1.0 cannot be imported"
    for text, environ in (('odd-unit = "m"', {}), ("", {"RTC_ODD_UNIT": "m"})):
        with pytest.raises(ConfigError) as error:
            read(site, text=text, **environ)
        assert f"It may belong to an engine that cannot be used. {why}" in str(error.value)
    with pytest.raises(SystemExit):
        main(["serve", "--odd-unit", "m"], {})
    said = capsys.readouterr().err
    assert "unrecognized arguments: --odd-unit m" in said and why in said


def test_no_option_of_a_command_can_be_taken(site: Path) -> None:
    """Two flags of one name in a parser would be a traceback."""
    taken = {"unheard_of"}
    actions = list(build_parser()._actions)
    for action in actions:
        for parser in action.choices.values() if isinstance(action.choices, dict) else ():
            actions += parser._actions
            if parser.late:
                flags = {each for each in parser._option_string_actions if each[:2] == "--"}
                taken |= {each.removeprefix("--").replace("-", "_") for each in flags}
    assert {"port", "print_config", "listen", "only", "url", "engine"} <= taken
    options = [f'PluginOption(name="{each}", default="", help="x")' for each in sorted(taken)]
    add(site, "odd", "rtc-odd", options=f"({', '.join(options)},)")
    [section] = [each for each in sections() if each.__name__.startswith("ast:odd@")]
    assert [each.name for each in fields(section)] == ["unheard_of"]


@pytest.mark.parametrize(
    ("option", "says"),
    [
        ("name='Unit', default='', help='x'", "name of an option must be small letters, digits"),
        ("name='class', default='', help='x'", "name of an option must be small letters, digits"),
        ("name=7, default='', help='x'", "name of an option must be small letters, digits"),
        ("name='a', type=list, default=[], help='x'", "type of the option a must be str, int, "),
        ("name='a', type=int, default='1', help='x'", "default of the option a must be a whole n"),
        ("name='a', type=int, default=True, help='x'", "default of the option a must be a whole n"),
        ("name='a', type=float, default=1, help='x'", "default of the option a must be a number w"),
        ("name='a', default=None, help='x'", "default of the option a must be a text"),
        (
            "name='a', type=tuple[str, ...], default='', help='x'",
            "default of the option a must be a tuple of texts",
        ),
        (
            "name='a', type=int, default=1, low=2, help='x'",
            "default of the option a must be within",
        ),
        (
            "name='a', type=int, default=2**70, help='x'",
            "default of the option a must be a number of 64 ",
        ),
        (
            "name='a', type=int, default=-(2**63), help='x'",
            "default of the option a must be a number of 64 ",
        ),
        (
            "name='a', type=int, default=10**5000, help='x'",
            "default of the option a must be a number of 64 ",
        ),
        (
            "name='a', type=int, default=1, high=10**5000, help='x'",
            "high of the option a must be a number of 64 ",
        ),
        (
            "name='a', type=float, default=float('nan'), help='x'",
            "default of the option a must be a number of 64 ",
        ),
        (
            "name='a', type=tuple[str, ...], default=(' z ',), help='x'",
            "default of the option a must be a tuple of",
        ),
        (
            "name='a', type=tuple[str, ...], default=('',), help='x'",
            "default of the option a must be a tuple of",
        ),
        (
            "name='a', type=tuple[str, ...], default=('x,y',), help='x'",
            "default of the option a must be a tuple of",
        ),
        (
            "name='a', type=tuple[str, ...], default=('\\0',), help='x'",
            "default of the option a must be a tuple of",
        ),
        (
            "name='a', type=tuple[str, ...], default=('\\ud800',), help='x'",
            "default of the option a must be a tuple of",
        ),
        (
            "name='a', default='b\\0', help='x'",
            "default of the option a must be a text without NUL",
        ),
        (
            "name='a', default='\\ud800', help='x'",
            "default of the option a must be a text without NUL",
        ),
        ("name='a', default='', help='\\ud800'", "help of the option a must be a text in one line"),
        ("name='a', default='', help='b\\0'", "help of the option a must be a text in one line"),
        ("name='a', default='', help=''", "help of the option a must be a text in one line"),
        ("name='a', default='', help='x\\ny'", "help of the option a must be a text in one line"),
        ("name='a', default='', help='x', metavar='[X]'", "metavar of the option a must be a word"),
        (
            "name='a', default='', help='x', choices=['b']",
            "choices of the option a must be a tuple",
        ),
        ("name='a', default='', help='x', choices=('b c',)", "choices of the option a must be a t"),
        ("name='a', type=int, default=1, help='x', choices=('1',)", "choices of the option a must"),
        ("name='a', default='', help='x', low=1", "low of the option a must be None for anything"),
        ("name='a', type=int, default=1, help='x', high='2'", "high of the option a must be a num"),
        ("name='a', default='b', help='x', secret=True", "secret of the option a must be False"),
        ("name='a', default='', help='x', secret=1", "secret of the option a must be True or"),
    ],
)
def test_an_option_that_is_described_wrongly(site: Path, option: str, says: str) -> None:
    add(site, "odd", "rtc-odd", options=f"(PluginOption({option}),)")
    [fault] = plugins().faults
    assert fault.startswith(f"Engine odd of the package rtc-odd 1.0 is described wrongly: {says}")
    assert fault.endswith("Report it to the authors of rtc-odd.")
    assert read(site).engines.ast == "phrasebook", "the others are not harmed"


@pytest.mark.parametrize("options", ["None", "'--unit'", "('unit',)", f"({UNIT}, {UNIT})"])
def test_options_that_are_none(site: Path, options: str) -> None:
    add(site, "odd", "rtc-odd", options=options)
    [fault] = plugins().faults
    assert "is described wrongly: options must be " in fault
