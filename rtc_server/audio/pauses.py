"""Shortening of the pauses in synthesized speech. Pure."""

import numpy as np

from rtc_server.pcm import PLAYOUT_RATE, Samples, ms_to_samples, samples_to_ms

BLOCK_SAMPLES = ms_to_samples(5, PLAYOUT_RATE)
"""Size of the blocks in which silence is found and removed: 5 ms."""
QUIET = 10 ** (-50 / 20)
"""Amplitude below which sound counts as silence, and a join makes no click."""
LEADING_MS = 20
"""Silence that may stay before the first sound. A clause has its pause at the end."""


class PauseTrimmer:
    """Filter for the speech of one clause, which shortens silence to `longest_ms`.

    Silence is held back until the next sound, because silence at the end is shortened differently.
    """

    def __init__(self, longest_ms: int) -> None:
        self._longest = _blocks(longest_ms)
        self._quiet = max(0, self._longest - _blocks(LEADING_MS))
        """Blocks of silence so far, since the last sound."""
        self._held: list[Samples] = []
        """Silence since the last sound that stays if another sound comes."""
        self._sounded = False
        self._rest: Samples = np.empty(0, np.float32)

    @property
    def quiet_ms(self) -> int:
        """Silence since the last sound, in whole blocks, at most `longest_ms`."""
        blocks = 0 if _is_loud(self._rest) else len(self._held)
        return round(samples_to_ms(blocks * BLOCK_SAMPLES, PLAYOUT_RATE))

    def push(self, samples: Samples) -> Samples:
        """Take the next samples, shape (n,); return those that are ready."""
        samples = np.concatenate([self._rest, samples])
        count = samples.size // BLOCK_SAMPLES
        blocks = samples[: count * BLOCK_SAMPLES].reshape(count, BLOCK_SAMPLES)
        self._rest = samples[count * BLOCK_SAMPLES :]
        kept: list[Samples] = []
        peaks = np.abs(blocks).max(axis=1, initial=0.0).tolist()
        for block, peak in zip(blocks, peaks, strict=True):
            if peak >= QUIET:
                kept += [*self._held, block]
                self._held, self._quiet, self._sounded = [], 0, True
                continue
            self._quiet += 1
            if self._quiet <= self._longest:
                (self._held if self._sounded else kept).append(block)
        return np.concatenate(kept) if kept else np.empty(0, np.float32)

    def flush(self, trailing_ms: int) -> Samples:
        """End the clause; return the rest, with up to `trailing_ms` of silence."""
        held, rest = self._held, self._rest
        self._held, self._rest = [], np.empty(0, np.float32)
        if _is_loud(rest):
            return np.concatenate([*held, rest])
        held = held[: _blocks(trailing_ms)]
        return np.concatenate(held) if held else np.empty(0, np.float32)


def _is_loud(samples: Samples) -> bool:
    return float(np.abs(samples).max(initial=0.0)) >= QUIET


def _blocks(length_ms: int) -> int:
    return length_ms * PLAYOUT_RATE // 1000 // BLOCK_SAMPLES
