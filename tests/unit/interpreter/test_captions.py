"""Stable part of a caption: it stays so."""

import pytest

from rtc_server.engines.base import AstResult, AstStatus
from rtc_server.interpreter.captions import Direction, SegmentCaptions


@pytest.fixture
def captions() -> SegmentCaptions:
    return SegmentCaptions("seg_1", Direction("en", "ru"), 0)


def firm(
    captions: SegmentCaptions, text: str, open_chars: int = 0, heard_ms: int = 10_000
) -> str | None:
    """Return the committed text after one more pass; None if it is not shown."""
    event = captions.partial(text, captions.start_ms + heard_ms, open_chars)
    if event is None:
        return None
    assert event.source.text == text
    return text[: event.source.stable_chars]


def test_words_that_two_passes_agree_on_are_committed_except_the_last(
    captions: SegmentCaptions,
) -> None:
    assert firm(captions, "Where is") == ""
    assert firm(captions, "Where is the train") == "Where"
    assert firm(captions, "Where is the train station") == "Where is the"
    assert firm(captions, "Where is the train station") == "Where is the train"
    assert firm(captions, "Where is the train station") is None  # nothing new


def test_a_pass_that_contradicts_committed_text_is_not_shown(captions: SegmentCaptions) -> None:
    texts = ["Where is the", "Where is the train", "Whose plane is", "Whose plane is that one"]
    assert [firm(captions, text) for text in texts] == ["", "Where is", None, None]
    assert firm(captions, "Where is the train station") == "Where is"


def test_text_that_the_engine_leaves_open_is_not_committed(captions: SegmentCaptions) -> None:
    number = "eleven thirty four"
    assert firm(captions, f"We meet at {number}", len(number)) == ""
    number += " in"
    assert firm(captions, f"We meet at {number}", len(number)) == "We meet at"
    assert firm(captions, "We meet at 11:34 a.m") == "We meet at"


@pytest.mark.parametrize("has_times", [False, True])
def test_a_text_that_is_too_long_for_its_audio_is_shown_and_commits_nothing(
    has_times: bool,
) -> None:
    captions = SegmentCaptions("seg_1", Direction("en", "ru"), 5000, has_times)
    text, least_ms = "Where is the train station", 26_000 // 16
    heard_ms = (600, 850, least_ms, 1900)
    ahead = [firm(captions, text, heard_ms=ms) for ms in heard_ms]
    if has_times:  # of words that the engine places in the audio, agreement is enough
        assert ahead[:2] == ["", "Where is the train"]
    else:
        assert ahead == ["", None, None, "Where is the train"]


def test_a_sentence_that_is_taken_for_another_one_at_first_is_shown_as_it_comes_to_be(
    captions: SegmentCaptions,
) -> None:
    texts = ["My name is Anna.", "My name is Anna.", "I need a doctor.", "I need a doctor now."]
    shown = [firm(captions, text, heard_ms=600 + 250 * n) for n, text in enumerate(texts)]
    assert shown == ["", None, "", "I need a"]


def test_the_final_text_is_the_engines(captions: SegmentCaptions) -> None:
    captions.partial("Where is the", 0)
    captions.partial("Where is the train", 0)
    event = captions.final(AstResult(AstStatus.OK, "Who is there?", "Кто там?"), 900)
    assert (event.source.text, event.source.stable_chars, event.rev) == ("Who is there?", 13, 3)
