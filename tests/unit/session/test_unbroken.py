"""Voices around a speaker leave no pause, and the session suggests push-to-talk."""

import numpy as np

from rtc_server.events.client import SessionPatch
from rtc_server.interpreter.segments import ClosedSegment, EndCause, SpeechEnded
from rtc_server.session.unbroken import UnbrokenSpeech
from tests.support.fakes import joined, silence, tone
from tests.support.session_bench import ALL, events, session_bench, speak


def ended(cause: EndCause) -> SpeechEnded:
    return SpeechEnded(ClosedSegment(np.zeros(1, np.float32), 0, 1, 1, cause, 0), 1)


def test_two_cuts_in_a_row_are_reported_once_and_a_pause_between_them_is_enough() -> None:
    cut, pause = ended(EndCause.CUT), ended(EndCause.SILENCE)
    unbroken = UnbrokenSpeech()
    told = [unbroken.feed([each]) for each in (cut, pause, cut, cut, cut, cut)]
    assert [notice is not None for notice in told] == [False, False, False, True, False, False]


async def test_a_client_that_speaks_hands_free_is_offered_push_to_talk() -> None:
    async with session_bench() as bench:
        await bench.call(SessionPatch(x_events=ALL, mode="consecutive"))
        transport = bench.transports[0]
        transport.observer.on_connected()
        await speak(transport, joined([silence(0.3), tone(32)]))
        assert [e["code"] for e in events(transport, "x.warning")] == ["no_pause"]
