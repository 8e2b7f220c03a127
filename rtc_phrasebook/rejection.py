"""Rejection of matches that were probably not said, by comparison with free phones.

A grammar always finds a best path, whatever was said. A few measures show whether that path is
right. Their weights come from a logistic regression (`python -m bench.phrasebook.fit`) on the
tuning voices of `bench/phrasebook/voices.py`, with a threshold at which few other sounds pass
there: in English one in a hundred, and one in ten of the sentences made to begin like a phrase.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rtc_phrasebook.decoder import PAUSE, Heard, as_phones, is_phone
from rtc_phrasebook.nearest import Nearest
from rtc_phrasebook.pronounce import Phones, Pronunciations

_MOST_MISSED = 0.5
"""Share of the speech that a match may leave unexplained; right ones left 0.21 at most."""
_SLOWEST = 1.0
"""Tenths of a second per phone beyond which a slower match is no better evidence."""
_FEW_PHONES = 16
_HURRIED = 0.7
_BADLY_FITTING = 1.9
_UNLIKE = 0.5
"""Bounds of a forced match, into which words outside the book were squeezed: few phones in little
time, which fit badly and sound different. Two of 170 right matches of the Russian tuning voices are
within all of them; docs/phrasebook.md has the figures for people."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Measures of a match, compared with free phones."""

    loss: float
    """Log likelihood per frame that the match has less than the free phones."""
    pause_s: float
    """Longest silence between two words of the match."""
    missed: float
    """Share of the free phones' time that is silence in the match."""
    distance: float
    """Edit distance, 0 to 1, from the free phones to the nearest pronunciation of the match."""
    phones: int
    """Number of phones in the match."""
    pace: float
    """Tenths of a second per phone."""
    rush: float
    """The same for the fastest word; a forced match has a very fast one."""
    freedom: float
    """Log of the number of paths that the network offered along the match."""
    noise: float
    """Share of the power that noise removal removed: in noise, everything fits less well."""
    inner_loss: float
    """The same as `loss`, but from the first word to the last: `loss` includes the silence around
    them, which always fits."""

    @property
    def is_forced(self) -> bool:
        """True if words outside the book seem to have been squeezed into this match."""
        return (
            self.phones <= _FEW_PHONES
            and self.pace < _HURRIED
            and self.inner_loss > _BADLY_FITTING
            and self.distance >= _UNLIKE
        )

    def measures(self) -> tuple[float, ...]:
        """Return the values for `WEIGHTS`, in its order.

        Measures are limited to the range of ordinary speech: words stretched over a sound that is
        not theirs are slow, and may even fit better than free phones.
        """
        pace, rush = min(self.pace, _SLOWEST), min(self.rush, _SLOWEST)
        return (1.0, max(self.loss, 0.0), self.pause_s, self.missed, self.distance,
                math.log(self.phones), 1 / self.phones, pace, rush,
                self.freedom, self.noise)  # fmt: skip


WEIGHTS = {
    "en": (6.20, -2.48, -3.54, -3.71, -10.19, 0.37, -3.46, 2.31, 2.32, -0.12, 10.97),
    "ru": (9.60, -2.57, -6.35, -8.34, -9.93, 0.70, -11.28, -2.38, 2.80, -0.08, 1.52),
}
"""Language to (constant, loss, pause, missed, distance, log of phones, 1/phones, pace,
rush, freedom, noise)."""


def evidence(
    match: Sequence[Heard],
    free: Sequence[Heard],
    *,
    spoken: Pronunciations,
    freedom: float,
    noise: float,
) -> Evidence | None:
    """Return the measures of a match, compared with free phones; None without words.

    Args:
        match: best path through the network.
        free: the same audio as free phones.
        spoken: pronunciations of the words.
        freedom, noise: see `Evidence`.
    """
    spoken_at = [number for number, word in enumerate(match) if word.text != PAUSE]
    if not spoken_at:
        return None
    words = [match[number] for number in spoken_at]
    sounds = _sounds([spoken[word.text] for word in words])
    inside = match[spoken_at[0] : spoken_at[-1] + 1]
    pauses = [word.end - word.start for word in inside if word.text == PAUSE]
    frames = match[-1].end
    silent = _marked(frames, [word for word in match if word.text == PAUSE])
    voiced = _marked(frames, [phone for phone in free if is_phone(phone)])
    lost = sum(phone.score for phone in free) - sum(word.score for word in match)
    lost_in = _scores(frames, free) - _scores(frames, match)
    return Evidence(
        loss=lost / frames,
        pause_s=max(pauses, default=0) / 100,
        missed=float(np.sum(silent & voiced)) / max(1, int(np.sum(voiced))),
        distance=float(Nearest(sounds).distances(as_phones(free)).min()),
        phones=len(sounds[0]),
        pace=int(np.sum(~silent)) / len(sounds[0]) / 10,
        rush=min((one.end - one.start) / len(spoken[one.text][0]) for one in words) / 10,
        freedom=freedom,
        noise=noise,
        inner_loss=float(lost_in[words[0].start : words[-1].end].mean()),
    )


def _scores(frames: int, parts: Sequence[Heard]) -> npt.NDArray[np.float64]:
    """Return the log likelihood of each frame, as the mean of its part."""
    scores = np.zeros(frames)
    for part in parts:
        scores[part.start : part.end] = part.score / (part.end - part.start)
    return scores


def _sounds(ways: Sequence[Sequence[Phones]]) -> list[Phones]:
    """Return the words' phones, once for each number of a pronunciation."""
    return [
        tuple(phone for way in ways for phone in way[min(number, len(way) - 1)])
        for number in range(max(map(len, ways)))
    ]


def _marked(frames: int, parts: Sequence[Heard]) -> npt.NDArray[np.bool_]:
    """Return a mask of the frames that lie in one of the parts."""
    marked = np.zeros(frames, dtype=bool)
    for part in parts:
        marked[part.start : part.end] = True
    return marked


def is_match(found: Evidence, language: str) -> bool:
    """Return whether to accept a match."""
    if found.missed > _MOST_MISSED or found.is_forced:
        return False
    pairs = zip(WEIGHTS[language], found.measures(), strict=True)
    return sum(weight * measure for weight, measure in pairs) > 0
