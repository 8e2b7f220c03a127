"""Speech at a common level, for recognisers that were trained on speech near it.

A quiet microphone and a loud one, or one with a constant offset, must not sound like different
languages. Only the gain changes, once for a whole segment: what is quiet within it stays quiet.
"""

import numpy as np

from rtc_server.pcm import SPEECH_RATE, Samples, centered

SPEECH_DBFS = -23.0
"""Level that the loud parts of speech are brought to; broadcasters aim at it, too (EBU R 128)."""
MOST_GAIN_DB = 30.0
"""Never more: what is quieter than that is noise."""
_PIECE = SPEECH_RATE // 10
_LOUDEST_PEAK = 0.98


def leveled(samples: Samples) -> Samples:
    """Return `samples` (16 kHz, shape (n,), n >= 1) without offset, speech at `SPEECH_DBFS`.

    The gain is that of the loud part (the 95th percentile of levels over 100 ms) and is held back
    where a peak would be clipped.
    """
    even = centered(samples)
    pieces = [even[at : at + _PIECE] for at in range(0, len(even), _PIECE)]
    powers = [float(np.mean(np.square(piece, dtype=np.float64))) for piece in pieces]
    level = float(np.sqrt(np.percentile(powers, 95)))
    peak = float(np.max(np.abs(even)))
    if level == 0.0:
        return even
    gain = min(10 ** (SPEECH_DBFS / 20) / level, 10 ** (MOST_GAIN_DB / 20), _LOUDEST_PEAK / peak)
    return (even * np.float32(gain)).astype(np.float32)
