from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtc_server.audio.vad import make_vad_factory
from rtc_server.config import SegmenterSettings
from rtc_server.interpreter.release import UNKNOWN_TAIL, Tail
from rtc_server.interpreter.segments import (
    ClosedSegment,
    EndCause,
    SegmenterEvent,
    SpeechEnded,
    SpeechPaused,
    SpeechStarted,
    VadMode,
)
from rtc_server.interpreter.speech_segmenter import SpeechSegmenter
from rtc_server.pcm import Pcm, Samples
from tests.support.fakes import LoudnessVad
from tests.support.signals import add_noise, english, join, noise, pieces, russian, silence, tone

SETTINGS = SegmenterSettings()
MS = 16
"""Samples in a millisecond."""


def segmenter(settings: SegmenterSettings = SETTINGS) -> SpeechSegmenter:
    return SpeechSegmenter(LoudnessVad(), settings)


def hear(
    ears: SpeechSegmenter, samples: Samples, size: int = 320, start: int = 0
) -> list[SegmenterEvent]:
    events: list[SegmenterEvent] = []
    for pcm in pieces(samples, size, start):
        events += ears.feed(pcm)
    return events


def segments(events: list[SegmenterEvent]) -> list[ClosedSegment]:
    return [e.segment for e in events if isinstance(e, SpeechEnded) and e.segment]


def voice(duration_ms: float) -> Samples:
    return tone(200, duration_ms)


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


def test_each_pause_is_told_once_as_soon_as_its_segment_is_settled() -> None:
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


# ---------------------------------------------------------------- push-to-talk


def test_a_press_opens_at_once_and_holds_through_pauses_until_the_release() -> None:
    ears = segmenter()
    assert hear(ears, silence(1000)) == []
    (started,) = ears.start_input()
    assert isinstance(started, SpeechStarted)
    talk = join(silence(100), voice(500), silence(900), voice(300), silence(40))
    assert hear(ears, talk, start=16000) == []
    (ended,) = ears.commit_input()
    assert isinstance(ended, SpeechEnded)
    assert ended.at_samples == 16000 + talk.size
    assert ended.segment is not None
    assert ended.segment.cause is EndCause.COMMIT
    assert ended.segment.end_samples == 16000 + talk.size
    assert hear(ears, silence(1000), start=16000 + talk.size) == []


def test_a_press_during_speech_goes_on_with_the_segment() -> None:
    ears = segmenter()
    (started,) = hear(ears, join(silence(500), voice(500)))
    assert ears.start_input() == []
    assert hear(ears, join(silence(600), voice(200)), start=16000) == []
    (segment,) = segments(ears.commit_input())
    assert isinstance(started, SpeechStarted)
    assert segment.start_samples == started.start_samples


def test_a_commit_closes_what_the_vad_opened_and_speech_may_go_on() -> None:
    ears = segmenter()
    hear(ears, join(silence(500), voice(500)))
    (first,) = segments(ears.commit_input())
    (second,) = segments(hear(ears, join(voice(500), silence(500)), start=16000))
    assert first.end_samples == second.start_samples == 16000


@pytest.mark.parametrize("mode", VadMode)
def test_holding_the_button_in_silence_gives_no_segment(mode: VadMode) -> None:
    ears = segmenter()
    ears.set_mode(mode)
    hiss = noise(3000, level_db=-50)
    hear(ears, hiss[:16000])
    assert len(ears.start_input()) == 1
    hear(ears, hiss[16000:], start=16000)
    (ended,) = ears.commit_input()
    assert isinstance(ended, SpeechEnded)
    assert ended.segment is None
    assert ears.commit_input() == []


def test_without_a_vad_only_the_button_counts() -> None:
    ears = segmenter()
    assert ears.set_mode(VadMode.OFF) == []
    assert hear(ears, join(silence(500), voice(3000), silence(500))) == []
    assert ears.open_segment() is None
    ears.start_input()
    begin = 4000 * MS
    hear(ears, join(silence(1000), voice(500), silence(1000)), start=begin)
    (segment,) = segments(ears.commit_input())
    assert segment.start_samples / MS == pytest.approx(4000 + 1000 - 300, abs=32)
    assert segment.speech_end_samples / MS == pytest.approx(4000 + 1500, abs=10)


