"""Detection of speech that we played and that came back through a loudspeaker.

Sent and received audio are compared as log energies in bands, 50 times a second. An echo is what
was played, some time later, filtered by loudspeaker and room: at one delay its bands rise and fall
together with those of the reference, whatever the gain of each band. A person who speaks over it
adds energy where the delayed reference has none; that is detected separately.

Pure: its clock is the position of the audio on the session's audio clock.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from rtc_server.audio.band_track import BANDS, FLOOR_DB, HOP, MAX_DELAY_ROWS, BandTrack, Rows
from rtc_server.pcm import FRAME_MS, PLAYOUT_RATE, SPEECH_RATE, Samples

UNEVEN_ROWS: Final = 15
"""Rows by which the clocks of received and of played audio may differ, because a WebSocket's audio
comes late and in large packets."""
LEAST_ROWS: Final = 15
"""Fewest rows that can be compared."""
RANGE_DB: Final = 40.0
"""Dynamic range: a band that is weaker than the strongest by more than this counts as silence."""
ROOM_DECAY_DB: Final = 4.0
"""Decay of a room's sound from one row to the next (300 ms to −60 dB), for the comparison."""
ALIKE: Final = 0.75
"""Correlation from which a stretch counts as echo. Echoes reached 0.81 or more in rooms of all
kinds, a person's own words 0.47 or less."""
LONGEST_DECAY_DB: Final = 1.2
"""Slowest decay of a room (a second to −60 dB), for the search for a person's speech."""
EXCESS_DB: Final = 6.0
"""Level above the loudest possible echo from which a band holds another sound."""
EXCESS_BANDS: Final = 2
"""Bands of a row that must hold another sound."""
PERSON_ROWS: Final = 4
"""Rows with another sound that are a person's speech: 80 ms."""

SILENT_FRAME: Final = np.zeros(PLAYOUT_RATE * FRAME_MS // 1000, np.float32)


@dataclass(frozen=True, slots=True)
class Judgement:
    """Similarity of a stretch of received audio to what was played."""

    alike: float
    """Highest correlation with what was played at any delay, −1 to 1."""
    delay_ms: int
    """Delay of that correlation."""
    person_ms: int
    """Time for which the stretch is louder than an echo can be."""

    @property
    def is_own_voice(self) -> bool:
        """True if the stretch is an echo, and nobody speaks over it."""
        return self.alike >= ALIKE and self.person_ms < PERSON_ROWS * FRAME_MS


NOBODY: Final = Judgement(0.0, 0, 0)


class OwnVoice:
    """Comparison of received audio with what was played in the last seconds.

    To save time, it works only until what was played can no longer come back, and analyses audio
    only while somebody speaks (`attend`).
    """

    def __init__(self) -> None:
        self._played, self._heard = BandTrack(PLAYOUT_RATE), BandTrack(SPEECH_RATE)
        self._played_at = -1
        """Row of the last frame."""
        self._active_until = -1
        """Last row in which what was played may come back."""

    def attend(self, start_samples: int) -> None:
        """Keep audio from that position on, for `judge`: somebody has begun to speak."""
        first = start_samples // HOP
        self._played.attend(first - MAX_DELAY_ROWS)
        self._heard.attend(first)

    def rest(self) -> None:
        """Stop keeping audio: nobody speaks."""
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
        # Both clocks have the same rate, but positions come unevenly, so only a larger difference
        # is a gap. Frames of a block all have one position, and follow one another.
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
    # The delay is known to one row only.
    expected[:-1] = np.maximum(expected[:-1], expected[1:])
    audible = heard > heard.max() - 30.0
    excess = (heard > expected + EXCESS_DB) & audible
    return int(np.count_nonzero(np.count_nonzero(excess, axis=1) >= EXCESS_BANDS))


def _medians(rows: Rows, counted: npt.NDArray[np.bool_]) -> Rows:
    """Return the median of each band over the rows that count, at least one. With numpy's nanmedian
    `_person_rows` would take four times as long.
    """
    ordered = np.sort(np.where(counted, rows, np.inf), axis=0)
    counts = np.count_nonzero(counted, axis=0)
    bands = np.arange(rows.shape[1])
    medians: Rows = (ordered[(counts - 1) // 2, bands] + ordered[counts // 2, bands]) / 2
    return medians


def _decaying(rows: Rows, fall_db: float) -> Rows:
    """Return the rows, raised so that no band falls by more than `fall_db` from row to row."""
    ramp = np.arange(len(rows), dtype=np.float32)[:, None] * np.float32(fall_db)
    decaying: Rows = np.maximum.accumulate(rows + ramp, axis=0) - ramp
    return decaying
