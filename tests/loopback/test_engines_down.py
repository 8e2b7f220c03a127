"""Several sessions at work when the engines' processes are killed, and when they stop answering."""

import contextlib
import signal
from dataclasses import replace
from typing import Any

import psutil
import pytest

from rtc_server.app.server import running
from rtc_server.config import HttpSettings, Settings
from tests.support.patient import QUICK, TRANSPORT
from tests.support.rtc_client import RtcClient
from tests.support.server import call, engine_processes, freed, of, said

SESSIONS = 5
"""Number of sessions: one more than a batch of the engine holds."""
SETTINGS = Settings(
    http=HttpSettings(port=0, max_sessions=SESSIONS),
    transport=TRANSPORT,
    engines=replace(QUICK, ast_deadline_s=10.0, tts_deadline_s=5.0),
)


def captions(client: RtcClient) -> list[dict[str, Any]]:
    """Return the newest caption of each segment that is not a hypothesis. A voice that fails
    changes the status of a final caption to failed.
    """
    return list({e["segment_id"]: e for e in of(client, "x.segment", final=True)}.values())


async def captioned(client: RtcClient, count: int) -> None:
    await client.until(lambda: len(captions(client)) >= count)


async def heard(client: RtcClient, caption: dict[str, Any]) -> None:
    def finished() -> bool:
        segment = caption["segment_id"]
        return bool(of(client, "x.playout", segment_id=segment, state="finished"))

    await client.until(finished)


@pytest.mark.parametrize(
    "blow",
    [
        pytest.param(signal.SIGKILL, marks=pytest.mark.slow),  # of one session: in test_server.py
        signal.SIGSTOP,
    ],
)
@pytest.mark.unmeasured
async def test_every_session_is_answered_or_told_and_served_again(blow: signal.Signals) -> None:
    async with running(SETTINGS) as running_server, contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(call(running_server)) for _ in range(SESSIONS)]
        fallen = engine_processes()
        for process in fallen:
            process.suspend()  # so that all sessions wait, however fast the machine is
        for client in clients:
            client.track.say(said("where is the train station", pause_s=0.5))
        for client in clients:
            await client.event("x.vad", count=2)  # the sentence is over
        for process in fallen:
            with contextlib.suppress(psutil.NoSuchProcess):  # counted as hung, and replaced already
                process.send_signal(blow)
        for client in clients:
            await captioned(client, 1)
            first = captions(client)[0]
            assert first["status"] == "final" or (first["status"] == "failed" and first["message"])
        if blow is signal.SIGSTOP:  # who waited for a process that says nothing was told before
            assert any(of(client, "x.warning", code="engine_slow") for client in clients)
            failed = [client for client in clients if captions(client)[0]["status"] == "failed"]
            for client in failed:
                told = of(client, "x.warning", code="engine_slow")[0]
                assert told["seq"] < captions(client)[0]["seq"]

        said_before = [len(captions(client)) for client in clients]
        for client in clients:
            client.track.say(said("thank you", pause_s=0.5))
        for client, before in zip(clients, said_before, strict=True):
            await captioned(client, before + 1)
            second = captions(client)[-1]
            assert (second["status"], second["target"]["text"]) == ("final", "one two three")
            await heard(client, second)
            assert client.pc.connectionState == "connected"
        assert not set(fallen) & set(engine_processes())
    await freed(running_server)
