"""Choice of the next token of texts that continue committed text."""

import numpy as np

from rtc_server.engines.canary.onnx_writer import following_tokens

BEGINS, INSIDE, END = 3, 4, 5
"""Tokens: one that begins a word, a more likely one that lengthens the previous word, the end."""
SCORES = np.array([0.0, 0.1, 0.2, 0.5, 0.9, 0.4], np.float32)
INSIDE_WORD = [1, INSIDE]


def following(*parts: tuple[list[int], list[int]]) -> list[int]:
    return following_tokens(np.tile(SCORES, (len(parts), 1)), parts, INSIDE_WORD)


def test_a_prefix_is_written_as_it_is() -> None:
    assert following(([], [2, 1]), ([2], [2, 1])) == [2, 1]


def test_the_last_committed_word_is_not_lengthened() -> None:
    assert following(([2, 1], [2, 1])) == [BEGINS]


def test_words_behind_it_have_all_their_pieces() -> None:
    assert following(([2, 1, BEGINS], [2, 1]), ([], []), ([BEGINS], [])) == [INSIDE] * 3
