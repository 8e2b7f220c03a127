"""Stable part of a caption: it stays so."""

import pytest

from rtc_server.engines.base import AstResult, AstStatus
from rtc_server.interpreter.captions import Direction, SegmentCaptions


@pytest.fixture
def captions() -> SegmentCaptions:
    return SegmentCaptions("seg_1", Direction("en", "ru"), 0)


def firm(captions: SegmentCaptions, text: str, open_chars: int = 0) -> str | None:
    """Return the committed text after one more pass; None if it is not shown."""
    event = captions.partial(text, 0, open_chars)
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


def test_the_final_text_is_the_engines(captions: SegmentCaptions) -> None:
    captions.partial("Where is the", 0)
    captions.partial("Where is the train", 0)
    event = captions.final(AstResult(AstStatus.OK, "Who is there?", "Кто там?"), 900)
    assert (event.source.text, event.source.stable_chars, event.rev) == ("Who is there?", 13, 3)
