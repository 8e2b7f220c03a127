"""Search for the phrases that sound most similar to speech that was not understood."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rtc_phrasebook.pronounce import Phones

_CLASSES = ("AA AE AH AO AW AY", "EH EY IH IY ER", "OW OY UH UW W", "B D G P T K", "CH JH SH ZH",
            "S Z TH DH", "F V HH", "L R Y", "M N NG")  # fmt: skip
_CLASS = {phone: number for number, phones in enumerate(_CLASSES) for phone in phones.split()}
_SIMILAR_COST = 0.4
"""Cost of a phone in place of another one of its class; any other edit costs 1."""


class Nearest:
    """Edit distances from one sequence of phones to many candidates at once."""

    def __init__(self, candidates: Sequence[Phones]) -> None:
        numbers = {phone: number for number, phone in enumerate(_CLASS)}
        self._numbers = numbers
        self._lengths = np.array([len(phones) for phones in candidates])
        self._candidates = np.full((len(candidates), max(self._lengths, default=0)), -1)
        for row, phones in enumerate(candidates):
            self._candidates[row, : len(phones)] = [numbers[phone] for phone in phones]
        classes = np.array(list(_CLASS.values()))
        self._cost = np.where(classes[:, None] == classes[None, :], _SIMILAR_COST, 1.0)
        np.fill_diagonal(self._cost, 0.0)

    def rank(self, heard: Phones, *, within: float = 1.0) -> list[int]:
        """Return the indices of the candidates at a distance of `within` or less, nearest first."""
        distances = self.distances(heard)
        order = np.argsort(distances, kind="stable")
        return [int(index) for index in order if distances[index] <= within]

    def distances(self, heard: Phones) -> npt.NDArray[np.float64]:
        """Return the distance of each candidate: 0 for the same phones, at most 1."""
        width = self._candidates.shape[1]
        row = np.tile(np.arange(width + 1, dtype=float), (len(self._candidates), 1))
        for step, phone in enumerate(heard, start=1):
            cost = self._cost[self._numbers[phone]][self._candidates]
            above = np.minimum(row[:, :-1] + cost, row[:, 1:] + 1)
            row[:, 0] = step
            for column in range(width):
                row[:, column + 1] = np.minimum(above[:, column], row[:, column] + 1)
        edits = row[np.arange(len(row)), self._lengths]
        return np.asarray(edits / np.maximum(self._lengths, max(1, len(heard))))
