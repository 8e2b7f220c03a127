"""Endpointing: start and end of speech, and the best place to cut a segment that is too long."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rtc_server.pcm import SPEECH_RATE, Samples, ms_to_samples

HYSTERESIS = 0.15
"""Difference to the threshold by which the probability may fall while speech goes on, as in
Silero's own code."""

MAX_BACKDATE_SAMPLES = ms_to_samples(128, SPEECH_RATE)
"""Limit on how far before the VAD's last speech window the end of speech may be. Silero lags by 60
to 130 ms; a higher limit would split sentences in noise, where weak sounds are not audible
(`bench/vad.py`)."""

ONSET_GAP_SAMPLES = ms_to_samples(100, SPEECH_RATE)
"""Pause after which the count towards `min_speech_samples` starts again."""


class Window(NamedTuple):
    """Features of one VAD window."""

    start_samples: int
    """Position of its first sample."""
    end_samples: int
    """Position after its last sample."""
    probability: float
    """Probability of speech, in [0, 1]."""
    audible_end_samples: int | None
    """End of the last sound in it that is louder than the background; None without any."""
    level_db: float
    """Mean power in dB, where full scale is 0."""
    concealed: bool
    """True if more than half of it was invented by loss concealment."""


class Background:
    """Estimate of the background's level, and detector of louder sounds."""

    _PARTS = 4
    _STANDS_OUT_DB = 4.0
    _QUIETEST_DB = -69.0
    """Lowest level of the background: a muted microphone sends digital silence, against which any
    sound would be audible."""
    _RISE_DB_PER_S = 3.0
    """Rate at which the level rises: slow, so that a sentence does not become background. It falls
    at once."""

    def __init__(self) -> None:
        self._floor_db = 0.0

    def measure(self, window: Samples) -> tuple[float, int | None]:
        """Return the level of the window in dB (full scale is 0), and the end of audible sound.

        The end is in samples from the window's start; None when nothing is audible.
        """
        parts = window.reshape(self._PARTS, -1)
        size = parts.shape[1]
        # Four numbers: plain Python is faster with them than numpy.
        powers = [s / size + 1e-10 for s in np.vecdot(parts, parts).tolist()]
        level_db = 10.0 * math.log10(sum(powers) / self._PARTS)
        rise_db = self._RISE_DB_PER_S * window.size / SPEECH_RATE
        self._floor_db = max(min(level_db, self._floor_db + rise_db), self._QUIETEST_DB)
        loud = 10.0 ** ((self._floor_db + self._STANDS_OUT_DB) / 10.0)
        audible = [part for part, power in enumerate(powers, 1) if power > loud]
        return level_db, audible[-1] * size if audible else None


class Endpointer:
    """Hysteresis over speech probabilities: begins at the threshold, ends after the hangover.

    A VAD still reports speech for a while after the sound has ended. So the hangover counts from
    the last audible sample, at most `MAX_BACKDATE_SAMPLES` before the last window with speech; but
    speech never ends while the VAD reports it. In noise no sound is audible above the background,
    and that limit applies.
    """

    def __init__(self, *, threshold: float, hangover_samples: int, min_speech_samples: int) -> None:
        self.threshold = threshold
        """Probability at which speech begins."""
        self.hangover_samples = hangover_samples
        """Silence that ends speech, in samples."""
        self._min_speech_samples = min_speech_samples
        self.reset()

    def reset(self) -> None:
        """Return to silence, as at the start."""
        self.in_speech = False
        """True while someone speaks, including pauses shorter than the hangover."""
        self.onset_samples: int | None = None
        """Start of speech, or of sound that may become speech; None in silence."""
        self.voice_end_samples = 0
        """End of the last window with speech, by the VAD."""
        self.speech_end_samples = 0
        """End of the last audible speech; at or before `voice_end_samples`."""
        self._voiced_samples = 0
        self.extended_hangover_samples = 0
        """Silence that ends speech in the present pause, if that is more than the hangover."""

    def is_extended(self, now_samples: int) -> bool:
        """Return whether only the extended hangover keeps speech from ending."""
        return self.in_speech and now_samples - self.speech_end_samples >= self.hangover_samples

    def begins(self, window: Window) -> bool:
        """Return whether this window can begin speech. Concealed sound never does."""
        return window.probability >= self.threshold and not window.concealed

    def step(self, window: Window) -> None:
        """Take the next window."""
        if not self.in_speech:
            self._step_in_silence(window)
        elif window.probability >= max(self.threshold - HYSTERESIS, 0.01):
            self._mark_voice(window)
        elif window.end_samples - self.speech_end_samples >= max(
            self.hangover_samples, self.extended_hangover_samples
        ):
            self.in_speech = False
            self.onset_samples = None

    def _step_in_silence(self, window: Window) -> None:
        if self.begins(window):
            if self.onset_samples is None:
                self.onset_samples = window.start_samples
                self.speech_end_samples = window.end_samples
                self._voiced_samples = 0
            self._mark_voice(window)
            self._voiced_samples += window.end_samples - window.start_samples
            self.in_speech = self._voiced_samples >= self._min_speech_samples
        elif window.end_samples - self.voice_end_samples > ONSET_GAP_SAMPLES:
            self.onset_samples = None

    def _mark_voice(self, window: Window) -> None:
        self.extended_hangover_samples = 0
        self.voice_end_samples = window.end_samples
        self.speech_end_samples = max(
            self.speech_end_samples,
            window.audible_end_samples or 0,
            window.end_samples - MAX_BACKDATE_SAMPLES,
        )


def quietest(windows: Sequence[Window]) -> Window:
    """Return the best window for a cut: that with the least sum of speech probability and level
    (60 dB count as much as a probability of 1); of several the latest.

    Each window is averaged with its neighbours, so that a pause between words is preferred to the
    short silence inside a consonant.
    """

    def cost(index: int) -> tuple[float, int]:
        near = windows[max(index - 1, 0) : index + 2]
        speech = sum(w.probability for w in near) / len(near)
        level = sum(w.level_db for w in near) / len(near)
        return speech + level / 60.0, -index

    return windows[min(range(len(windows)), key=cost)]
