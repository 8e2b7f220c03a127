"""Detection of speech that we played and that came back through a loudspeaker.

Both ends are followed as log energies in bands, 50 times a second. What comes back is what was
played, some time later, coloured by loudspeaker and room: its bands rise and fall together with
those of the reference at one delay, whatever the gain of each band. A person who speaks over it
adds energy where the delayed reference has none, and that is looked for separately.

Pure: fed audio with its positions on the session's audio clock, asks no clock.
"""

import math
from collections import deque
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from rtc_server.pcm import FRAME_MS, PLAYOUT_RATE, SPEECH_RATE, Samples

HOP: Final = SPEECH_RATE * FRAME_MS // 1000
"""Speech-rate samples from one row of bands to the next."""
WINDOW_S: Final = 0.032
BANDS: Final = 20
LOWEST_HZ, HIGHEST_HZ = 200.0, 7000.0
FLOOR_DB: Final = -75.0
"""Band energy of silence."""
MAX_DELAY_ROWS: Final = 1500 // FRAME_MS
"""Longest way from playout to the listener: network, jitter buffers, sound card and room."""
KEPT_ROWS: Final = 20_000 // FRAME_MS
"""Longer than any segment and its delay."""
LOOK_BACK_ROWS: Final = MAX_DELAY_ROWS + 1500 // FRAME_MS
"""Length of the samples kept while nobody speaks: the longest way, and what a segment has in front
of the moment in which it is noticed."""
BATCH_ROWS: Final = 10
"""Rows analysed at once. One by one they cost four times as much; more would need arrays so large
that the allocator asks the system for fresh pages each time, dearer than the transform."""
UNEVEN_ROWS: Final = 15
"""Audio comes in packets of a WebSocket and late: so far its clock and that of playout may part."""
LEAST_ROWS: Final = 15
"""Shorter stretches say too little."""
RANGE_DB: Final = 40.0
"""Dynamic range: a band weaker than the strongest by more than this counts as silence."""
ROOM_DECAY_DB: Final = 4.0
"""A row's sound hangs on in the room and falls by so much in the next (300 ms to −60 dB)."""
ALIKE: Final = 0.75
"""Correlation from which a stretch counts as the reference come back: that reached 0.81 or more in
rooms of all kinds, a person's own words 0.47 or less."""
LONGEST_DECAY_DB: Final = 1.2
"""An echo that falls more slowly than this (a second to −60 dB) is no room's."""
EXCESS_DB: Final = 6.0
"""Excess over the loudest possible echo from which a sound is something else."""
EXCESS_BANDS: Final = 2
"""So many bands of a row must be."""
PERSON_ROWS: Final = 4
"""So many rows must be: 80 ms of a person's speech."""

