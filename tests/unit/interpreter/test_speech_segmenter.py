"""Segments of speech, as the segmenter finds and cuts them."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtc_server.audio.vad import make_vad_factory
from rtc_server.interpreter.segments import (
    EndCause,
    SegmenterEvent,
    SpeechEnded,
    SpeechPaused,
    SpeechStarted,
)
from rtc_server.interpreter.speech_segmenter import SpeechSegmenter
from rtc_server.pcm import Pcm, Samples
from tests.support.segmenting import MS, SETTINGS, hear, segmenter, segments, voice
from tests.support.signals import add_noise, english, join, pieces, russian, silence


def test_a_phrase_is_one_segment_with_its_beginning_and_a_short_tail() -> None:
    signal = join(silence(1000), voice(800), silence(1000))
    started, paused, ended = hear(segmenter(), signal)
    assert isinstance(started, SpeechStarted)
    assert isinstance(paused, SpeechPaused)
    assert isinstance(ended, SpeechEnded)
    segment = ended.segment
    assert segment is not None
    assert segment.cause is EndCause.SILENCE
    assert started.start_samples == segment.start_samples
    assert 1000 - 300 - 32 <= segment.start_samples / MS <= 1000 - 300
    assert 1800 - 8 <= segment.speech_end_samples / MS <= 1800 + 8
    assert segment.end_samples - segment.speech_end_samples == 150 * MS
    np.testing.assert_array_equal(
        segment.samples, signal[segment.start_samples : segment.end_samples]
    )
    assert 300 <= ended.at_samples / MS - 1800 <= 340
    np.testing.assert_array_equal(paused.segment.samples, segment.samples)
    bounds = (paused.segment.start_samples, paused.segment.end_samples)
    assert bounds == (segment.start_samples, segment.end_samples)


def test_each_pause_is_reported_once_as_soon_as_its_segment_is_known() -> None:
    ears, told_at = segmenter(replace(SETTINGS, hangover_ms=600)), []
    signal = join(silence(500), voice(500), silence(400), voice(500), silence(900))
    for pcm in pieces(signal):
        told_at += [
            (pcm.start_samples + len(pcm.samples)) / MS
            for event in ears.feed(pcm)
            if isinstance(event, SpeechPaused)
        ]
    assert len(told_at) == 2
    assert 150 <= told_at[0] - 1000 <= 150 + 52
    assert 150 <= told_at[1] - 1900 <= 150 + 52


@pytest.mark.parametrize("phase_ms", range(0, 32, 4))
@pytest.mark.parametrize(("simultaneous", "pauses"), [(True, 1), (False, 0)])
def test_a_dip_of_120_ms_is_a_pause_of_speech_that_is_translated_as_it_goes_on(
    phase_ms: int, simultaneous: bool, pauses: int
) -> None:
    """Wherever it lies between the detector's windows. What follows is told apart from it, and of
    the segment's own end a pause tells the bounds."""
    ears = segmenter()
    ears.set_longest(simultaneous=simultaneous)
    said_ms = 500 + phase_ms
    signal = join(silence(1000), voice(said_ms), silence(120), voice(400), silence(1000))
    events = hear(ears, signal)
    told = [event.segment for event in events if isinstance(event, SpeechPaused)]
    inside = [each for each in told if each.speech_end_samples < (1120 + said_ms) * MS]
    assert len(inside) == pauses
    for each in inside:
        assert each.end_samples <= (1120 + said_ms) * MS, "nothing of what follows is in it"
    [ended] = segments(events)
    last = told[-1]
    assert (last.start_samples, last.end_samples) == (ended.start_samples, ended.end_samples)


def test_a_breath_is_no_pause() -> None:
    signal = join(silence(500), voice(500), silence(100), voice(500))
    assert not any(isinstance(e, SpeechPaused) for e in hear(segmenter(), signal))


def test_held_push_to_talk_knows_no_pause() -> None:
    ears = segmenter()
    hear(ears, silence(500))
    ears.start_input()
    events = hear(ears, join(voice(500), silence(900)), start=8000)
    assert not any(isinstance(e, SpeechPaused) for e in events)


@pytest.mark.parametrize("hangover_ms", [100, 300, 800])
def test_the_hangover_is_what_was_asked_for(hangover_ms: int) -> None:
    signal = join(silence(500), voice(500), silence(1500))
    for asked_late in (False, True):
        ears = segmenter(replace(SETTINGS, hangover_ms=500 if asked_late else hangover_ms))
        if asked_late:
            ears.set_hangover_ms(hangover_ms)
        ended = hear(ears, signal)[-1]
        assert isinstance(ended, SpeechEnded)
        assert 0 <= ended.at_samples / MS - 1000 - hangover_ms <= 40


def test_pauses_join_or_split() -> None:
    joined = join(silence(500), voice(400), silence(240), voice(400), silence(800))
    assert len(segments(hear(segmenter(), joined))) == 1
    split = join(silence(500), voice(400), silence(400), voice(400), silence(800))
    first, second = segments(hear(segmenter(), split))
    assert first.end_samples <= second.start_samples  # nothing is translated twice
    assert second.start_samples <= 1300 * MS


def test_clicks_are_not_speech() -> None:
    assert hear(segmenter(), join(silence(500), voice(30), silence(1000))) == []


