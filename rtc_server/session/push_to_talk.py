"""Push-to-talk of one session: presses, releases, and the wait for a release's tail."""

import asyncio

from rtc_server.interpreter.audio_input import AudioInput
from rtc_server.interpreter.release import NO_TAIL, UNKNOWN_TAIL, Tail

STOPPED_S = 0.2
"""Time after the end of the tail, at which no more audio is expected: a client may stop sending
after a release."""


class PushToTalk:
    """Push-to-talk of one session. The segmenter waits for a release's tail by the audio's clock; a
    timer ends that wait if no audio comes."""

    def __init__(self, audio: AudioInput) -> None:
        self._audio = audio
        self._waiting: asyncio.TimerHandle | None = None

    def press(self) -> None:
        """Handle a press of the button."""
        self.close()
        self._audio.start_input()

    def release(self, tail_ms: int | None, *, in_order: bool) -> None:
        """Handle a release of the button.

        Args:
            tail_ms: audio that is still on its way, by the client; None if it does not say.
            in_order: True if the transport delivers audio before later events.
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
        """Stop the timer."""
        if self._waiting is not None:
            self._waiting.cancel()
