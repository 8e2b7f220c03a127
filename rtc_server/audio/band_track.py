"""Loudness of a stream in frequency bands, one row for each 20 ms."""

import math
from collections import deque
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from rtc_server.pcm import FRAME_MS, SPEECH_RATE, Samples

HOP: Final = SPEECH_RATE * FRAME_MS // 1000
"""Speech-rate samples from one row of bands to the next."""
WINDOW_S: Final = 0.032
BANDS: Final = 20
LOWEST_HZ, HIGHEST_HZ = 200.0, 7000.0
FLOOR_DB: Final = -75.0
"""Band energy that counts as silence."""
MAX_DELAY_ROWS: Final = 1500 // FRAME_MS
"""Longest delay from sending a frame until it comes back: network, jitter buffers, sound card and
room."""
KEPT_ROWS: Final = 20_000 // FRAME_MS
"""Rows that are kept: more than any segment and its delay."""
LOOK_BACK_ROWS: Final = MAX_DELAY_ROWS + 1500 // FRAME_MS
"""Audio that is kept while nobody speaks: the longest delay, and the part of a segment before the
moment at which it is detected."""
BATCH_ROWS: Final = 10
"""Rows that are analysed at once. One at a time takes four times as long. With more, the arrays
would be so large that the allocator requests new pages from the system each time, which takes
longer than the transform."""
Rows: TypeAlias = npt.NDArray[np.float32]


def filter_bank(sample_rate: int) -> tuple[Samples, Rows]:
    """Return a window function, and weights that sum the spectrum's power in bands, evenly spaced
    in mel; shape (2 * bins, BANDS).

    Real and imaginary parts are squared in place, interleaved, so each has its own row of weights.
    """
    size = round(WINDOW_S * sample_rate)
    low, high = (2595 * math.log10(1 + hz / 700) for hz in (LOWEST_HZ, HIGHEST_HZ))
    mel = np.linspace(low, high, BANDS + 1)
    edges = 700 * (10 ** (mel / 2595) - 1)
    band = np.searchsorted(edges, np.fft.rfftfreq(size, 1 / sample_rate), side="right") - 1
    window = np.hanning(size)
    weights = (band[:, None] == np.arange(BANDS)[None, :]) / (np.sum(window) ** 2 / 4)
    return window.astype(np.float32), weights.repeat(2, axis=0).astype(np.float32)


class BandTrack:
    """Band energies of one stream: the last `KEPT_ROWS` rows, by number.

    Samples are analysed in batches and when rows are read. While nobody speaks, they are not
    analysed, and the oldest are dropped.
    """

    def __init__(self, sample_rate: int) -> None:
        self._hop = sample_rate * FRAME_MS // 1000
        self._window, self._weights = filter_bank(sample_rate)
        self._waiting: deque[Samples] = deque()
        """Samples that are not analysed yet, and the overlap with the last row."""
        self._waiting_samples = 0
        self._start = 0
        """Position of the first waiting sample; row n begins at n hops."""
        self._rows = np.full((KEPT_ROWS, BANDS), FLOOR_DB, np.float32)
        self._numbers = np.full(KEPT_ROWS, -1, np.int64)
        self._attentive = False

    @property
    def next(self) -> int:
        """Number of the row after the last that is complete."""
        first = self._first()
        return first + self._due(first)

    def attend(self, first: int) -> None:
        """Keep the rows from `first` on, because they will be read."""
        self._attentive = True
        self._forget(first * self._hop)

    def rest(self) -> None:
        """Keep only the last `LOOK_BACK_ROWS` of what comes from now on."""
        self._attentive = False

    def jump(self, number: int) -> None:
        """Give the samples that are pushed next the position of row `number`."""
        if self._attentive:
            self._analyse()
        self._waiting.clear()
        self._waiting_samples = 0
        self._start = number * self._hop

    def push(self, samples: Samples) -> None:
        """Take the next samples. The array is not copied: do not change it afterwards."""
        self._waiting.append(samples)
        self._waiting_samples += samples.size
        if not self._attentive:
            self._forget(self._start + self._waiting_samples - LOOK_BACK_ROWS * self._hop)
        elif self._due(self._first()) >= BATCH_ROWS:
            self._analyse()

    def read(self, first: int, last: int) -> Rows:
        """Return the rows from `first` up to `last`, in dB, shape (n, BANDS). Rows that are not
        kept count as silence.
        """
        self._analyse()
        wanted = np.arange(first, last)
        at = wanted % KEPT_ROWS
        there = self._numbers[at] == wanted
        return np.where(there[:, None], self._rows[at], np.float32(FLOOR_DB))

    def _forget(self, before: int) -> None:
        """Drop the arrays that end before that position."""
        while self._waiting and self._start + self._waiting[0].size <= before:
            size = self._waiting.popleft().size
            self._start += size
            self._waiting_samples -= size

    def _first(self) -> int:
        """Return the number of the first row that has not been analysed."""
        return -(-self._start // self._hop)

    def _due(self, first: int) -> int:
        """Return the number of rows from `first` on that are complete."""
        behind = self._start + self._waiting_samples - first * self._hop
        return max(0, (behind - self._window.size) // self._hop + 1)

    def _analyse(self) -> None:
        first = self._first()
        count = self._due(first)
        if not count:
            return
        samples = np.concatenate(self._waiting)[first * self._hop - self._start :]
        windows = sliding_window_view(samples, self._window.size)[:: self._hop]
        for done in range(0, count, BATCH_ROWS):
            windowed = windows[done : min(done + BATCH_ROWS, count)] * self._window
            squares = np.fft.rfft(windowed).view(np.float32)
            squares *= squares
            power = squares @ self._weights
            power += 1e-12
            numbers = np.arange(first + done, first + done + len(power))
            at = numbers % KEPT_ROWS
            self._rows[at] = np.maximum(10 * np.log10(power), FLOOR_DB)
            self._numbers[at] = numbers
        rest = samples[count * self._hop :].copy()  # a view would keep the whole batch alive
        self._start = (first + count) * self._hop
        self._waiting, self._waiting_samples = deque((rest,)), rest.size
