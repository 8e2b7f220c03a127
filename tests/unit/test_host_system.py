"""Other systems, simulated: the server runs, or refuses to start with one sentence."""

import asyncio
import signal
import sys
from pathlib import Path

import psutil
import pytest

from rtc_server import ConfigError, EngineSettings, Settings, mountable
from rtc_server.app.engines import Engines
from rtc_server.host_system import check_system
from rtc_server.metrics import Metrics

FAKES = EngineSettings(ast="tests.support.engine_fakes:ast", tts="tests.support.engine_fakes:tts")
NO_RESOURCE = """
import sys
sys.platform = {platform!r}
sys.modules["resource"] = None
"""


def test_linux_needs_no_words() -> None:
    assert not check_system()


@pytest.mark.parametrize("platform", ["win32", "cygwin", "emscripten"])
def test_what_cannot_run_says_so_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, platform: str
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    with pytest.raises(ConfigError, match=r"rtc-server does not run on .* WSL 2\."):
        mountable(Settings())


@pytest.fixture
def other_system(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> str:
    """Another system, for this process and those it starts; they lack the module `resource`."""
    platform: str = request.param
    (tmp_path / "sitecustomize.py").write_text(NO_RESOURCE.format(platform=platform))
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "platform", platform)
    return platform


@pytest.mark.real_time
@pytest.mark.parametrize("other_system", ["darwin"], indirect=True)
async def test_engines_work_elsewhere_and_the_log_says_what_is_missing(
    other_system: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with Engines(FAKES, Metrics()).running() as engines:
        assert engines.ready
    said = [record for record in caplog.records if "On macOS" in record.message]
    assert len(said) == 1
    assert said[0].message.count(". ") == 0  # one sentence


KILLED_SERVER = """
import asyncio, sys
sys.path[:0] = {path!r}
{prelude}
from rtc_server.engines.base import AstRequest, EngineOptions
from rtc_server.engines.process import EngineProcess
from tests.support.engine_fakes import Do, audio

async def main():
    name = "tests.support.engine_fakes:ast"
    process = await EngineProcess.start(name, name, EngineOptions(), 60.0)
    print(process.pid, flush=True)
    await process.translate([AstRequest(audio(Do.HANG), "en", "ru")], 3600.0)

asyncio.run(main())
"""


@pytest.mark.real_time
@pytest.mark.parametrize("platform", ["linux", "darwin"])
async def test_an_engine_in_a_call_ends_with_a_killed_server(platform: str, tmp_path: Path) -> None:
    prelude = "" if platform == "linux" else NO_RESOURCE.format(platform=platform)
    (tmp_path / "sitecustomize.py").write_text(prelude)
    code = KILLED_SERVER.format(path=[str(tmp_path), str(Path.cwd())], prelude=prelude)
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout
    engine = psutil.Process(int(await server.stdout.readline()))
    assert engine.is_running()
    server.send_signal(signal.SIGKILL)
    await server.wait()
    gone, _ = await asyncio.to_thread(psutil.wait_procs, [engine], 60)
    assert gone
