"""Speech among other people's voices, 10 dB below the speaker, as the shipped VAD hears it."""

import numpy as np
import pytest

from rtc_server.audio.vad import make_vad_factory
from rtc_server.config import SegmenterSettings
from rtc_server.interpreter.segments import EndCause, SpeechEnded
from rtc_server.interpreter.speech_segmenter import SpeechSegmenter
from rtc_server.pcm import FRAME_MS, SPEECH_RATE, Pcm, Samples
from rtc_server.session.unbroken import UnbrokenSpeech
from tests.support.recordings import all_recorded

LENGTH = 30 * SPEECH_RATE
"""Two of the longest segments of simultaneous interpreting, and more."""
VOICES = 3
"""People who talk nearby, all at a time and without a pause: of eight no word is left, and the VAD
hears the pauses of the speaker again."""
PAUSE = np.zeros(6 * SPEECH_RATE // 10, np.float32)


def level(samples: Samples) -> float:
    """Return the RMS of what is loud, pauses not counted."""
    loud = samples[np.abs(samples) > 0.02 * np.abs(samples).max()]
    return float(np.sqrt(np.mean(loud**2)))


def talk() -> Samples:
    """One person's sentences, 0.6 s apart."""
    said = [part for each in all_recorded() for part in (each, PAUSE)]
    whole: Samples = np.concatenate(said)
    return whole[:LENGTH]


def babble() -> Samples:
    """Voices on top of each other, each with other sentences and no pause."""
    said = np.concatenate(all_recorded()[::-1])
    turned = [np.roll(said, turn * len(said) // VOICES)[:LENGTH] for turn in range(VOICES)]
    mixed: Samples = np.sum(turned, axis=0, dtype=np.float32)
    return mixed


@pytest.mark.parametrize(("below_db", "offered"), [(10.0, True), (30.0, False)])
def test_push_to_talk_is_offered_where_babble_hides_the_pauses(
    below_db: float, offered: bool
) -> None:
    speaker, others = talk(), babble()
    gain = level(speaker) / level(others) * 10 ** (-below_db / 20)
    heard = speaker + others * np.float32(gain)
    segmenter = SpeechSegmenter(make_vad_factory("silero")(), SegmenterSettings())
    segmenter.set_longest(simultaneous=True)
    unbroken, size = UnbrokenSpeech(), SPEECH_RATE * FRAME_MS // 1000
    notices, causes = [], []
    for start in range(0, LENGTH, size):
        events = segmenter.feed(Pcm(heard[start : start + size], start))
        notices.append(unbroken.feed(events))
        causes += [e.segment.cause for e in events if isinstance(e, SpeechEnded) and e.segment]
    assert any(notices) == offered, causes
    assert (EndCause.SILENCE in causes) != offered