def test_without_a_vad_and_a_press_a_commit_takes_what_came_since_the_last() -> None:
    ears = segmenter()
    ears.set_mode(VadMode.OFF)
    first, second = join(silence(100), voice(500)), join(voice(300), silence(100))
    hear(ears, first)
    (one,) = segments(ears.commit_input())
    hear(ears, second, start=first.size)
    (two,) = segments(ears.commit_input())
    assert (one.start_samples, one.end_samples) == (0, first.size)
    assert (two.start_samples, two.end_samples) == (first.size, first.size + second.size)
    assert ears.commit_input() == []


def test_what_nobody_committed_is_kept_for_the_longest_segment_and_no_longer() -> None:
    ears = segmenter(replace(SETTINGS, max_segment_s=3))
    ears.set_mode(VadMode.OFF)
    words = [join(voice(700), silence(150)) for _ in range(60)]
    assert hear(ears, join(*words)) == []
    (segment,) = segments(ears.commit_input())
    assert segment.samples.size == 3 * 16000
    assert segment.end_samples == 60 * 850 * MS


def test_a_long_press_is_cut_too() -> None:
    ears = segmenter(replace(SETTINGS, max_segment_s=3))
    ears.set_mode(VadMode.OFF)
    ears.start_input()
    words = [join(voice(700), silence(150)) for _ in range(8)]
    events = [*hear(ears, join(silence(50), *words)), *ears.commit_input()]
    parts = segments(events)
    assert [p.cause for p in parts[:-1]] == [EndCause.CUT] * (len(parts) - 1)
    assert len(parts) >= 3
    assert all(one.end_samples == next_one.start_samples for one, next_one in pairwise(parts))


def test_a_change_of_mode_ends_the_segment() -> None:
    ears = segmenter()
    hear(ears, join(silence(500), voice(500)))
    (segment,) = segments(ears.set_mode(VadMode.OFF))
    assert segment.cause is EndCause.COMMIT
    assert ears.set_mode(VadMode.OFF) == []


# ---------------------------------------------------------------- the tail of push-to-talk


def pressed(mode: VadMode = VadMode.AUTO) -> SpeechSegmenter:
    """In a quiet room, since 320 ms."""
    ears = segmenter()
    ears.set_mode(mode)
    hear(ears, silence(320))
    ears.start_input()
    return ears


START = 320 * MS


def last_sound_ms(segment: ClosedSegment) -> float:
    """Behind the press."""
    return (segment.start_samples + float(np.flatnonzero(segment.samples)[-1])) / MS - 320


@pytest.mark.parametrize("mode", VadMode)
@pytest.mark.parametrize("latency_ms", [40, 200])
@pytest.mark.parametrize("tail", [UNKNOWN_TAIL, Tail(200, 200)], ids=["unknown", "known"])
def test_a_release_waits_for_the_last_word(mode: VadMode, latency_ms: int, tail: Tail) -> None:
    ears, said = pressed(mode), voice(1500)
    late = said.size - latency_ms * MS
    assert hear(ears, said[:late], start=START) == []
    assert ears.commit_input(tail) == []
    (segment,) = segments(hear(ears, join(said[late:], silence(500)), start=START + late))
    assert last_sound_ms(segment) == pytest.approx(1500, abs=3)


@pytest.mark.parametrize(
    ("tail", "ends_ms"), [(UNKNOWN_TAIL, 300), (Tail(200, 200), 200), (Tail(1000, 1000), 1000)]
)
def test_a_release_in_the_middle_of_speech_waits_no_longer_than_its_tail(
    tail: Tail, ends_ms: int
) -> None:
    ears = pressed()
    hear(ears, voice(1000), start=START)
    ears.commit_input(tail)
    events = hear(ears, voice(1500), start=START + 16000)
    ended = next(event for event in events if isinstance(event, SpeechEnded))
    assert ended.at_samples / MS - 1320 == pytest.approx(ends_ms, abs=32)