SILENT_FRAME: Final = np.zeros(PLAYOUT_RATE * FRAME_MS // 1000, np.float32)

Rows: TypeAlias = npt.NDArray[np.float32]


def _bank(sample_rate: int) -> tuple[Samples, Rows]:
    """Return a window function and the weights that sum its spectrum into bands, evenly spaced in
    mel.

    The spectrum's real and imaginary parts are squared where they are, one after the other: there
    is a row of weights for each.
    """
    size = round(WINDOW_S * sample_rate)
    low, high = (2595 * math.log10(1 + hz / 700) for hz in (LOWEST_HZ, HIGHEST_HZ))
    mel = np.linspace(low, high, BANDS + 1)
    edges = 700 * (10 ** (mel / 2595) - 1)
    band = np.searchsorted(edges, np.fft.rfftfreq(size, 1 / sample_rate), side="right") - 1
    window = np.hanning(size)
    weights = (band[:, None] == np.arange(BANDS)[None, :]) / (np.sum(window) ** 2 / 4)
    return window.astype(np.float32), weights.repeat(2, axis=0).astype(np.float32)


class _Track:
    """One stream as rows of band energies, of which the last `KEPT_ROWS` are kept by their number.

    Samples wait until somebody wants to read; while nobody will, the oldest are forgotten.
    """

    def __init__(self, sample_rate: int) -> None:
        self._hop = sample_rate * FRAME_MS // 1000
        self._window, self._weights = _bank(sample_rate)
        self._waiting: deque[Samples] = deque()
        """Samples that are in no row yet, but for the overlap."""
        self._waiting_samples = 0
        self._start = 0
        """Position of the first of them; row n begins at n hops."""
        self._rows = np.full((KEPT_ROWS, BANDS), FLOOR_DB, np.float32)
        self._numbers = np.full(KEPT_ROWS, -1, np.int64)
        self._attentive = False

    @property
    def next(self) -> int:
        """Number of the row after the last that is complete."""
        first = self._first()
        return first + self._due(first)

    def attend(self, first: int) -> None:
        """Keep the rows from `first` on: they will be read."""
        self._attentive = True
        self._forget(first * self._hop)

    def rest(self) -> None:
        """Keep no more than the last `LOOK_BACK_ROWS` of what comes: nobody will read the rest."""
        self._attentive = False

    def jump(self, number: int) -> None:
        """Begin at row `number` with what is pushed from now on."""
        if self._attentive:
            self._analyse()
        self._waiting.clear()
        self._waiting_samples = 0
        self._start = number * self._hop

    def push(self, samples: Samples) -> None:
        """Take what follows; the array is kept until it is analysed."""
        self._waiting.append(samples)
        self._waiting_samples += samples.size
        if not self._attentive:
            self._forget(self._start + self._waiting_samples - LOOK_BACK_ROWS * self._hop)
        elif self._due(self._first()) >= BATCH_ROWS:
            self._analyse()

    def read(self, first: int, last: int) -> Rows:
        """Return the rows from `first` up to `last`, in dB, shape (n, BANDS); silence where none
        are.
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
        """Number of the first row that has not been analysed."""
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


@dataclass(frozen=True, slots=True)
class Judgement:
    """Similarity of a stretch of received audio to what was played."""

    alike: float
    """Correlation with what was played, −1 to 1, at the delay where it is highest."""
    delay_ms: int
    """That delay."""
    person_ms: int
    """Duration for which the stretch is louder than the echo can be."""

    @property
    def is_own_voice(self) -> bool:
        """True if it holds what was played, and nobody speaks over it."""
        return self.alike >= ALIKE and self.person_ms < PERSON_ROWS * FRAME_MS


NOBODY: Final = Judgement(0.0, 0, 0)


class OwnVoice:
    """Comparison of what was received with what was played in the last seconds.

    Works only while something plays and for as long as that may take to come back, and only while
    somebody speaks (`attend`): most of the time it is one or the other.
    """

    def __init__(self) -> None:
        self._played, self._heard = _Track(PLAYOUT_RATE), _Track(SPEECH_RATE)
        self._played_at = -1
        """Row at which the last frame was handed over."""
        self._active_until = -1
        """Until that row what was played may come back."""

    def attend(self, start_samples: int) -> None:
        """Begin to keep audio from that position on: somebody speaks, and `judge` will be asked."""
        first = start_samples // HOP
        self._played.attend(first - MAX_DELAY_ROWS)
        self._heard.attend(first)

    def rest(self) -> None:
        """Stop keeping audio: nobody speaks any more."""
        self._played.rest()
        self._heard.rest()

    def played(self, frame: Samples | None, position_samples: int) -> None:
        """Take a frame that was sent; None is silence. The position counts received samples."""
        now = position_samples // HOP
        if frame is None:
            if now >= self._active_until:
                return
            frame = SILENT_FRAME
        else:
            self._active_until = now + MAX_DELAY_ROWS
        # Both clocks run alike, but arrive unevenly: only a real gap counts. Frames that leave as
        # a block, all at one position, follow one another.
        if now != self._played_at and abs(now - self._played.next) > UNEVEN_ROWS:
            self._played.jump(now)
        self._played_at = now
        self._played.push(frame)

    def heard(self, samples: Samples, start_samples: int) -> None:
        """Take received audio: float32 at `SPEECH_RATE`, shape (n,), at that position."""
        now = start_samples // HOP
        if now > self._active_until:
            return
        if abs(now - self._heard.next) > 2:
            self._heard.jump(now)
        self._heard.push(samples)

    def judge(self, start_samples: int, end_samples: int) -> Judgement:
        """Compare the audio between these positions with what was played."""
        first, last = start_samples // HOP, end_samples // HOP
        if last - first < LEAST_ROWS or self._active_until < first:
            return NOBODY
        heard = self._heard.read(first, last)
        return _compare(heard, self._played.read(first - MAX_DELAY_ROWS, last))


def _compare(heard: Rows, played: Rows) -> Judgement:
    """Compare two stretches; `played` begins `MAX_DELAY_ROWS` before `heard` and ends with it."""
    count = len(heard)
    x = np.maximum(heard, heard.max() - RANGE_DB)
    x = x - x.mean(axis=0)
    echo = _decaying(played, ROOM_DECAY_DB)
    echo = np.maximum(echo, echo.max() - RANGE_DB)
    echo -= echo.mean(axis=0)
    variance = _variances(echo, count)
    products = np.array([np.vdot(x, echo[at : at + count]) for at in range(MAX_DELAY_ROWS + 1)])
    norms = float(np.linalg.norm(x)) * np.sqrt(np.maximum(variance, 1.0)) + 1e-9
    alike = np.where(variance > 1.0, products / norms, -1.0)[::-1]  # by delay; −1: silence
    delay = int(np.argmax(alike))
    at = MAX_DELAY_ROWS - delay
    person = _person_rows(heard, played[at : at + count])
    return Judgement(float(alike[delay]), delay * FRAME_MS, person * FRAME_MS)


def _variances(rows: Rows, count: int) -> npt.NDArray[np.float64]:
    """Return the squared distances from its mean row, summed, of each stretch of `count` rows."""
    sums = np.cumsum(np.vstack((np.zeros(BANDS), rows)), axis=0)
    squares = np.cumsum(np.append(0.0, np.square(rows).sum(axis=1)))
    means = np.square(sums[count:] - sums[:-count]).sum(axis=1) / count
    variances: npt.NDArray[np.float64] = squares[count:] - squares[:-count] - means
    return variances


def _person_rows(heard: Rows, echo: Rows) -> int:
    """Return the number of rows in which something is louder than this echo can be."""
    strong = echo > echo.max(axis=0) - 25.0
    gain = _medians(heard - echo, strong)
    expected = _decaying(np.maximum(echo + gain, FLOOR_DB), LONGEST_DECAY_DB)
    # Where in time a row ends is known to a row only.
    expected[:-1] = np.maximum(expected[:-1], expected[1:])
    audible = heard > heard.max() - 30.0
    excess = (heard > expected + EXCESS_DB) & audible
    return int(np.count_nonzero(np.count_nonzero(excess, axis=1) >= EXCESS_BANDS))


def _medians(rows: Rows, counted: npt.NDArray[np.bool_]) -> Rows:
    """Return the median of each band over the rows that count, one at least. With numpy's nanmedian
    `_person_rows` takes four times as long.
    """
    ordered = np.sort(np.where(counted, rows, np.inf), axis=0)
    counts = np.count_nonzero(counted, axis=0)
    bands = np.arange(rows.shape[1])
    medians: Rows = (ordered[(counts - 1) // 2, bands] + ordered[counts // 2, bands]) / 2
    return medians


def _decaying(rows: Rows, fall_db: float) -> Rows:
    """Return the rows, where each band falls by no more than that from one row to the next."""
    ramp = np.arange(len(rows), dtype=np.float32)[:, None] * np.float32(fall_db)
    decaying: Rows = np.maximum.accumulate(rows + ramp, axis=0) - ramp
    return decaying
