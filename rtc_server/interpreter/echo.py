"""Our own speech, heard through the speaker's microphone."""

from collections.abc import Callable

from rtc_server.audio.own_voice import OwnVoice
from rtc_server.clock import Clock
from rtc_server.events.server import ServerEvent, WarningEvent
from rtc_server.pcm import Pcm, Samples

OWN_VOICE_WARNING_S = 300.0
"""A client that hears our speech is told so no more often than this."""


class EchoGuard:
    """Tells speech of a person from our own, which came back; says "a person" when it is off."""

    def __init__(self, emit: Callable[[ServerEvent], None], clock: Clock, *, on: bool) -> None:
        self._own_voice = OwnVoice() if on else None
        self._emit, self._clock = emit, clock
        self._warned_s: float | None = None

    def heard(self, pcm: Pcm) -> None:
        """This came from the microphone."""
        if self._own_voice is not None:
            self._own_voice.heard(pcm.samples, pcm.start_samples)

    def played(self, frame: Samples | None, position_samples: int) -> None:
        """This was played when the microphone had come to that position."""
        if self._own_voice is not None:
            self._own_voice.played(frame, position_samples)

    def attend(self, start_samples: int) -> None:
        """Judgement may be asked of what was heard from there on."""
        if self._own_voice is not None:
            self._own_voice.attend(start_samples)

    def rest(self) -> None:
        """Nothing will be asked of what was heard until now."""
        if self._own_voice is not None:
            self._own_voice.rest()

    def is_own_voice(self, start_samples: int, end_samples: int) -> bool:
        """Whether that stretch is nothing but our own speech."""
        guard = self._own_voice
        return guard is not None and guard.judge(start_samples, end_samples).is_own_voice

    def warn(self) -> None:
        """Tell the client, now and then."""
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
