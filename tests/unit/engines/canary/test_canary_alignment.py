"""Times of words, from the frames that their pieces attend to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtc_server.engines.canary.alignment import LayerHeads, parse_heads, word_times
from rtc_server.engines.canary.canary_text import clean
from rtc_server.errors import EngineUnavailable

PIECES = st.lists(
    st.tuples(
        st.sampled_from([" Wo", " is", "t", "ation", "?", " .", " ", " Анна", "<|en|>", "\u2047"]),
        st.integers(0, 500),
    ),
    max_size=20,
)


@given(pieces=PIECES, padding_ms=st.floats(0, 500), audio_ms=st.integers(1, 40_000))
def test_every_word_has_a_time_inside_the_audio_and_none_before_its_neighbour(
    pieces: list[tuple[str, int]], padding_ms: float, audio_ms: int
) -> None:
    text = clean("".join(piece for piece, _ in pieces))
    times = word_times(text, pieces, padding_ms, audio_ms)
    assert [time.text for time in times] == text.split()
    ends = [time.end_ms for time in times]
    assert ends == sorted(ends)
    assert all(0 <= end <= audio_ms for end in ends)


def test_a_word_ends_with_the_latest_frame_that_it_or_one_before_it_rests_on() -> None:
    pieces = [(" st", 20), ("ation", 12), (" is", 9), (" here", 30), (".", 2)]
    times = word_times("station is here.", pieces, 0.0, 4000)
    assert [time.end_ms for time in times] == [21 * 80, 21 * 80, 31 * 80]


def test_pieces_that_do_not_spell_the_text_say_nothing() -> None:
    assert word_times("station", [(" st", 1)], 0.0, 4000) == ()
    assert word_times("", [], 0.0, 4000) == ()


def test_heads_are_read_by_layer() -> None:
    assert parse_heads("-2") == (LayerHeads(-2),)
    assert parse_heads(" 4:1,5  6:0 ") == (LayerHeads(4, (1, 5)), LayerHeads(6, (0,)))


@pytest.mark.parametrize("text", ["", " ", "x", "4:", "4:1,", "4,5", "4:-1", "4.5"])
def test_what_names_no_heads_is_refused(text: str) -> None:
    with pytest.raises(EngineUnavailable, match="--canary-heads is"):
        parse_heads(text)
