"""Engines of other packages: found by entry points, or refused with the package's name."""

import sys
import threading
from pathlib import Path
from types import ModuleType

import pytest

from rtc_server import EngineSettings
from rtc_server.app.engines import Engines
from rtc_server.cli import main
from rtc_server.engines import registry
from rtc_server.engines.base import EngineOptions
from rtc_server.errors import EngineUnavailable
from rtc_server.metrics import Metrics
from tests.support.engine_plugins import add, install, install_example

FAKES = EngineSettings(ast="tests.support.engine_fakes:ast", tts="tests.support.engine_fakes:tts")


def refusal(name: str, kind: registry.Kind = "ast") -> str:
    with pytest.raises(EngineUnavailable) as error:
        registry.resolve(kind, name)
    return str(error.value)


def test_an_engine_of_a_package_is_chosen_by_the_name_of_its_entry_point(site: Path) -> None:
    install_example(site)
    assert registry.resolve("ast", "stopwatch") == "rtc_stopwatch.engine:create"
    assert "stopwatch" in registry.ast_names()
    assert "stopwatch" not in registry.tts_names()
    [card] = [card for card in registry.cards() if card.name == "stopwatch"]
    assert card.extra == {"package": "rtc-stopwatch 1.0"} and card.installed
    assert "rtc_stopwatch.engine" not in sys.modules, "that is for the engine's process"


def test_an_engine_is_of_its_kind_only(site: Path) -> None:
    install_example(site)
    assert refusal("stopwatch", "tts").startswith("There is no TTS engine named stopwatch.")


def test_an_unknown_name_lists_those_of_packages_too(site: Path) -> None:
    install_example(site)
    assert "Choose phrasebook, laptop, " in refusal("hal")
    assert ", stopwatch, or module:factory" in refusal("hal")


def test_a_plug_in_that_cannot_be_imported_is_named_with_its_package(site: Path) -> None:
    install(site, "rtc-odd", {"odd": "rtc_odd:ENGINE"}, {"rtc_odd": "import not_there_at_all"})
    said = refusal("odd")
    assert said.startswith("Engine odd of the package rtc-odd 1.0 cannot be imported: Module")
    assert "No module named 'not_there_at_all'" in said
    assert registry.resolve("ast", "phrasebook"), "the others are not harmed"
    assert "odd" not in {card.name for card in registry.cards()}


def test_the_text_of_another_fault_stays_in_the_plug_in(site: Path) -> None:
    install(site, "rtc-odd", {"odd": "rtc_odd:E"}, {"rtc_odd": "raise RuntimeError('secret')"})
    assert "RuntimeError at __init__.py:1" in refusal("odd")
    assert "secret" not in refusal("odd")


def test_an_entry_point_that_names_something_else(site: Path) -> None:
    install(site, "rtc-odd", {"odd": "rtc_odd:ENGINE"}, {"rtc_odd": "ENGINE = 'an engine'"})
    assert "is rtc_odd:ENGINE, which is no EnginePlugin" in refusal("odd")


@pytest.mark.parametrize(
    ("version", "remedy"), [(0, "Install a newer rtc-odd."), (2, "Install a newer rtc-server.")]
)
def test_another_version_of_the_contract(site: Path, version: int, remedy: str) -> None:
    add(site, "odd", "rtc-odd", contract=version)
    said = refusal("odd")
    assert f"was written for version {version} of the engine contract" in said
    assert said.endswith(remedy)


@pytest.mark.parametrize(
    ("field", "value", "form"),
    [
        ("contract", "1", "a whole number"),
        ("contract", None, "a whole number"),
        ("contract", True, "a whole number"),
        ("kind", "asr", '"ast" or "tts"'),
        ("kind", ["ast"], '"ast" or "tts"'),
        ("title", None, "a text"),
        ("licence", ("MIT",), "a text"),
        ("languages", None, "a tuple of texts"),
        ("languages", "en", "a tuple of texts"),
        ("languages", (b"en",), "a tuple of texts"),
        ("create", "rtc_odd.engine", "module:function"),
        ("create", "rtc_odd.engine:", "module:function"),
        ("create", "rtc_odd:a:b", "module:function"),
        ("create", "rtc-odd:create", "module:function"),
        ("create", None, "module:function"),
        ("needs", "torch", "a tuple of top-level modules' names"),
        ("needs", ("google_nope.cloud",), "a tuple of top-level modules' names"),
        ("needs", ("torch>=2",), "a tuple of top-level modules' names"),
        ("needs", (7,), "a tuple of top-level modules' names"),
        ("needs", None, "a tuple of top-level modules' names"),
        ("install", None, "a text"),
        ("phrases", "nope", "module:function or empty"),
        ("phrases", None, "module:function or empty"),
    ],
)
def test_a_field_that_is_described_wrongly(
    site: Path, capsys: pytest.CaptureFixture[str], field: str, value: object, form: str
) -> None:
    add(site, "odd", "rtc-odd", **{field: value})
    for kind in ("ast", "tts"):
        assert refusal("odd", kind) == (
            f"Engine odd of the package rtc-odd 1.0 is described wrongly: {field} must be {form}, "
            f"and is {value!r} (docs/plugins.md). Report it to the authors of rtc-odd."
        )
    assert "odd" not in {card.name for card in registry.cards()}
    assert registry.resolve("ast", "phrasebook"), "the others are not harmed"
    assert main(["engines", "list"], {}) == 0
    assert refusal("odd") in capsys.readouterr().out


