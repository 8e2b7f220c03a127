"""Streaming conversion between sample rates."""

from collections.abc import Iterable, Iterator

import av
import numpy as np

from rtc_server.pcm import Samples


class Resampler:
    """Mono float32 from one rate to another, piece by piece, without clicks at the joins.

    FFmpeg's swresample (through PyAV) keeps its filter between pieces and holds back about 1 ms
    until the next piece or `flush`. Equal rates pass through untouched.
    """

    def __init__(self, source_rate: int, target_rate: int) -> None:
        self._source_rate = source_rate
        self._target_rate = target_rate
        self._filter = self._new_filter()

    def push(self, samples: Samples) -> Samples:
        """What can be given out so far, shape (n,); n is 0 when all of it is still held back."""
        if self._source_rate == self._target_rate or samples.size == 0:
            return samples
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(samples, dtype=np.float32)[None, :], format="flt", layout="mono"
        )
        frame.sample_rate = self._source_rate
        return self._joined(self._filter.resample(frame))

    def flush(self) -> Samples:
        """What was held back. The next `push` begins a new, unrelated stream."""
        held_back = self._joined(self._filter.resample(None))
        self._filter = self._new_filter()
        return held_back

    def _new_filter(self) -> av.AudioResampler:
        return av.AudioResampler(format="flt", layout="mono", rate=self._target_rate)

    @staticmethod
    def _joined(frames: list[av.AudioFrame]) -> Samples:
        if not frames:
            return np.empty(0, np.float32)
        return np.concatenate([frame.to_ndarray()[0] for frame in frames])


def resampled(chunks: Iterable[Samples], source_rate: int, target_rate: int) -> Iterator[Samples]:
    """One stream of chunks at another rate, to its very end; each shape (n,), n >= 1."""
    resampler = Resampler(source_rate, target_rate)
    for chunk in chunks:
        if (given := resampler.push(chunk)).size:
            yield given
    if source_rate != target_rate and (rest := resampler.flush()).size:
        yield rest
