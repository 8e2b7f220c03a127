import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtc_server.audio.playout import (
    GAP_MS,
    Playout,
    PlayoutChange,
    PlayoutState,
)
from rtc_server.pcm import FRAME_MS, PLAYOUT_FRAME_SAMPLES, PLAYOUT_RATE, Samples
from tests.support.signals import tone

QUEUED, STARTED = PlayoutState.QUEUED, PlayoutState.STARTED
GAP_FRAMES = GAP_MS // FRAME_MS
FINISHED, DROPPED = PlayoutState.FINISHED, PlayoutState.DROPPED


def speech(duration_ms: float) -> Samples:
    """Return a sound that is not zero at its ends, so that an end without a fade is a click."""
    samples = tone(440, duration_ms + 1, sample_rate=PLAYOUT_RATE)
    return samples[27 : 27 + round(duration_ms * 48)]


STEP = float(np.abs(np.diff(speech(100))).max())
"""Largest step between two samples of the signal itself."""


def states(*changes: PlayoutChange) -> list[tuple[str, PlayoutState]]:
    return [(change.segment_id, change.state) for change in changes]


class Ear:
    """Listener that keeps all it receives."""

    def __init__(self, playout: Playout) -> None:
        self.playout = playout
        self.heard: list[Samples] = []
        self.changes: list[tuple[str, PlayoutState]] = []

    def listen(self, frames: int = 1) -> Samples:
        for _ in range(frames):
            frame = self.playout.pull()
            self.changes += states(*frame.changes)
            silent = np.zeros(PLAYOUT_FRAME_SAMPLES, np.float32)
            self.heard.append(silent if frame.samples is None else frame.samples)
        return self.heard[-1]

    @property
    def samples(self) -> Samples:
        return np.concatenate(self.heard)

    def assert_no_clicks(self) -> None:
        assert np.abs(np.diff(self.samples, prepend=0.0, append=0.0)).max() <= STEP * 1.0001


def test_silence_is_none() -> None:
    assert Playout(1000).pull().samples is None


def test_speech_is_heard_at_once_and_whole() -> None:
    ear = Ear(playout := Playout(10_000))
    assert states(*playout.push("a", speech(60))) == [("a", QUEUED)]
    assert ear.listen().any()
    assert ear.changes == [("a", STARTED)]
    playout.push("a", speech(140)[60 * 48 :])
    assert playout.finish("a") == ()
    ear.listen(10)
    assert ear.changes == [("a", STARTED), ("a", FINISHED)]
    expected = speech(140)
    np.testing.assert_array_equal(ear.samples[120 : 140 * 48 - 120], expected[120:-120])
    assert not ear.samples[140 * 48 :].any()
    ear.assert_no_clicks()


def test_segments_keep_the_order_they_were_announced_in() -> None:
    ear = Ear(playout := Playout(10_000))
    playout.announce("a")
    playout.push("b", speech(40))
    playout.finish("b")
    assert not ear.listen(3).any()  # b is ready, a comes first
    playout.push("a", speech(40))
    playout.finish("a")
    ear.listen(4 + GAP_FRAMES)
    assert ear.changes == [("a", STARTED), ("a", FINISHED), ("b", STARTED), ("b", FINISHED)]
    assert not any(frame.any() for frame in ear.heard[5 : 5 + GAP_FRAMES])
    ear.assert_no_clicks()


def test_the_gap_is_over_when_enough_silence_has_passed() -> None:
    ear = Ear(playout := Playout(10_000))
    playout.push("a", speech(40))
    playout.finish("a")
    ear.listen(2 + GAP_FRAMES)
    playout.push("b", speech(60))
    assert ear.listen().any()


