"""Whether a match in the book is what was said, judged against a free run of phones."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rtc_server.engines.phrasebook.decoder import PAUSE, Heard


@dataclass(frozen=True, slots=True)
class Evidence:
    """How a match explains the sound, compared with anything at all."""

    mean_loss: float
    """Log likelihood lost per frame of speech against the free phones."""
    worst_loss: float
    """The same for the word that fits least."""
    speech_frames: int
    """Frames of 10 ms that the match holds to be words."""


_MOST_MEAN_LOSS = {"en": 2.0, "ru": 2.5}
_MOST_WORST_LOSS = {"en": 4.0, "ru": 5.0}


def evidence(match: Sequence[Heard], free: Sequence[Heard]) -> Evidence:
    """Compare the words of a match with the free phones of the same frames."""
    words = [word for word in match if word.text != PAUSE]
    if not words:
        return Evidence(0.0, 0.0, 0)
    began = _score_until([word.start for word in words], free)
    ended = _score_until([word.end for word in words], free)
    lengths = [word.end - word.start for word in words]
    losses = [
        end - start - word.score for start, end, word in zip(began, ended, words, strict=True)
    ]
    per_frame = [loss / length for loss, length in zip(losses, lengths, strict=True)]
    return Evidence(sum(losses) / sum(lengths), max(per_frame), sum(lengths))


def is_match(found: Evidence, language: str) -> bool:
    """The verdict."""
    return (
        found.speech_frames > 0
        and found.mean_loss <= _MOST_MEAN_LOSS[language]
        and found.worst_loss <= _MOST_WORST_LOSS[language]
    )


def _score_until(frames: Sequence[int], free: Sequence[Heard]) -> list[float]:
    """Score of the free phones up to each of `frames`, interpolated inside a phone."""
    ends = [0, *(phone.end for phone in free)]
    totals = np.cumsum([0.0, *(phone.score for phone in free)])
    return [float(score) for score in np.interp(frames, ends, totals)]
