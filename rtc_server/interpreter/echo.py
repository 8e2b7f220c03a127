"""Own-voice guard of one stream: recognises our speech in the speaker's microphone."""

from collections.abc import Callable

from rtc_server.audio.own_voice import OwnVoice
from rtc_server.clock import Clock
from rtc_server.events.server import ServerEvent, WarningEvent
from rtc_server.pcm import Pcm, Samples

OWN_VOICE_WARNING_S = 300.0
"""Interval between two warnings to a client that sends our speech back."""


class EchoGuard:
    """Guard that distinguishes a person's speech from our own; switched off, it finds none."""

    def __init__(self, *, on: bool) -> None:
        self._own_voice = OwnVoice() if on else None

    def received(self, pcm: Pcm) -> None:
        """Take audio from the microphone."""
        if self._own_voice is not None:
            self._own_voice.received(pcm.samples, pcm.start_samples)

    def played(self, frame: Samples | None, position_samples: int) -> None:
        """Take a frame that was sent when received audio had reached `position_samples`."""
        if self._own_voice is not None:
            self._own_voice.played(frame, position_samples)

    def attend(self, start_samples: int) -> None:
        """Keep audio from that position on, for `is_own_voice`."""
        if self._own_voice is not None:
            self._own_voice.attend(start_samples)

    def rest(self) -> None:
        """Stop keeping audio: `is_own_voice` will not be called for what has come."""
        if self._own_voice is not None:
            self._own_voice.rest()

    def is_own_voice(self, start_samples: int, end_samples: int) -> bool:
        """Return whether the audio between these positions is nothing but our own speech."""
        guard = self._own_voice
        return guard is not None and guard.judge(start_samples, end_samples).is_own_voice


class OwnVoiceNotice:
    """Warning to a client that sends our speech back, at most every `OWN_VOICE_WARNING_S`."""

    def __init__(self, emit: Callable[[ServerEvent], None], clock: Clock) -> None:
        self._emit, self._clock = emit, clock
        self._warned_s: float | None = None

    def warn(self) -> None:
        """Warn the client, unless it was warned recently."""
        now_s = self._clock()
        if self._warned_s is not None and now_s - self._warned_s <= OWN_VOICE_WARNING_S:
            return
        self._warned_s = now_s
        self._emit(
            WarningEvent(
                "own_voice",
                "The microphone hears the translation. Use headphones, or turn it down.",
            )
        )
