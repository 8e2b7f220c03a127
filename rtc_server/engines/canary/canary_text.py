"""Text of the model as people write it."""

import re

_CONTROL = re.compile(r"<\|[^|>]*\|>|</?s>|<pad>|<unk>|\u2047")
_BEFORE_PUNCTUATION = re.compile(r"\s+([.,!?;:…])")


def clean(text: str) -> str:
    """Return `text` without control tokens and unknown pieces, with single spaces."""
    text = " ".join(_CONTROL.sub(" ", text).split())
    return _BEFORE_PUNCTUATION.sub(r"\1", text)
