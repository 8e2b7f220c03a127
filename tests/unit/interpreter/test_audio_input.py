"""The audio input: audio in, judged events out, to an interpreter and then to a session."""

from collections.abc import Sequence

import numpy as np
import pytest

from rtc_server.config import SegmenterSettings
from rtc_server.interpreter.audio_input import AudioInput
from rtc_server.interpreter.echo import EchoGuard
from rtc_server.interpreter.release import UNKNOWN_TAIL
from rtc_server.interpreter.segments import (
    SegmenterEvent,
    SpeechEnded,
    SpeechPaused,
    SpeechStarted,
    VadMode,
)
from rtc_server.interpreter.speech_segmenter import SpeechSegmenter
from rtc_server.pcm import FRAME_MS, PLAYOUT_RATE, SPEECH_RATE, Pcm, Samples
from rtc_server.resample import Resampler
from tests.support.fakes import LoudnessVad, joined, silence, tone
from tests.support.signals import english

STEP = SPEECH_RATE * FRAME_MS // 1000


class Listening:
    """An input with both its receivers, which note what they are called with, in order."""

    def __init__(self, *, guard: bool = False, owned: bool = True) -> None:
        segmenter = SpeechSegmenter(LoudnessVad(), SegmenterSettings())
        self.audio = AudioInput(segmenter, EchoGuard(on=guard))
        self.audio.connect(self)
        if owned:
            self.audio.open(self)
        self.wants_new_segment = False
        self.speech: list[SegmenterEvent] = []
        self.calls: list[str] = []
        self.failures = 0
        self.broken = False

    def hear(self, samples: Samples, played: Samples | None = None) -> None:
        """Feed what follows, in packets; `played` at 48 kHz at the same time."""
        start = self.audio.position_samples
        for at in range(0, samples.size - STEP + 1, STEP):
            self.audio.feed(Pcm(samples[at : at + STEP], start + at))
            frame = None if played is None else played[3 * at : 3 * (at + STEP)]
            self.audio.played(frame if frame is not None and frame.size == 3 * STEP else None)

    def on_speech(self, event: SegmenterEvent) -> None:
        if self.broken:
            raise ValueError("broken")
        self.speech.append(event)
        self.calls.append("speech")

    def on_audio(self) -> None:
        self.calls.append("audio")

    def on_detected(self, events: Sequence[SegmenterEvent]) -> None:
        assert events
        self.calls.append("detected")

    def on_detection_failed(self) -> None:
        self.failures += 1

    @property
    def ended(self) -> list[SpeechEnded]:
        return [event for event in self.speech if isinstance(event, SpeechEnded)]


def test_the_interpreter_comes_before_the_session_and_silence_is_news_to_neither() -> None:
    listening = Listening()
    listening.hear(silence(0.1))
    assert set(listening.calls) == {"audio"}
    listening.calls.clear()
    listening.hear(tone(0.2))
    began = listening.calls.index("speech")
    assert listening.calls[began : began + 3] == ["speech", "audio", "detected"]
    assert listening.audio.position_samples == round(0.3 * SPEECH_RATE)


def test_pause_and_end_bring_the_same_segment() -> None:
    listening = Listening()
    listening.hear(joined([tone(0.5), silence(0.8)]))
    kinds = [type(event) for event in listening.speech]
    assert kinds == [SpeechStarted, SpeechPaused, SpeechEnded]
    [ended] = listening.ended
    assert ended.segment is not None and not ended.segment.is_own_voice


def test_our_own_voice_is_known_by_pause_and_end() -> None:
    speech = english("where is the station")
    up = Resampler(SPEECH_RATE, PLAYOUT_RATE)
    played = np.concatenate([up.push(speech), up.flush()])
    echo = joined([silence(0.1), 0.5 * speech, silence(1)])
    guarded, unguarded = Listening(guard=True), Listening()
    for listening in (guarded, unguarded):
        listening.hear(echo, played)
    for event in guarded.speech:
        if isinstance(event, SpeechPaused | SpeechEnded):
            assert event.segment is not None and event.segment.is_own_voice
    assert [e.segment.is_own_voice for e in unguarded.ended if e.segment] == [False] * len(
        unguarded.ended
    )
    assert len(guarded.ended) == len(unguarded.ended) > 0


def test_after_the_end_nothing_is_taken() -> None:
    listening = Listening()
    listening.audio.end()
    listening.hear(tone(0.5))
    assert listening.calls == []
    listening.audio.close()
    listening.audio.close()


def test_the_session_learns_of_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    listening = Listening()
    listening.broken = True
    listening.hear(tone(0.5))
    assert listening.failures == 1
    assert len(caplog.records) == 1


def test_a_failure_without_a_session_is_raised() -> None:
    listening = Listening(owned=False)
    with pytest.raises(ValueError, match="expected at"):
        listening.audio.feed(Pcm(tone(0.02), 0))
        listening.audio.feed(Pcm(tone(0.02), 7))


@pytest.mark.parametrize(("anew", "segments"), [(False, 1), (True, 2)])
def test_a_press_after_a_release_goes_on_unless_the_interpreter_cannot(
    anew: bool, segments: int
) -> None:
    listening = Listening()
    listening.audio.set_vad(VadMode.OFF, 300)
    listening.audio.start_input()
    listening.hear(tone(0.5))
    listening.audio.commit_input(UNKNOWN_TAIL)
    listening.wants_new_segment = anew
    listening.audio.start_input()
    listening.hear(joined([silence(0.4), tone(0.5)]))
    listening.audio.commit_input()
    assert len(listening.ended) == segments


def test_an_interruption_ends_what_is_being_said() -> None:
    listening = Listening()
    listening.hear(tone(0.5))
    assert listening.ended == []
    listening.audio.interrupt()
    [ended] = listening.ended
    assert ended.segment is not None
    assert "detected" in listening.calls  # of its beginning; the session asked for the end itself
    assert listening.calls[-1] == "speech"
