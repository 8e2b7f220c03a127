"""Tokenizer for a model that comes with the list of its tokens alone. Pure.

Canary's tokenizer is SentencePiece's byte-pair encoding: of all neighbours that together are a
token, it joins those first whose token was learned first. A token's number tells that order.
"""

from collections.abc import Sequence
from itertools import pairwise

WORD_SIGN = "\u2581"
"""SentencePiece's sign for a space: it stands at the beginning of words."""
END, PAD, UNKNOWN = "<|endoftext|>", "<pad>", "<unk>"
_NONE = -1
"""Number of a token that the list does not have."""


class VocabularyTokenizer:
    """Tokens of written text, and back. See `rtc_server.engines.canary.pieces.Tokenizer`."""

    def __init__(self, vocabulary: Sequence[str]) -> None:
        """`vocabulary`: the tokens, in the order of their numbers."""
        self.vocab = tuple(vocabulary)
        """All tokens, in order."""
        self.numbers = {token: number for number, token in enumerate(self.vocab)}
        """Number of each token."""
        self.eos_id, self.pad_id, self.unk_id = (
            self.numbers.get(token, _NONE) for token in (END, PAD, UNKNOWN)
        )

    def ids_to_text(self, ids: list[int]) -> str:
        """Return the text of tokens, control tokens included, without a space at its ends."""
        return "".join(self.vocab[number] for number in ids).replace(WORD_SIGN, " ").strip()

    def text_to_ids(self, text: str, lang_id: str | None) -> list[int]:
        """Return the tokens of a text; `lang_id` is there for NeMo's sake and changes nothing."""
        return [
            self.numbers.get(piece, self.unk_id)
            for word in text.split()
            for piece in self._joined(WORD_SIGN + word)
        ]

    def _joined(self, word: str) -> list[str]:
        """Return the pieces that a word is made of, which never reach beyond it."""
        pieces, never = list(word), len(self.vocab)
        while len(pieces) > 1:
            ranks = [self.numbers.get(a + b, never) for a, b in pairwise(pieces)]
            first = min(ranks)
            if first == never:
                break
            at = ranks.index(first)
            pieces[at : at + 2] = [pieces[at] + pieces[at + 1]]
        return pieces
