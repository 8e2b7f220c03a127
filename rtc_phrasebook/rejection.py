"""Judgement of a match in the book against a free run of phones: was it said?

A grammar always finds its best path, whatever was said. A few measures tell whether that path is
any good; their weights come from a logistic regression (`python -m bench.phrasebook.fit`) on the
tuning voices of `bench/phrasebook/voices.py`, set so that few strange sounds pass there: in English
one of a hundred, and one in ten of the sentences made to begin as a phrase does.
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
"""Share of the speech that a match may leave unexplained: of right ones it was 0.21 at most."""
_SLOWEST = 1.0
"""Tenths of a second for a phone beyond which slowness proves nothing more."""
_FEW_PHONES = 16
_HURRIED = 0.7
_BADLY_FITTING = 1.9
_UNLIKE = 0.5
"""Bounds of what something outside the book is forced into: few phones in little time, each of
which fits badly and sounds otherwise. Of 170 right matches of the Russian tuning voices two are all
of this; docs/phrasebook.md says what it refuses of people."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Scores of a match, compared with anything at all."""

    loss: float
    """Log likelihood lost per frame against the free phones."""
    pause_s: float
    """Longest silence between two words of the match."""
    missed: float
    """Share of the free phones' time that the match holds to be silence."""
    distance: float
    """Edit distance, 0 to 1, from the free phones to the nearest way to say the match."""
    phones: int
    """Phones in the match."""
    pace: float
    """Tenths of a second for each of them."""
    rush: float
    """The same for the most hurried word: a match by force squeezes one in."""
    freedom: float
    """Log of how many ways the book's network left open on the way through the match."""
    noise: float
    """Share of the power that noise removal took: in noise, everything fits less well."""
    inner_loss: float
    """As `loss`, between the beginning of the first word and the end of the last: `loss` counts
    the silence around, which always fits."""

    @property
    def is_forced(self) -> bool:
        """True if words that are none of the book seem squeezed into this match."""
        return (
            self.phones <= _FEW_PHONES
            and self.pace < _HURRIED
            and self.inner_loss > _BADLY_FITTING
            and self.distance >= _UNLIKE
        )

    def measures(self) -> tuple[float, ...]:
        """Return the values that the weights apply to, in their order.

        Beyond ordinary speech, more of a good measure is no more evidence: words stretched over
        sound that is none of theirs are slow, and may even fit better than phones do.
        """
        pace, rush = min(self.pace, _SLOWEST), min(self.rush, _SLOWEST)
        return (1.0, max(self.loss, 0.0), self.pause_s, self.missed, self.distance,
                math.log(self.phones), 1 / self.phones, pace, rush,
                self.freedom, self.noise)  # fmt: skip


WEIGHTS = {
    "en": (6.34, -2.48, -3.54, -3.71, -10.19, 0.37, -3.46, 2.31, 2.32, -0.12, 10.97),
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
    """Compare a match, whose words are `spoken` so, with free phones; None without words."""
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
    """Return the log likelihood of each frame, even within a part."""
    scores = np.zeros(frames)
    for part in parts:
        scores[part.start : part.end] = part.score / (part.end - part.start)
    return scores


def _sounds(ways: Sequence[Sequence[Phones]]) -> list[Phones]:
    """Words in each way to pronounce all of them."""
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
    """The verdict."""
    if found.missed > _MOST_MISSED or found.is_forced:
        return False
    pairs = zip(WEIGHTS[language], found.measures(), strict=True)
    return sum(weight * measure for weight, measure in pairs) > 0
