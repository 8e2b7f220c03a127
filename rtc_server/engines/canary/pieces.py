"""Pieces of words that a model reads and writes, by its tokenizer."""

from collections.abc import Sequence
from typing import Protocol

from rtc_server.engines.canary.canary_text import clean
from rtc_server.engines.canary.vocabulary import WORD_SIGN

_MARKS = frozenset(".,;:!?…%»”)")
"""Written on to the word before them, which they leave as it is."""


class Tokenizer(Protocol):
    """Part of a ``CanaryBPETokenizer`` of NeMo's that is used here; see `VocabularyTokenizer`."""

    @property
    def vocab(self) -> Sequence[str]:
        """All tokens, in the order of their numbers."""

    @property
    def eos_id(self) -> int:
        """Token that ends a text."""

    @property
    def pad_id(self) -> int:
        """Token that fills up a row."""

    @property
    def unk_id(self) -> int:
        """Token for what no other stands for."""

    def ids_to_text(self, ids: list[int]) -> str:
        """Return the text of tokens."""

    def text_to_ids(self, text: str, lang_id: str | None) -> Sequence[int]:
        """Return the tokens of a text."""


class Pieces:
    """Conversion between text and tokens."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._names: tuple[str, ...] = tuple(tokenizer.vocab)
        self._never = frozenset({tokenizer.eos_id, tokenizer.pad_id, tokenizer.unk_id})

    def text(self, tokens: Sequence[int]) -> str:
        """Return the text of `tokens`, control tokens included."""
        return str(self._tokenizer.ids_to_text(list(tokens))) if tokens else ""

    def spelled(self, tokens: Sequence[int]) -> list[str]:
        """Return each token as it stands in a text, with the space before it."""
        return [self._names[token].replace(WORD_SIGN, " ") for token in tokens]

    def prefix(self, committed: str) -> tuple[int, ...]:
        """Return tokens whose text is `committed`, for an answer to begin with.

        None for a text that no tokens give back to the letter: with letters that the model does not
        know, or spaces that it does not write. The answer to it begins anew.
        """
        if not committed or clean(committed) != committed:
            return ()
        tokens = tuple(self._tokenizer.text_to_ids(committed, None))
        if not self._never.isdisjoint(tokens) or self.text(tokens) != committed:
            return ()
        return tokens

    def fitting_prefix(self, committed: str, limit: int) -> tuple[int, ...]:
        """Return `prefix`, if a text of at most `limit` tokens has room for more behind it, and for
        its end: so much text in so little audio is a mistake that is not to be continued.
        """
        tokens = self.prefix(committed)
        return tokens if len(tokens) + 2 <= limit else ()

    def inside_word(self) -> list[int]:
        """Return the tokens that lengthen the word before them.

        Behind a word that is complete they would make another one of it: "the" and "re".
        """
        return [
            token
            for token, name in enumerate(self._names)
            if not name.startswith((WORD_SIGN, "<|", "<pad>", "<unk>"))
            and not _MARKS.issuperset(name)
        ]
