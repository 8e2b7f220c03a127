"""Ways on which options of plug-ins reach the engine: each command that starts it, and the hello.

The engine refuses to start and quotes what it was given, so that each way is a sentence.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rtc_server.app.cluster_order import ReplicaOrder, build
from rtc_server.app.engine_server import engine_server
from rtc_server.app.engines import Engines
from rtc_server.cli import cluster, main
from rtc_server.config import EngineSettings, HttpSettings
from rtc_server.engines.plugin import OptionValue
from rtc_server.errors import EngineUnavailable
from rtc_server.metrics import Metrics
from tests.support.engine_plugins import add
from tests.support.engine_server import FAKES, TOKEN
from tests.support.wav import write_wav

UNIT = '(PluginOption(name="odd_unit", default="km", help="unit"),)'
GIVEN: dict[str, OptionValue] = {"odd_unit": "miles"}
QUOTED = "It was given miles."

REFUSES = """
def create(options):
    from rtc_server.errors import EngineUnavailable
    raise EngineUnavailable(f"It was given {options.own['odd_unit']}.")
"""

LISTS = """
def create(options):
    from dataclasses import replace
    from tests.support.engine_fakes import ObedientAst
    engine = ObedientAst()
    engine.capabilities = replace(engine.capabilities, name="odd")
    return engine

def phrases(source, target, options):
    from rtc_server.engines.contract import PhraseExample, PhraseTopic
    return [PhraseTopic("Units", (PhraseExample(options.own["odd_unit"], "…"),))]
"""

Capture = pytest.CaptureFixture[str]


@pytest.mark.real_time
@pytest.mark.parametrize("kind", ["ast", "tts"])
@pytest.mark.parametrize(
    "command",
    [
        "translate {recording}",
        "serve --port 0",
        "serve --port 0 --workers 2",
        "engines serve --listen 127.0.0.1:0 --only {kind}",
    ],
)
def test_each_command_gives_them_to_its_engine(
    site: Path, capsys: Capture, command: str, kind: str
) -> None:
    add(site, "odd", "rtc-odd", REFUSES, kind=kind, options=UNIT, create="rtc_odd:create")
    recording = write_wav(site / "a.wav", np.zeros(1600, np.float32), 16000)
    argv = command.format(recording=recording, kind=kind).split()
    engines = dict(zip(("ast", "tts"), FAKES, strict=True)) | {kind: "odd"}
    argv += [f"--{name}={engine}" for name, engine in engines.items()]
    assert main([*argv, "--odd-unit", "miles"], {}) == 2
    assert QUOTED in capsys.readouterr().err


@pytest.mark.real_time
@pytest.mark.parametrize("kind", ["ast", "tts"])
async def test_a_replica_gives_them_to_its_engine(site: Path, kind: str) -> None:
    add(site, "odd", "rtc-odd", REFUSES, kind=kind, options=UNIT, create="rtc_odd:create")
    engines = EngineSettings(ast="odd", tts="odd", engine_token=TOKEN)
    kinds = tuple(each for each in ("ast", "tts") if each == kind)
    order = ReplicaOrder(kinds, engines, HttpSettings(), plugins=GIVEN)
    with pytest.raises(EngineUnavailable) as error:
        async with order("127.0.0.1"):
            pytest.fail("the engine does not start")
    assert QUOTED in str(error.value)


def test_the_order_for_a_cluster_has_them(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the command gives it, and as a ``serve.yaml`` does; Ray is played."""
    add(site, "odd", "rtc-odd", options=UNIT)
    orders: list[SimpleNamespace] = []
    deployments = SimpleNamespace(ClusterOrder=SimpleNamespace, application=orders.append)
    monkeypatch.setitem(sys.modules, "rtc_server.engines.ray.deployments", deployments)
    ray = SimpleNamespace(joined=joined, deploy=lambda order, *_: orders.append(order))
    monkeypatch.setattr(cluster, "_with_ray", lambda: ray)
    token = {"RTC_ENGINE_TOKEN": TOKEN}
    assert main(["cluster", "deploy", "--ast", "odd", "--odd-unit", "miles"], token) == 0
    monkeypatch.setenv("RTC_ENGINE_TOKEN", TOKEN)
    build({"ast": "odd", "odd_unit": "miles"})
    assert [each.start.plugins["odd_unit"] for each in orders] == ["miles", "miles"]


@contextmanager
def joined(_address: str) -> Iterator[None]:
    yield


@pytest.mark.real_time
async def test_phrases_are_listed_with_them_here_and_by_an_engine_server(site: Path) -> None:
    fields = {"create": "rtc_odd:create", "phrases": "rtc_odd:phrases"}
    add(site, "odd", "rtc-odd", LISTS, options=UNIT, **fields)
    own = EngineSettings(ast="odd", tts=FAKES[1], engine_token=TOKEN)
    async with Engines(own, Metrics(), GIVEN).running() as engines:
        assert said(engines) == {"miles"}
    async with engine_server("127.0.0.1:0", ("ast", "tts"), own, HttpSettings(), GIVEN) as server:
        address = (server.address,)
        asked = EngineSettings(ast_servers=address, tts_servers=address, engine_token=TOKEN)
        async with Engines(asked, Metrics()).running() as engines:
            assert said(engines) == {"miles"}


def said(engines: Engines) -> set[str]:
    assert engines.ast is not None
    languages = {source for source, _ in engines.ast.pairs}
    return {phrase.text for each in languages for phrase in engines.phrases(each)}
