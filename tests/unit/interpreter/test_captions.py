"""Stable part of a caption: it stays so."""

import pytest

from rtc_server.engines.base import AstResult, AstStatus
from rtc_server.interpreter.captions import Direction, SegmentCaptions

APART_MS = 400
"""Audio between two passes, far enough apart to agree."""


class Passes:
    """Captions of a segment, pass after pass."""

    def __init__(self, start_ms: int = 0) -> None:
        self.captions = SegmentCaptions("seg_1", Direction("en", "ru"), start_ms)
        self.heard_ms = 10_000

    def firm(self, text: str, open_chars: int = 0, heard_ms: int | None = None) -> str | None:
        """Return the committed text after one more pass; None if it is not shown."""
        self.heard_ms = self.heard_ms + APART_MS if heard_ms is None else heard_ms
        event = self.captions.partial(text, self.captions.start_ms + self.heard_ms, open_chars)
        if event is None:
            return None
        assert event.source.text == text
        return text[: event.source.stable_chars]


@pytest.fixture
def passes() -> Passes:
    return Passes()


def test_words_that_two_passes_agree_on_are_committed_except_the_last(passes: Passes) -> None:
    assert passes.firm("Where is") == ""
    assert passes.firm("Where is the train") == "Where"
    assert passes.firm("Where is the train station") == "Where is the"
    assert passes.firm("Where is the train station") == "Where is the train"
    assert passes.firm("Where is the train station") is None  # nothing new


def test_passes_that_are_close_together_do_not_agree_by_themselves(passes: Passes) -> None:
    assert passes.firm("Where is the", heard_ms=10_000) == ""
    assert passes.firm("Where is the train", heard_ms=10_250) == ""
    assert passes.firm("Where is the train", heard_ms=10_399) is None
    assert passes.firm("Where is the train station", heard_ms=10_400) == "Where is"


def test_every_pass_in_between_has_to_agree(passes: Passes) -> None:
    assert passes.firm("Where is the train", heard_ms=10_000) == ""
    assert passes.firm("Where was the train", heard_ms=10_250) == ""
    assert passes.firm("Where is the train station", heard_ms=10_500) == "Where"
    assert passes.firm("Where is the train station", heard_ms=10_750) is None
    assert passes.firm("Where is the train station", heard_ms=11_000) == "Where is the train"


def test_a_pass_that_contradicts_committed_text_is_not_shown(passes: Passes) -> None:
    texts = ["Where is the", "Where is the train", "Whose plane is", "Whose plane is that one"]
    assert [passes.firm(text) for text in texts] == ["", "Where is", None, None]
    assert passes.firm("Where is the train station") == "Where is"


def test_text_that_the_engine_leaves_open_is_not_committed(passes: Passes) -> None:
    number = "eleven thirty four"
    assert passes.firm(f"We meet at {number}", len(number)) == ""
    number += " in"
    assert passes.firm(f"We meet at {number}", len(number)) == "We meet at"
    assert passes.firm("We meet at 11:34 a.m") == "We meet at"


def test_a_text_that_is_too_long_for_its_audio_is_shown_and_commits_nothing() -> None:
    passes = Passes(start_ms=5000)
    text, least_ms = "Where is the train station", 26_000 // 16
    heard_ms = (600, 600 + APART_MS, least_ms, least_ms + APART_MS)
    ahead = [passes.firm(text, heard_ms=ms) for ms in heard_ms]
    assert ahead == ["", None, None, "Where is the train"]


def test_a_sentence_that_is_taken_for_another_one_at_first_is_shown_as_it_comes_to_be(
    passes: Passes,
) -> None:
    texts = ["My name is Anna.", "My name is Anna.", "I need a doctor.", "I need a doctor now."]
    shown = [passes.firm(text, heard_ms=600 + APART_MS * n) for n, text in enumerate(texts)]
    assert shown == ["", None, "", "I need a"]


def test_the_final_text_is_the_engines(passes: Passes) -> None:
    captions = passes.captions
    captions.partial("Where is the", 0)
    captions.partial("Where is the train", 0)
    event = captions.final(AstResult(AstStatus.OK, "Who is there?", "Кто там?"), 900)
    assert (event.source.text, event.source.stable_chars, event.rev) == ("Who is there?", 13, 3)