def test_a_release_in_a_pause_waits_only_for_what_is_surely_on_its_way() -> None:
    ears = pressed()
    said = join(voice(1000), silence(800))
    hear(ears, said, start=START)
    ears.commit_input(UNKNOWN_TAIL)
    paused, ended = hear(ears, silence(200), start=START + said.size)
    assert isinstance(paused, SpeechPaused) and isinstance(ended, SpeechEnded)
    assert ended.segment is not None
    np.testing.assert_array_equal(paused.segment.samples, ended.segment.samples)
    assert paused.segment.end_samples == ended.segment.end_samples
    assert ended.at_samples / MS - 2120 == pytest.approx(100, abs=32)


def test_a_word_that_is_all_under_way_at_the_release_is_waited_for() -> None:
    ears = pressed()
    hear(ears, silence(800), start=START)
    ears.commit_input(UNKNOWN_TAIL)
    (segment,) = segments(
        hear(ears, join(silence(60), voice(200), silence(300)), start=START + 12800)
    )
    assert segment.speech_end_samples / MS == pytest.approx(1380, abs=10)


@pytest.mark.parametrize("simultaneous", [False, True])
@pytest.mark.parametrize("mode", VadMode)
@pytest.mark.parametrize("phase_ms", range(0, 32, 8))
def test_a_release_waits_for_the_syllable_behind_a_short_silence(
    mode: VadMode, phase_ms: int, simultaneous: bool
) -> None:
    ears, said = pressed(mode), voice(800 + phase_ms)
    ears.set_longest(simultaneous=simultaneous)
    hear(ears, said, start=START)
    ears.commit_input(UNKNOWN_TAIL)
    rest = join(silence(130), voice(120), silence(500))
    (segment,) = segments(hear(ears, rest, start=START + said.size))
    assert last_sound_ms(segment) == pytest.approx(1050 + phase_ms, abs=3)


def test_a_new_press_takes_the_release_back() -> None:
    ears = pressed()
    hear(ears, voice(1000), start=START)
    ears.commit_input(UNKNOWN_TAIL)
    assert hear(ears, voice(100), start=START + 16000) == []
    assert ears.start_input() == []
    assert hear(ears, join(silence(600), voice(400)), start=START + 17600) == []
    (segment,) = segments(ears.commit_input())
    assert segment.start_samples < START
    assert segment.end_samples == START + 17600 + 16000


def test_a_press_anew_begins_where_the_release_before_has_its_last_word() -> None:
    ears = pressed(VadMode.OFF)
    hear(ears, voice(1000), start=START)
    ears.commit_input(UNKNOWN_TAIL)
    assert ears.start_input(anew=True) == []
    said = join(voice(100), silence(200), voice(600))
    ended, began = hear(ears, said, start=START + 16000)
    assert isinstance(ended, SpeechEnded) and isinstance(began, SpeechStarted)
    assert ended.segment is not None
    assert ended.segment.speech_end_samples / MS == pytest.approx(1420, abs=10)
    assert began.start_samples == ended.segment.end_samples
    (second,) = segments(ears.commit_input())
    assert second.end_samples == START + 16000 + said.size


def test_another_release_behind_a_press_anew_waits_for_its_own_last_word() -> None:
    ears = pressed()
    hear(ears, voice(1000), start=START)
    ears.commit_input(UNKNOWN_TAIL)
    ears.start_input(anew=True)
    ended, began = ears.commit_input(UNKNOWN_TAIL)
    assert isinstance(ended, SpeechEnded) and isinstance(began, SpeechStarted)
    (second,) = segments(hear(ears, join(voice(200), silence(300)), start=START + 16000))
    assert second.start_samples == START + 16000
    assert second.speech_end_samples / MS == pytest.approx(1520, abs=10)


def test_without_a_press_a_release_waits_for_the_last_word_too() -> None:
    ears = segmenter()
    ears.set_mode(VadMode.OFF)
    hear(ears, join(silence(320), voice(1000)))
    ears.commit_input(UNKNOWN_TAIL)
    (segment,) = segments(hear(ears, join(voice(200), silence(300)), start=START + 16000))
    assert last_sound_ms(segment) == pytest.approx(1200, abs=3)


def test_a_tail_that_does_not_come_is_done_without() -> None:
    ears = pressed()
    assert ears.finish_input() == []
    hear(ears, voice(1000), start=START)
    ears.commit_input(UNKNOWN_TAIL)
    (segment,) = segments(ears.finish_input())
    assert segment.end_samples == START + 16000
    assert ears.finish_input() == []


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
