"""Shortening of speech without a change of pitch: WSOLA. Pure.

After W. Verhelst and M. Roelands, "An overlap-add technique based on waveform similarity (WSOLA)",
ICASSP 1993. Samples are copied unchanged until enough must be left out; then the audio is faded
over to a later place. At a tempo of 1.05, nine tenths of the samples are copies. The place is found
by correlation, first at a quarter of the rate, then among the samples around the best one.
"""

import numpy as np

from rtc_server.pcm import PLAYOUT_RATE, Samples, ms_to_samples

_COARSE = 4
"""Samples that are averaged to one in the first search."""
LEAST_SKIP, MOST_SKIP = ms_to_samples(4, PLAYOUT_RATE), ms_to_samples(16, PLAYOUT_RATE)
"""Least and most samples left out at once: enough for a period of any voice above 63 Hz."""
DUE_SKIP = ms_to_samples(6, PLAYOUT_RATE)
"""Samples that must be due to be left out before a place is looked for."""
_ALIKE = ms_to_samples(10, PLAYOUT_RATE)
"""Length of the audio that is compared."""
_FADE = ms_to_samples(5, PLAYOUT_RATE)
_STEP = ms_to_samples(5, PLAYOUT_RATE)
_PATIENCE = 4
"""Steps to wait for a better place, so that bursts and changes of sound are not cut."""
_GOOD = 0.7
"""Correlation from which a place is taken at once."""
_AHEAD = MOST_SKIP + _ALIKE + _COARSE
_MEAN: Samples = np.full(_COARSE, 1 / _COARSE, np.float32)
_RISE: Samples = (0.5 - 0.5 * np.cos(np.pi * (np.arange(_FADE) + 0.5) / _FADE)).astype(np.float32)


class TimeStretch:
    """Filter that shortens the speech of one sentence by the factor `tempo`, to within `MOST_SKIP`.

    The output does not depend on the sizes of the pieces that go in.
    """

    def __init__(self, tempo: float) -> None:
        """`tempo`: from 1 up to 1.25."""
        self._share = 1.0 - 1.0 / tempo
        self._debt = 0.0
        """Samples of the input so far that are still to be left out."""
        self._rest: Samples = np.empty(0, np.float32)
        self._waited = 0

    def push(self, samples: Samples) -> Samples:
        """Take the next samples: float32 at 48 kHz, shape (n,); return those that are ready."""
        rest = np.concatenate([self._rest, samples])
        ready: list[Samples] = []
        at = 0
        while rest.size - at >= _STEP + _AHEAD:
            # Both ends of the step are inside `rest`, so that a skip can begin at either end.
            if self._debt < DUE_SKIP:
                at = self._copy(rest, at, ready)
                continue
            skip, likeness = _best_skip(rest[at : at + _AHEAD])
            if likeness < _GOOD and self._waited < _PATIENCE:
                self._waited += 1
                at = self._copy(rest, at, ready)
                continue
            self._waited = 0
            self._debt -= skip
            later = rest[at + skip : at + skip + _FADE]
            faded = rest[at : at + _FADE] * _RISE[::-1] + later * _RISE
            ready.append(faded.astype(np.float32, copy=False))
            at += skip + _FADE
            self._debt += self._share * (skip + _FADE)
        self._rest = rest[at:]
        return np.concatenate(ready) if ready else np.empty(0, np.float32)

    def flush(self) -> Samples:
        """Return the rest of a clause. Another clause of the sentence may follow."""
        rest, self._rest = self._rest, np.empty(0, np.float32)
        self._debt += self._share * rest.size
        return rest

    def _copy(self, rest: Samples, at: int, ready: list[Samples]) -> int:
        ready.append(rest[at : at + _STEP])
        self._debt += self._share * _STEP
        return at + _STEP


def _best_skip(ahead: Samples) -> tuple[int, float]:
    """Return after how many samples the audio is most similar to the beginning of `ahead`, and the
    correlation there, from -1 to 1.
    """
    coarse = ahead[: _AHEAD // _COARSE * _COARSE].reshape(-1, _COARSE) @ _MEAN
    size, first, last = _ALIKE // _COARSE, LEAST_SKIP // _COARSE, MOST_SKIP // _COARSE
    best = first + int(np.argmax(_likeness(coarse[:size], coarse[first : last + size - 1])))
    low = max(LEAST_SKIP, best * _COARSE - _COARSE)
    high = min(MOST_SKIP, low + 2 * _COARSE)
    scores = _likeness(ahead[:_ALIKE], ahead[low : high + _ALIKE])
    place = int(np.argmax(scores))
    return low + place, float(scores[place])


def _likeness(wanted: Samples, later: Samples) -> Samples:
    """Return the normalized correlation of `wanted` with `later` at each position where it fits;
    1 for silence with silence.
    """
    # float64: in a running sum in float32, quiet samples after a loud sound would be lost in
    # rounding.
    sums = np.cumsum(np.square(later, dtype=np.float64))
    energy = sums[wanted.size - 1 :].copy()
    energy[1:] -= sums[: -wanted.size]
    silent = 1e-12
    energy = np.maximum(energy, 0.0) * float(wanted @ wanted)
    scores: Samples = (np.correlate(later, wanted) + silent) / np.sqrt(energy + silent**2)
    return scores