@pytest.mark.parametrize("lengths_ms", [[30.5, 47.25, 3.0, 1.5, 60.1], [5.0, 5.0, 5.0], [19.9] * 9])
def test_clauses_follow_each_other_to_the_sample(lengths_ms: list[float]) -> None:
    ear = Ear(playout := Playout(10_000))
    for number, length_ms in enumerate(lengths_ms):
        playout.push(str(number), speech(length_ms), "a")
        playout.finish(str(number), pause=False)
    frames = -(-round(sum(lengths_ms) * 48) // PLAYOUT_FRAME_SAMPLES)
    ear.listen(frames)
    assert playout.queue_ms == 0
    names = [str(number) for number in range(len(lengths_ms))]
    assert [name for name, state in ear.changes if state is STARTED] == names
    assert [name for name, state in ear.changes if state is FINISHED] == names
    ear.assert_no_clicks()


def test_the_gap_is_as_long_after_the_middle_of_a_frame() -> None:
    ear = Ear(playout := Playout(10_000))
    for name in "ab":
        playout.push(name, speech(50))
        playout.finish(name)
    ear.listen((50 + GAP_MS + 50) // FRAME_MS + 1)
    sound = np.flatnonzero(ear.samples)
    silences = np.diff(sound)[np.diff(sound) > 48]
    assert silences == pytest.approx([GAP_MS * 48], abs=3)
    ear.assert_no_clicks()


def push_clause(playout: Playout, name: str, group: str, pause_ms: int = GAP_MS) -> None:
    playout.push(name, speech(50), group)
    playout.finish(name, pause=False, pause_ms=pause_ms)


@pytest.mark.parametrize("pause_ms", [7, GAP_MS, 180])
@pytest.mark.parametrize("late_frames", [None, 0, 1, 3, 50])
def test_a_clause_that_turns_out_to_be_the_last_has_its_pause(
    late_frames: int | None, pause_ms: int
) -> None:
    ear = Ear(playout := Playout(10_000))
    push_clause(playout, "a.0", "a")
    push_clause(playout, "a.1", "a", pause_ms)
    if late_frames is not None:  # the next group comes when nothing waits any more
        ear.listen(5 + late_frames)
    push_clause(playout, "b.0", "b")
    ear.listen(70)
    sound = np.flatnonzero(ear.samples)
    silences = np.diff(sound)[np.diff(sound) > 48]
    waited = 0 if late_frames is None else late_frames * PLAYOUT_FRAME_SAMPLES
    assert silences == pytest.approx([max(pause_ms * 48, waited)], abs=3)
    ear.assert_no_clicks()


def test_a_clause_that_is_dropped_takes_no_pause_away() -> None:
    ear = Ear(playout := Playout(150))
    push_clause(playout, "a.0", "a")
    ear.listen(3)
    playout.push("a.1", speech(2), "a")
    ear.listen()
    assert states(*playout.push("b.0", speech(150), "b")) == [("b.0", QUEUED), ("a.1", DROPPED)]
    ear.listen(8)
    sound = np.flatnonzero(ear.samples)
    assert np.diff(sound).max() == pytest.approx(GAP_MS * 48, abs=3)


@pytest.mark.parametrize("pause", [True, False])
def test_behind_a_clear_there_is_no_pause(pause: bool) -> None:
    ear = Ear(playout := Playout(10_000))
    playout.push("a.0", speech(50), "a")
    playout.finish("a.0", pause=pause)
    ear.listen(3)
    assert playout.queue_ms == 0
    playout.clear()
    push_clause(playout, "b.0", "b")
    assert np.flatnonzero(ear.listen())[0] < 3


def test_a_late_chunk_makes_a_silence_without_clicks_and_loses_nothing() -> None:
    ear = Ear(playout := Playout(10_000))
    whole = speech(200)
    playout.push("a", whole[: 50 * 48])
    ear.listen(6)
    playout.push("a", whole[50 * 48 :])
    playout.finish("a")
    ear.listen(12)
    ear.assert_no_clicks()
    assert ear.changes == [("a", STARTED), ("a", FINISHED)]
    audible = np.flatnonzero(ear.samples)
    assert audible[-1] >= whole.size + 3 * PLAYOUT_FRAME_SAMPLES - 2
    assert abs(np.count_nonzero(ear.samples) - np.count_nonzero(whole)) <= 4  # fades' own zeros


@pytest.mark.parametrize("finished", [True, False])
@pytest.mark.parametrize("frames", [1, 2, 4])
def test_clear_falls_silent_without_a_click(frames: int, finished: bool) -> None:
    ear = Ear(playout := Playout(10_000))
    playout.push("a", speech(102))
    playout.push("b", speech(100))
    if finished:
        playout.finish("a")
    ear.listen(frames)
    assert states(*playout.clear()) == [("a", DROPPED), ("b", DROPPED)]
    assert playout.queue_ms == 0
    ear.listen(3)
    assert not ear.heard[-1].any()
    ear.assert_no_clicks()


def test_what_is_synthesized_after_a_clear_stays_unheard() -> None:
    ear = Ear(playout := Playout(10_000))
    playout.push("a", speech(60))
    playout.clear()
    assert playout.push("a", speech(60)) == ()
    playout.finish("a")
    assert not ear.listen().any()
    playout.push("b", speech(60))
    assert ear.listen().any()


def test_a_segment_without_sound_does_not_hold_up_the_next() -> None:
    ear = Ear(playout := Playout(10_000))
    playout.announce("a")
    playout.push("b", speech(60))
    assert states(*playout.finish("a")) == [("a", DROPPED)]
    assert ear.listen().any()
    assert playout.finish("never seen") == ()


def test_a_full_queue_drops_the_oldest_that_waits_and_not_what_is_heard() -> None:
    ear = Ear(playout := Playout(2000))
    for name in "abc":
        playout.push(name, speech(600))
    ear.listen()
    assert states(*playout.push("d", speech(600))) == [("d", QUEUED), ("b", DROPPED)]
    assert playout.push("b", speech(600)) == ()  # its synthesis is still in progress
    assert playout.queue_ms <= 2000
    for name in "abcd":
        playout.finish(name)
    ear.listen(150)
    assert [name for name, state in ear.changes if state is FINISHED] == ["a", "c", "d"]
    ear.assert_no_clicks()


def test_a_segment_longer_than_the_queue_loses_its_end_and_says_so() -> None:
    ear = Ear(playout := Playout(2000))
    playout.push("a", speech(1500))
    playout.push("a", speech(1500))
    assert playout.queue_ms == 2000
    assert playout.push("a", speech(500)) == ()
    ear.listen(101)
    assert ear.changes == [("a", STARTED), ("a", DROPPED)]
    assert playout.finish("a") == ()


def test_changes_tell_the_queue() -> None:
    playout = Playout(10_000)
    playout.push("a", speech(500))
    (queued,) = playout.push("b", speech(250))
    assert queued.queue_ms == 500
    assert playout.queue_ms == 750
    assert playout.pull().changes[0].queue_ms == 730


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("push"), st.sampled_from("abc"), st.integers(0, 120)),
            st.tuples(st.just("finish"), st.sampled_from("abc"), st.just(0)),
            st.tuples(st.just("pull"), st.just(""), st.integers(1, 8)),
            st.tuples(st.just("clear"), st.just(""), st.just(0)),
        ),
        max_size=60,
    )
)
def test_whatever_happens_the_queue_is_bounded_and_every_segment_ends(
    steps: list[tuple[str, str, int]],
) -> None:
    ear = Ear(playout := Playout(400))
    turns = dict.fromkeys("abc", 0)  # an id is never used again after its end
    for step, name, number in steps:
        segment_id = f"{name}{turns.get(name)}"
        if step == "push":
            ear.changes += states(*playout.push(segment_id, speech(number)))
        elif step == "finish":
            ear.changes += states(*playout.finish(segment_id))
            turns[name] += 1
        elif step == "pull":
            ear.listen(number)
        else:
            ear.changes += states(*playout.clear())
        assert playout.queue_ms <= 400
    for name, turn in turns.items():
        ear.changes += states(*playout.finish(f"{name}{turn}"))
    ear.listen(100)
    assert playout.queue_ms == 0
    announced = [name for name, state in ear.changes if state is QUEUED]
    ended = [name for name, state in ear.changes if state in (FINISHED, DROPPED)]
    assert sorted(announced) == sorted(ended)
    assert len(set(announced)) == len(announced)
