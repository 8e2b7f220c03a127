"""Shortens the pauses in synthesized speech. Pure."""

import numpy as np

from rtc_server.pcm import PLAYOUT_RATE, Samples, ms_to_samples

BLOCK_SAMPLES = ms_to_samples(5, PLAYOUT_RATE)
"""Silence is found, and taken out, in blocks of 5 ms."""
QUIET = 10 ** (-50 / 20)
"""Below this amplitude nothing is heard, and a join makes no click."""
LEADING_MS = 30
"""Silence that may stay before the first sound: a pause belongs behind a clause."""


class PauseTrimmer:
    """Passes on the speech of one clause, with no silence in it longer than `longest_ms`."""

    def __init__(self, longest_ms: int) -> None:
        self._longest = longest_ms * PLAYOUT_RATE // 1000 // BLOCK_SAMPLES
        lead = LEADING_MS * PLAYOUT_RATE // 1000 // BLOCK_SAMPLES
        self._quiet = max(0, self._longest - lead)
        """Blocks of silence so far, since the last sound."""
        self._rest: Samples = np.empty(0, np.float32)

    def push(self, samples: Samples) -> Samples:
        """Take what follows, any length; return what may be heard of it so far."""
        samples = np.concatenate([self._rest, samples])
        count = samples.size // BLOCK_SAMPLES
        blocks = samples[: count * BLOCK_SAMPLES].reshape(count, BLOCK_SAMPLES)
        self._rest = samples[count * BLOCK_SAMPLES :]
        kept = np.ones(count, bool)
        for index, peak in enumerate(np.abs(blocks).max(axis=1, initial=0.0).tolist()):
            self._quiet = self._quiet + 1 if peak < QUIET else 0
            kept[index] = self._quiet <= self._longest
        return blocks[kept].reshape(-1)

    def flush(self) -> Samples:
        """Return what is left at the end."""
        rest, self._rest = self._rest, np.empty(0, np.float32)
        return rest
