"""Push-to-talk of one session, and the audio that still belongs to it after a release."""

import asyncio

from rtc_server.interpreter.audio_input import AudioInput
from rtc_server.interpreter.release import NO_TAIL, UNKNOWN_TAIL, Tail

STOPPED_S = 0.2
"""Lateness from which audio does not come any more: a client may stop sending when
it has released."""


class PushToTalk:
    """Passes presses and releases on. A release waits for its tail by the clock of the audio; the
    event loop's says when there is none."""

    def __init__(self, audio: AudioInput) -> None:
        self._audio = audio
        self._waiting: asyncio.TimerHandle | None = None

    def press(self) -> None:
        """Begin: the button went down."""
        self.close()
        self._audio.start_input()

    def release(self, tail_ms: int | None, *, in_order: bool) -> None:
        """End: the button was let go.

        Args:
            tail_ms: what the client says is on its way.
            in_order: no audio is on its way as far as the transport knows.
        """
        self.close()
        if tail_ms is not None:
            tail = Tail(tail_ms, tail_ms)
        else:
            tail = NO_TAIL if in_order else UNKNOWN_TAIL
        self._audio.commit_input(tail)
        if tail.most_ms:
            wait_s = tail.most_ms / 1000 + STOPPED_S
            self._waiting = asyncio.get_running_loop().call_later(wait_s, self._audio.finish_input)

    def close(self) -> None:
        """Stop waiting."""
        if self._waiting is not None:
            self._waiting.cancel()
