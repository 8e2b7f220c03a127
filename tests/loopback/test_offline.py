"""A recording through the whole interpreter, with engines in processes of their own."""

from dataclasses import replace

from rtc_server.app.offline import translate
from rtc_server.events.client import SessionPatch
from rtc_server.pcm import PLAYOUT_RATE, SPEECH_RATE
from tests.support.patient import PATIENT, SETTINGS
from tests.support.signals import audible, english, join, silence

TALKATIVE = replace(
    SETTINGS, engines=replace(PATIENT, ast="tests.support.server_engines:talkative")
)


async def test_all_that_is_said_behind_the_end_of_a_recording_is_in_it() -> None:
    """Three sentences of a second, each of which is translated into a quarter of a minute."""
    said = join(*(part for _ in range(3) for part in (english("Good morning."), silence(1000))))
    patch = SessionPatch(source_language="en", target_language="ru")
    translated = await translate(said, TALKATIVE, patch)
    assert len(translated.segments) == 3
    heard = audible(translated.speech[:: PLAYOUT_RATE // SPEECH_RATE])
    assert heard.size > 22 * SPEECH_RATE  # two of them take 16 s
