"""An engine of another package, the whole way: chosen by its name, called over WebRTC."""

from dataclasses import replace
from pathlib import Path

import pytest

from rtc_server.app.server import running
from rtc_server.config import HttpSettings, Settings
from tests.support.engine_plugins import install_example
from tests.support.patient import PATIENT
from tests.support.server import call, of, said


async def test_the_example_of_a_plug_in_translates_a_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install_example(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    engines = replace(PATIENT, ast="stopwatch", tts="espeak")
    own = {"stopwatch_unit": "minutes"}
    settings = Settings(http=HttpSettings(port=0), engines=engines, plugins=own)
    async with running(settings) as running_server:
        assert (
            running_server.engines.ast is not None
            and running_server.engines.ast.name == "stopwatch"
        )
        async with call(running_server, said("good morning"), "?source=en&target=ru") as client:
            await client.until(
                lambda: bool(of(client, "x.playout", state="finished")), timeout_s=60
            )
            [final] = of(client, "x.segment", final=True)
    assert final["source"]["text"].startswith("You spoke for 0 minutes")
    assert final["target"]["text"].startswith("Вы говорили 0 минут")
