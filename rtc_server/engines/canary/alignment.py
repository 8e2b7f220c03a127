"""Times of words by where a decoder looked when it wrote them (AlignAtt). Pure.

The cross-attention of some heads follows the audio: a token comes from the frame at which their
mean is highest. Papi et al., Interspeech 2023, "AlignAtt: Using Attention-based Audio-Translation
Alignments as a Guide for Simultaneous Speech Translation".
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from rtc_server.engines.base import WordTime
from rtc_server.engines.canary.canary_text import clean
from rtc_server.errors import EngineUnavailable

DEFAULT_HEADS = "-2"
"""All heads of the last layer but one, as NeMo's own AlignAtt has it (``xatt_scores_layer``)."""
SINK_FRAMES = 8
"""Frames at the beginning of the audio that count for no token, as in NeMo
(``exclude_sink_frames``): attention that has nowhere to go falls on them, and a word that is just
being said would pass for an old one."""
FRAME_MS = 80
"""Audio of one encoder frame."""

_LAYER = re.compile(r"(-?\d{1,3})(?::(\d{1,3}(?:,\d{1,3})*))?")


@dataclass(frozen=True, slots=True)
class LayerHeads:
    """Heads of one layer."""

    layer: int
    """Index of the layer; below 0 it counts from the last, which is -1."""
    heads: tuple[int, ...] = ()
    """Indices of its heads; none means all of them."""


def parse_heads(text: str) -> tuple[LayerHeads, ...]:
    """Return the heads that `text` names: layers with a space between them, each with some of its
    heads ("4:1,5 6:0") or with all ("-2").

    Raises:
        EngineUnavailable: it names none, or cannot be read.
    """
    found = [_LAYER.fullmatch(part) for part in text.split()]
    if not found or None in found:
        raise EngineUnavailable(
            f'--canary-heads is "{text}", which names no heads. Write layers with a space '
            'between them, each with or without heads, such as "-2" or "4:1,5 6:0".'
        )
    return tuple(
        LayerHeads(int(each[1]), tuple(int(head) for head in (each[2] or "").split(",") if head))
        for each in found
        if each
    )


def word_times(
    text: str, pieces: Sequence[tuple[str, int]], padding_ms: float, audio_ms: int
) -> tuple[WordTime, ...]:
    """Return the words of a text, each with the time by which all that it rests on was said.

    No word ends before the one in front of it: what is committed is committed in order.

    Args:
        text: as it is shown, `clean`.
        pieces: what the model wrote, each piece with the encoder frame that it comes from.
        padding_ms: silence that was put before the audio.
        audio_ms: length of the audio itself.

    Returns:
        Nothing when the pieces do not spell the text.
    """
    letters = [
        (letter, frame)
        for piece, frame in pieces
        for letter in clean(piece)
        if not letter.isspace()
    ]
    if "".join(letter for letter, _ in letters) != "".join(text.split()):
        return ()
    latest = list(accumulate((frame for _, frame in letters), max))
    words, count = [], 0
    for word in text.split():
        count += len(word)
        end_ms = round((latest[count - 1] + 1) * FRAME_MS - padding_ms)
        words.append(WordTime(word, min(max(end_ms, 0), audio_ms)))
    return tuple(words)
