"""Shared segmentation whose audio goes only when no language needs it."""

import numpy as np

from rtc_server.config import SegmenterSettings
from rtc_server.interpreter.segments import SpeechEnded, SpeechStarted
from rtc_server.interpreter.speech_segmenter import SpeechSegmenter
from rtc_server.pcm import SPEECH_RATE, Pcm
from rtc_server.rooms.shared_segmenter import SegmenterView, SharedSegmenter
from tests.support.fakes import LoudnessVad, silence, tone


def test_audio_goes_when_no_language_needs_it() -> None:
    segmenter = SharedSegmenter(SpeechSegmenter(LoudnessVad(), SegmenterSettings()))
    views = [SegmenterView(segmenter), SegmenterView(segmenter)]
    heard = tone(2)
    for start in range(0, heard.size, 320):
        pcm = Pcm(heard[start : start + 320], start)
        segmenter.feed(pcm)
        for view in views:
            view.feed(pcm)
    one, other = views
    one.release(SPEECH_RATE)
    first, second = one.open_segment(SPEECH_RATE), other.open_segment()
    assert first is not None and second is not None
    assert first.size == SPEECH_RATE
    assert second.size == heard.size  # the other language is not that far
    other.release(SPEECH_RATE // 2)
    later = other.open_segment(SPEECH_RATE // 2)
    assert later is not None
    assert np.array_equal(later, heard[SPEECH_RATE // 2 :])
    late = SegmenterView(segmenter)
    pcm = Pcm(tone(0.02), heard.size)
    segmenter.feed(pcm)
    [begun] = [event for event in late.feed(pcm) if isinstance(event, SpeechStarted)]
    assert (
        begun.start_samples == SPEECH_RATE // 2
    )  # audio that was dropped is no part of the sentence


def test_a_language_that_waits_for_the_sentence_has_all_of_them_wait() -> None:
    segmenter = SharedSegmenter(SpeechSegmenter(LoudnessVad(), SegmenterSettings()))
    view = SegmenterView(segmenter)
    heard = np.concatenate([tone(1), silence(1)])
    ended_ms = []
    for start in range(0, heard.size, 320):
        pcm = Pcm(heard[start : start + 320], start)
        segmenter.feed(pcm)
        if start == SPEECH_RATE + SPEECH_RATE // 5:
            view.extend_hangover(600)
        ended_ms += [
            event.at_samples * 1000 // SPEECH_RATE
            for event in view.feed(pcm)
            if isinstance(event, SpeechEnded)
        ]
    assert 1600 <= ended_ms[0] <= 1640
