"""Pieces of words that a model reads and writes, by the tokenizer that NeMo has of it."""

from collections.abc import Sequence
from typing import Any

from rtc_server.engines.canary.canary_text import clean

_BEGINS_WORD = "\u2581"
"""SentencePiece's sign for a space: it stands at the beginning of words."""
_MARKS = frozenset(".,;:!?…%»”)")
"""Written on to the word before them, which they leave as it is."""


class Pieces:
    """Conversion between text and tokens."""

    def __init__(self, tokenizer: Any) -> None:
        """`tokenizer`: a ``CanaryBPETokenizer`` of NeMo's."""
        self._tokenizer = tokenizer
        self._names: tuple[str, ...] = tuple(tokenizer.vocab)
        self._never = frozenset({tokenizer.eos_id, tokenizer.pad_id, tokenizer.unk_id})

    def text(self, tokens: Sequence[int]) -> str:
        """Return the text of `tokens`, control tokens included."""
        return str(self._tokenizer.ids_to_text(list(tokens))) if tokens else ""

    def spelled(self, tokens: Sequence[int]) -> list[str]:
        """Return each token as it stands in a text, with the space before it."""
        return [self._names[token].replace(_BEGINS_WORD, " ") for token in tokens]

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

    def inside_word(self) -> list[int]:
        """Return the tokens that lengthen the word before them.

        Behind a word that is complete they would make another one of it: "the" and "re".
        """
        return [
            token
            for token, name in enumerate(self._names)
            if not name.startswith((_BEGINS_WORD, "<|", "<pad>", "<unk>"))
            and not _MARKS.issuperset(name)
        ]
