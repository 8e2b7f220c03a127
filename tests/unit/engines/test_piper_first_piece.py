"""Cut of a text at its first pause, for Piper."""

import pytest

from rtc_server.engines.piper.first_piece import first_piece


@pytest.mark.parametrize(
    "pieces",
    [
        ("We should meet before noon,", "because my train leaves early."),
        ("Нам лучше встретиться до полудня;", "мой поезд уходит рано, а следующий полон."),
        ("I have one thing to say:", "thank you all. And now, the next one."),
    ],
)
def test_the_first_sentence_is_cut_at_its_first_pause(pieces: tuple[str, str]) -> None:
    assert first_piece(" ".join(pieces)) == pieces


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I need a doctor.",
        "We should meet before noon because my train leaves early.",
        "It weighs about 1,500 kilograms in all.",  # no pause
        "No, thank you.",  # too short a piece before it
        "I am going home now, thanks.",  # and behind it
        "That is all. We should meet, because my train leaves.",  # the sentence is a piece already
        "word " * 20 + "and then, at last, a pause.",
    ],
)
def test_a_text_without_a_pause_in_its_place_stays_whole(text: str) -> None:
    assert first_piece(text) == (text,)


def test_a_pause_is_looked_for_behind_one_that_comes_too_early() -> None:
    assert first_piece("Well, we should meet before noon, if you can come.") == (
        "Well, we should meet before noon,",
        "if you can come.",
    )
