"""Detection of speech that we played and that came back through a loudspeaker.

Both ends are followed as log energies in bands, 50 times a second. What comes back is what was
played, some time later, coloured by loudspeaker and room: its bands rise and fall together with
those of the reference at one delay, whatever the gain of each band. A person who speaks over it
adds energy where the delayed reference has none, and that is looked for separately.

Pure: fed audio with its positions on the session's audio clock, asks no clock.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from rtc_server.audio.band_track import BANDS, FLOOR_DB, HOP, MAX_DELAY_ROWS, BandTrack, Rows
from rtc_server.pcm import FRAME_MS, PLAYOUT_RATE, SPEECH_RATE, Samples

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


@dataclass(frozen=True, slots=True)
class Judgement:
    """Similarity of a stretch of received audio to what was played."""

    alike: float
    """Correlation with what was played, −1 to 1, at the delay where it is highest."""
    delay_ms: int
    """Delay at which it is highest."""
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
        self._played, self._heard = BandTrack(PLAYOUT_RATE), BandTrack(SPEECH_RATE)
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

    def received(self, samples: Samples, start_samples: int) -> None:
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
