"""Voices around a speaker leave no pause: the session offers push-to-talk."""

import pytest

from rtc_server.events.client import SessionPatch
from tests.support.fakes import joined, silence, tone
from tests.support.house import ALL, events, house, say, speak


@pytest.mark.parametrize(
    ("patch", "told"),
    [
        (SessionPatch(x_events=ALL, mode="consecutive"), 1),
        (SessionPatch(x_events=ALL, mode="consecutive", vad_mode="off"), 0),
    ],
    ids=["hands-free", "push-to-talk"],
)
async def test_push_to_talk_is_offered_once_after_two_cuts_by_length(
    patch: SessionPatch, told: int
) -> None:
    async with house() as h:
        await h.call(patch)
        wire = h.wires[0]
        wire.listener.on_connected()
        say(wire, type="x.input.start") if patch.vad_mode else None
        await speak(wire, joined([silence(0.3), tone(20)]))
        assert events(wire, "x.warning") == []
        await speak(wire, tone(60), 4800 + 20 * 16000)
        assert [e["code"] for e in events(wire, "x.warning")] == ["no_pause"] * told


async def test_a_pause_between_two_cuts_is_enough() -> None:
    async with house() as h:
        await h.call(SessionPatch(x_events=ALL, mode="consecutive"))
        wire = h.wires[0]
        wire.listener.on_connected()
        await speak(wire, joined([tone(18), silence(1), tone(18), silence(1)]))
        assert events(wire, "x.warning") == []