def test_a_plug_in_that_ends_the_process_does_not(site: Path) -> None:
    install(site, "rtc-odd", {"odd": "rtc_odd:E"}, {"rtc_odd": "raise SystemExit('enough')"})
    assert "cannot be imported: SystemExit at __init__.py:1. Install" in refusal("odd")
    assert len(registry.faults()) == 1


def test_a_module_without_a_spec_is_there(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "rtc_odd_made_by_hand", ModuleType("rtc_odd_made_by_hand"))
    add(site, "odd", "rtc-odd", needs=("rtc_odd_made_by_hand",))
    assert registry.resolve("ast", "odd")


@pytest.mark.parametrize(
    ("phrases", "reason"),
    [
        ("rtc_odd_nope:nope", "cannot list its phrases: ModuleNotFoundError at "),
        ("rtc_odd:nope", "cannot list its phrases: AttributeError at "),
        ("rtc_odd:fails", "cannot list its phrases: RuntimeError at __init__.py:"),
        ("rtc_odd:ends", "cannot list its phrases: SystemExit at __init__.py:"),
        ("rtc_odd:nothing", "cannot list its phrases: TypeError at "),
        ("rtc_odd:texts", "lists phrases that are no PhraseTopic. "),
    ],
)
def test_phrases_that_a_package_cannot_list(site: Path, phrases: str, reason: str) -> None:
    add(site, "odd", "rtc-odd", PHRASES, phrases=phrases)
    with pytest.raises(EngineUnavailable) as error:
        registry.phrases("odd", "en", "ru", EngineOptions())
    said = str(error.value)
    assert said.startswith(f"Engine odd of the package rtc-odd 1.0 {reason}")
    assert said.endswith("Report it to the authors of rtc-odd.")
    assert "secret" not in said


PHRASES = """
def fails(*_): raise RuntimeError("secret")
def ends(*_): raise SystemExit("secret")
def nothing(*_): return None
def texts(*_): return ["secret"]
"""


def test_a_plug_in_is_judged_once(site: Path) -> None:
    text = """
from pathlib import Path
count = Path(__file__).with_name("count")
count.write_text((count.read_text() if count.exists() else "") + "I")
raise RuntimeError
"""
    install(site, "rtc-odd", {"odd": "rtc_odd:E"}, {"rtc_odd": text})
    for _ in range(2):
        registry.cards()
        assert refusal("odd")
    assert (site / "rtc_odd" / "count").read_text() == "I"


@pytest.mark.real_time
async def test_a_server_imports_plug_ins_beside_its_loop_and_before_it_is_ready(site: Path) -> None:
    add(site, "odd", "rtc-odd", "import threading\nTHREAD = threading.get_ident()\n")
    async with Engines(FAKES, Metrics()).running():
        where: int = sys.modules["rtc_odd"].THREAD
    assert where != threading.get_ident()


def test_a_voice_may_be_named_as_the_phrasebook(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add(site, "phrasebook", "rtc-odd", kind="tts")
    assert main(["phrases", "--language", "en"], {}) == 0
    assert "  Where is the train station? → " in capsys.readouterr().out


def test_the_phrases_of_any_engine_are_listed(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    more = "def lists(source, target, _): return [TOPIC] if source != target else []"
    add(site, "odd", "rtc-odd", TOPIC + more, phrases="rtc_odd:lists", languages=("en", "fr"))
    assert main(["phrases", "--engine", "odd", "--language", "en"], {}) == 0
    assert capsys.readouterr().out == "Greetings\n  Hello → Bonjour\n\n"


TOPIC = """
from rtc_server.engines.contract import PhraseExample, PhraseTopic
TOPIC = PhraseTopic("Greetings", (PhraseExample("Hello", "Bonjour"),))
"""


@pytest.mark.parametrize(
    ("engine", "says"),
    [
        ("odd", "Engine odd lists no phrases in 'en'. Its languages: fr."),
        ("rtc_odd:create", "Engine rtc_odd:create lists no phrases in 'en'. Its languages: none."),
    ],
)
def test_an_engine_without_a_list_of_phrases_says_so(
    site: Path, capsys: pytest.CaptureFixture[str], engine: str, says: str
) -> None:
    add(site, "odd", "rtc-odd", languages=("en", "fr"))
    assert main(["phrases", "--engine", engine, "--language", "en"], {}) == 2
    assert says in capsys.readouterr().err


def test_the_phrases_of_two_phrasebooks_are_a_sentence(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    add(site, "phrasebook", "rtc-odd")
    assert main(["phrases"], {}) == 2
    said = capsys.readouterr().err
    assert "Several packages bring an AST engine named phrasebook" in said
    assert said.count("\n") == 1


def test_two_packages_with_an_engine_of_one_name(site: Path) -> None:
    add(site, "odd", "rtc-odd")
    add(site, "odd", "rtc-odder")
    assert "rtc-odd 1.0 and rtc-odder 1.0. Remove all but one" in refusal("odd")
    cards = [card for card in registry.cards() if card.name == "odd"]
    assert [card.installed for card in cards] == [False, False]


@pytest.mark.parametrize("name", ["laptop", "phrasebook"])
def test_nobody_takes_the_name_of_an_engine_of_ours(site: Path, name: str) -> None:
    add(site, name, "rtc-odd")
    assert f"an AST engine named {name}: rtc-server and rtc-odd 1.0" in refusal(name)


def test_what_a_plug_in_needs_is_named_with_the_command(site: Path) -> None:
    add(site, "odd", "rtc-odd", needs=("not_there_at_all",))
    said = refusal("odd")
    assert said.startswith("Engine odd needs not_there_at_all, not installed here. Run: ")
    assert said.endswith("-m pip install rtc-odd")
