"""Tokens of a text from a list of tokens alone, and permitted beginnings of an answer."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtc_server.engines.canary.pieces import Pieces
from rtc_server.engines.canary.vocabulary import VocabularyTokenizer

SPECIAL = ("<unk>", "<pad>", "<|endoftext|>", "<|en|>")
LEARNED = ("▁t", "he", "▁the", "re", "▁w", "er", "▁wer", "▁there")
LETTERS = ("▁", "t", "h", "e", "r", "w", ".")


def tokenizer(learned: Sequence[str] = LEARNED) -> VocabularyTokenizer:
    return VocabularyTokenizer([*SPECIAL, *learned, *LETTERS])


def spelled(text: str, learned: Sequence[str] = LEARNED) -> list[str]:
    ours = tokenizer(learned)
    return [ours.vocab[number] for number in ours.text_to_ids(text, None)]


def test_neighbours_are_joined_in_the_order_in_which_their_tokens_were_learned() -> None:
    assert spelled("the there") == ["▁the", "▁there"]
    assert spelled("were", ("▁w", "er", "re")) == ["▁w", "er", "e"]
    assert spelled("were", ("re", "er", "▁w")) == ["▁w", "e", "re"]


def test_a_letter_that_no_token_has_is_unknown_and_never_continued() -> None:
    ours = tokenizer()
    assert ours.text_to_ids("tыe", None)[-2:] == [ours.unk_id, ours.numbers["e"]]
    assert Pieces(ours).prefix("the tыe") == ()


@given(words=st.lists(st.text(alphabet="therw.", min_size=1, max_size=9), max_size=5))
def test_text_of_known_letters_comes_back_to_the_letter(words: list[str]) -> None:
    ours, text = tokenizer(), " ".join(words)
    assert ours.ids_to_text(ours.text_to_ids(text, None)) == text


def test_tokens_that_a_list_lacks_have_no_number() -> None:
    ours = VocabularyTokenizer(["a"])
    assert not {ours.eos_id, ours.pad_id, ours.unk_id} & set(range(len(ours.vocab)))


@pytest.mark.parametrize(("limit", "count"), [(2, 0), (3, 0), (4, 2), (9, 2)])
def test_a_prefix_needs_room_for_more_text_and_its_end(limit: int, count: int) -> None:
    assert len(Pieces(tokenizer()).fitting_prefix("the there", limit)) == count


def test_what_would_lengthen_a_word_is_known() -> None:
    pieces = Pieces(tokenizer())
    inside = {tokenizer().vocab[number] for number in pieces.inside_word()}
    assert inside == {"he", "re", "er", "t", "h", "e", "r", "w"}
