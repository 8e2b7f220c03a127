"""A session with the real phrasebook, whose core has ten other things to compute."""

import asyncio
import json
import os
from typing import Any, cast

import psutil
import pytest

from rtc_server.config import EngineSettings
from rtc_server.engines.base import EngineOptions
from rtc_server.engines.service import AstService
from rtc_server.events.client import SessionPatch
from rtc_server.metrics import Metrics
from rtc_server.pcm import Samples
from tests.support.busy_machine import load
from tests.support.fakes import FakeAst, FakeTransport, joined, silence
from tests.support.session_bench import ALL, session_bench, speak
from tests.support.signals import english
from tests.support.until import until

SENTENCES = 4
LOAD = 10
CORE = 0
"""The busy core; the tests that run at the same time have the others."""


def sent(transport: FakeTransport, kind: str, **fields: object) -> list[dict[str, Any]]:
    events = (json.loads(text) for text in transport.sent)
    return [
        event
        for event in events
        if event["type"] == kind and all(event.get(key) == fields[key] for key in fields)
    ]


def answered(transport: FakeTransport) -> bool:
    """Return whether each segment that was said has its last caption."""
    return len(sent(transport, "x.segment", final=True)) == len(
        sent(transport, "x.vad", state="silence")
    )


@pytest.mark.slow
@pytest.mark.real_time
async def test_at_load_ten_the_phrasebook_answers_and_is_never_restarted() -> None:
    """The settings are the defaults. The delay depends on the machine; that a late answer is
    announced is tested for the interpreter, in virtual time.
    """
    service = AstService("phrasebook", EngineOptions(), EngineSettings(), Metrics())
    await service.start()
    [engine] = psutil.Process().children()
    for thread in engine.threads():
        os.sched_setaffinity(thread.id, {CORE})
    sentence: Samples = joined([english("where is the train station"), silence(1.0)])
    position = 0
    try:
        async with session_bench(ast=cast(FakeAst, service)) as place:
            await place.call(SessionPatch(target_language="ru", x_events=ALL))
            [transport] = place.transports
            with load(LOAD, CORE):
                for _ in range(SENTENCES):
                    await speak(transport, sentence, position)
                    position += len(sentence)
                    await until(lambda: answered(transport))
            captions = sent(transport, "x.segment", final=True)
            assert len(captions) >= SENTENCES
            assert "failed" not in {caption["status"] for caption in captions}
        assert engine.is_running()
    finally:
        await service.close()
        await asyncio.sleep(0)
