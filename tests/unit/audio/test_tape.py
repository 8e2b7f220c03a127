import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtc_server.audio.tape import Tape
from rtc_server.pcm import Pcm, Samples


def ramp(start: int, count: int) -> Samples:
    """Return samples whose values are their positions."""
    return np.arange(start, start + count, dtype=np.float32)


@given(
    st.integers(0, 10**6),
    st.lists(
        st.tuples(st.integers(1, 20_000), st.integers(0, 20_000), st.integers(0, 40_000)),
        min_size=1,
        max_size=30,
    ),
)
def test_it_holds_what_was_appended_and_not_forgotten(
    origin: int, steps: list[tuple[int, int, int]]
) -> None:
    tape, end, invented = Tape(), origin, set[int]()
    for count, concealed, keep in steps:
        tape.append(Pcm(ramp(end, count), end, min(concealed, count)))
        invented |= set(range(end, end + min(concealed, count)))
        end += count
        tape.forget(end - keep)
        assert tape.end == end
        np.testing.assert_array_equal(
            tape.read(tape.start, end), ramp(tape.start, end - tape.start)
        )
        middle = (tape.start + end) // 2
        assert tape.concealed(middle, end) == sum(middle <= p < end for p in invented)


def test_it_gives_up_only_what_lies_before() -> None:
    tape = Tape()
    tape.append(Pcm(ramp(0, 100), 0))
    tape.forget(40)
    tape.forget(10)
    assert (tape.start, tape.end) == (40, 100)
    tape.forget(1000)
    assert (tape.start, tape.end) == (100, 100)


def test_audio_must_be_contiguous() -> None:
    tape = Tape()
    tape.append(Pcm(ramp(0, 100), 500))
    for wrong in (599, 601, 0):
        with pytest.raises(ValueError, match="expected at 600"):
            tape.append(Pcm(ramp(0, 100), wrong))


def test_what_was_forgotten_cannot_be_read() -> None:
    tape = Tape()
    tape.append(Pcm(ramp(0, 100), 0))
    tape.forget(50)
    for start, end in ((49, 60), (60, 101)):
        with pytest.raises(IndexError):
            tape.read(start, end)


def test_an_hour_takes_no_more_room_than_a_minute() -> None:
    tape = Tape()
    for at in range(0, 3600 * 16_000, 16_000):
        tape.append(Pcm(ramp(0, 16_000), at))
        tape.forget(at)
        base = tape.read(at, at + 1).base
        assert base is not None
        assert base.size <= 65_536
