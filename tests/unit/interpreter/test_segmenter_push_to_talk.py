"""Push-to-talk: press, release, and the last word that is still on its way at the release."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from rtc_server.interpreter.release import UNKNOWN_TAIL, Tail
from rtc_server.interpreter.segments import (
    ClosedSegment,
    EndCause,
    SpeechEnded,
    SpeechPaused,
    SpeechStarted,
    VadMode,
)
from rtc_server.interpreter.speech_segmenter import SpeechSegmenter
from tests.support.segmenting import MS, SETTINGS, hear, segmenter, segments, voice
from tests.support.signals import join, noise, silence

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
    """Return a segmenter whose button was pressed in a quiet room, 320 ms after the start."""
    ears = segmenter()
    ears.set_mode(mode)
    hear(ears, silence(320))
    ears.start_input()
    return ears


START = 320 * MS


def last_sound_ms(segment: ClosedSegment) -> float:
    """Return the time of the last sound after the press."""
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
