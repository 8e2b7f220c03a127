"""Tail of push-to-talk: audio from before the release that arrives after it. Pure.

The event of the release arrives before the audio, which is delayed by microphone, encoder and
jitter buffer. A segment that ended with the event would lose its last word.
"""

from dataclasses import dataclass

from rtc_server.pcm import SPEECH_RATE, ms_to_samples


@dataclass(frozen=True, slots=True)
class Tail:
    """Length of the audio after a release that still belongs to the segment."""

    least_ms: int
    """Audio before the end of which a pause does not end the segment."""
    most_ms: int
    """Audio after which the segment ends, even in the middle of speech."""


NO_TAIL = Tail(0, 0)
"""Tail of clients whose audio and events arrive in order (WebSocket)."""
UNKNOWN_TAIL = Tail(100, 300)
"""Tail of clients that report no delay: 100 ms from any microphone, 300 ms from slow ones."""


class Release:
    """Release of push-to-talk that waits for the rest of its audio."""

    def __init__(self, at_samples: int, tail: Tail) -> None:
        """`at_samples`: position of the audio when the release arrived."""
        self._least_samples = at_samples + ms_to_samples(tail.least_ms, SPEECH_RATE)
        self._most_samples = at_samples + ms_to_samples(tail.most_ms, SPEECH_RATE)
        self.is_followed = False
        """True if another press of the button waits for its end."""

    def is_due(self, now_samples: int, *, is_pause: bool) -> bool:
        """Return whether the segment ends now. `is_pause`: True if speech has just paused."""
        least = self._least_samples if is_pause else self._most_samples
        return now_samples >= least