def test_concealed_sound_opens_nothing_and_is_counted() -> None:
    ears = segmenter()
    lost = [p._replace(concealed_samples=p.samples.size) for p in pieces(voice(500))]
    events = [event for pcm in lost for event in ears.feed(pcm)]
    assert events == []
    signal = join(voice(320), voice(64), voice(320), silence(600))
    for pcm in pieces(signal, 1024, 8000):
        hidden = 1024 if pcm.start_samples == 8000 + 5 * 1024 else 0
        events += ears.feed(pcm._replace(concealed_samples=hidden))
    (segment,) = segments(events)
    in_preroll = 8000 - segment.start_samples
    assert segment.concealed_samples == in_preroll + 1024


@given(st.lists(st.integers(1, 3000), min_size=1, max_size=5))
def test_how_the_audio_arrives_changes_nothing(sizes: list[int]) -> None:
    signal = join(silence(700), voice(600), silence(500), voice(300), silence(700))
    whole = segments(hear(segmenter(), signal, signal.size))
    ears, at, events, turn = segmenter(), 0, list[SegmenterEvent](), 0
    while at < signal.size:
        size = sizes[turn % len(sizes)]
        events += ears.feed(Pcm(signal[at : at + size], at))
        at, turn = at + size, turn + 1
    assert [(s.start_samples, s.end_samples) for s in segments(events)] == [
        (s.start_samples, s.end_samples) for s in whole
    ]


def test_audio_may_begin_anywhere_but_must_not_jump() -> None:
    signal = join(silence(500), voice(500), silence(600))
    (segment,) = segments(hear(segmenter(), signal, start=777_777))
    assert segment.start_samples > 777_777
    ears = segmenter()
    ears.feed(Pcm(silence(20), 0))
    with pytest.raises(ValueError, match="expected at 320"):
        ears.feed(Pcm(silence(20), 640))


# ---------------------------------------------------------------- long speech


def test_long_speech_is_cut_at_a_dip_and_nothing_is_lost_or_doubled() -> None:
    words = [join(voice(700), silence(150)) for _ in range(12)]
    signal = join(silence(400), *words, silence(800))
    parts = segments(hear(segmenter(replace(SETTINGS, max_segment_s=4)), signal))
    assert [p.cause for p in parts] == [EndCause.CUT] * (len(parts) - 1) + [EndCause.SILENCE]
    assert len(parts) >= 3
    for part in parts:
        assert part.samples.size <= 4 * 16000
    for one, next_one in pairwise(parts):
        assert one.end_samples == next_one.start_samples
        assert one.samples.size >= 2 * 16000 - 512
        assert not signal[one.end_samples - 160 : one.end_samples + 160].any()  # in a pause
    whole = np.concatenate([p.samples for p in parts])
    np.testing.assert_array_equal(whole, signal[parts[0].start_samples : parts[-1].end_samples])


def test_speech_without_a_dip_is_cut_all_the_same() -> None:
    events = hear(segmenter(replace(SETTINGS, max_segment_s=3)), voice(10_000))
    kinds = [type(event) for event in events]
    assert kinds == [SpeechStarted] + [SpeechEnded, SpeechStarted] * (len(kinds) // 2)
    assert all(p.samples.size <= 3 * 16000 for p in segments(events))
    assert len(segments(events)) >= 3


# ---------------------------------------------------------------- while it is spoken


def test_the_open_segment_can_be_read_while_it_grows() -> None:
    ears = segmenter()
    signal = join(silence(500), voice(1000))
    assert ears.open_segment() is None
    (started,) = hear(ears, signal[: 700 * MS])
    early = ears.open_segment()
    assert early is not None
    hear(ears, signal[700 * MS :], start=700 * MS)
    late = ears.open_segment()
    assert late is not None
    assert isinstance(started, SpeechStarted)
    np.testing.assert_array_equal(late, signal[started.start_samples :])
    np.testing.assert_array_equal(early, late[: early.size])
    (segment,) = segments(ears.flush())
    assert segment.cause is EndCause.FLUSH
    assert ears.open_segment() is None


# ---------------------------------------------------------------- real speech, real VAD


@pytest.mark.parametrize(("vad", "snr_db"), [("silero", 60), ("silero", 15), ("webrtc", 60)])
@pytest.mark.parametrize(
    "phrase",
    [
        english("help"),
        english("yes", "rms"),
        english("where is the train station"),
        russian("нет"),
        russian("где находится вокзал"),
    ],
    ids=["help", "yes", "station", "нет", "вокзал"],
)
def test_words_are_never_cut_off(vad: str, phrase: Samples, snr_db: float) -> None:
    ears = SpeechSegmenter(make_vad_factory(vad)(), SETTINGS)
    signal = add_noise(join(silence(1000), phrase, silence(1000)), snr_db=snr_db)
    parts = segments(hear(ears, signal))
    assert len(parts) == 1
    assert parts[0].start_samples <= 1000 * MS
    assert parts[0].end_samples >= 16000 + phrase.size


@pytest.mark.parametrize("vad", ["silero", "webrtc"])
def test_two_phrases_are_two_segments(vad: str) -> None:
    ears = SpeechSegmenter(make_vad_factory(vad)(), SETTINGS)
    one, two = english("two coffees please"), english("how much does it cost")
    signal = add_noise(join(silence(500), one, silence(700), two, silence(700)), snr_db=40)
    first, second = segments(hear(ears, signal))
    assert first.end_samples <= second.start_samples <= 500 * MS + one.size + 700 * MS
