"""Words from tokens."""

import pytest

from rtc_server.engines.base import WordTime
from rtc_server.engines.cascade.vocabulary import Token, Vocabulary

PIECES = ("<unk>", "▁Where", "▁is", "▁it", "?", "▁sta", "tion", "▁", ",", "▁«", "▁—", "<blk>")


def transcript(*pieces: str) -> list[tuple[str, int]]:
    vocabulary = Vocabulary(PIECES)
    tokens = [Token(PIECES.index(piece), 100 * place) for place, piece in enumerate(pieces, 1)]
    return [(word.text, word.end_ms) for word in vocabulary.transcript(tokens).words]


def test_pieces_join_into_words_that_end_with_their_last_piece() -> None:
    assert transcript("▁Where", "▁is", "▁it", "?") == [("Where", 100), ("is", 200), ("it?", 400)]
    assert transcript("▁sta", "tion") == [("station", 200)]


def test_a_mark_with_a_space_before_it_belongs_to_the_word_before() -> None:
    assert transcript("▁it", "▁", ",", "▁is") == [("it,", 300), ("is", 400)]
    assert transcript("▁it", "▁—", "▁is") == [("it", 100), ("—", 200), ("is", 300)]


def test_what_is_not_text_is_left_out() -> None:
    assert transcript("<unk>", "▁is", "<unk>", "▁") == [("is", 200)]
    assert transcript() == []


def test_words_make_a_text() -> None:
    tokens = [Token(PIECES.index(piece), 0) for piece in ("▁Where", "▁is", "▁it", "?")]
    spelt = Vocabulary(PIECES).transcript(tokens)
    assert spelt.text == "Where is it?"
    assert spelt.words[2] == WordTime("it?", 0)


def test_letters_of_another_script_are_foreign_and_nothing_else_is() -> None:
    vocabulary = Vocabulary(("▁да", "▁yes", "▁ναι", "42", "?", "▁", "<unk>", "<blk>"))
    assert vocabulary.foreign("ru").tolist() == [False, True, True, *[False] * 5]
    assert vocabulary.foreign("pl").tolist() == [True, False, True, *[False] * 5]
    assert vocabulary.foreign("el").tolist() == [True, True, False, *[False] * 5]


def test_a_file_is_read_by_its_numbers() -> None:
    vocabulary = Vocabulary.parse("b 1\n▁a 0\n<blk> 2\n")
    assert len(vocabulary) == 3
    assert vocabulary.blank == 2
    assert vocabulary.transcript([Token(0, 0), Token(1, 0)]).text == "ab"


@pytest.mark.parametrize("text", ["", "a 0\nb 1\n", "a 0\n<blk> 2\n", "a zero\n<blk> 1\n", "\0\1"])
def test_what_is_no_vocabulary_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Vocabulary.parse(text)
