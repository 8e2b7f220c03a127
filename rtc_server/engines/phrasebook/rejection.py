"""Whether a match in the book is what was said, judged against a free run of phones.

A grammar always finds its best path, whatever was said. Five measures tell whether that path is any
good; their weights come from a logistic regression (`python -m bench.phrasebook_fit`) on the tuning
voices of `bench/phrasebook_voices.py`, set so that one or two of a hundred strange sounds pass.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul

from rtc_server.engines.phrasebook.decoder import PAUSE, Heard, as_phones
from rtc_server.engines.phrasebook.nearest import Nearest
from rtc_server.engines.phrasebook.pronounce import Phones


@dataclass(frozen=True, slots=True)
class Evidence:
    """How a match explains the sound, compared with anything at all."""

    loss: float
    """Log likelihood lost per frame against the free phones."""
    longest_pause_s: float
    """Longest stretch the match holds to be silence."""
    distance: float
    """Edit distance, 0 to 1, from the free phones to the nearest way to say the match."""
    phones: int
    """Phones in the match."""
    pace: float
    """Tenths of a second for each of them."""

    def measures(self) -> tuple[float, ...]:
        """What the weights apply to, in their order."""
        return (1.0, self.loss, self.longest_pause_s, self.distance,
                math.log(self.phones), self.pace)  # fmt: skip


WEIGHTS = {
    "en": (21.46, -3.43, -4.75, -13.87, -0.50, -1.85),
    "ru": (14.07, -3.03, -4.20, -9.83, 0.76, -3.01),
}
"""Language to (constant, loss, longest pause, distance, log of phones, pace)."""


def evidence(
    match: Sequence[Heard], free: Sequence[Heard], sounds: Sequence[Phones]
) -> Evidence | None:
    """Compare a match that sounds like one of `sounds` with free phones; None without words."""
    speech = sum(word.end - word.start for word in match if word.text != PAUSE)
    if not speech:
        return None
    pauses = (word.end - word.start for word in match if word.text == PAUSE)
    lost = sum(phone.score for phone in free) - sum(word.score for word in match)
    return Evidence(
        loss=lost / match[-1].end,
        longest_pause_s=max(pauses, default=0) / 100,
        distance=float(Nearest(sounds).distances(as_phones(free)).min()),
        phones=len(sounds[0]),
        pace=speech / len(sounds[0]) / 10,
    )


def is_match(found: Evidence, language: str) -> bool:
    """The verdict."""
    score: float = sum(map(mul, WEIGHTS[language], found.measures()))
    return score > 0
