"""Voice activity detection of all sessions together, after the tick that received the audio.

The voice activity detector costs half as much when it takes the windows of a dozen streams at a
time, and nothing that is sent at the tick has to wait for it.
"""

import asyncio
import logging
from collections.abc import Generator
from typing import Final, Protocol

from rtc_server.audio.vad import probabilities
from rtc_server.interpreter.listener import Listener, ListenerEvent
from rtc_server.pcm import Pcm, Samples
from rtc_server.transport.media.tick import shared_tick

logger = logging.getLogger(__name__)

FEW: Final = 6
"""Number of sessions below which audio is detected at once, as packets are read as they come."""
AT_ONCE: Final = 20
"""Sessions detected in one call at most; then timers and packets may have their turn."""


class Hearer(Protocol):
    """Session whose audio is detected here."""

    @property
    def listener(self) -> Listener:
        """Segmenter of its stream."""

    def heard(self, pcm: Pcm, events: list[ListenerEvent]) -> None:
        """Take what was detected in audio that was given to `Ears.hear`."""

    def hearing_failed(self) -> None:
        """Report that its listener, or `heard`, raised; its other audio is lost."""


class Ears:
    """Queue of each session's audio since the last tick, in order, and no longer than that.

    Whoever changes something that depends on what has been heard calls `catch_up` first.
    """

    def __init__(self) -> None:
        self._members: set[Hearer] = set()
        self._waiting: dict[Hearer, list[Pcm]] = {}
        self._expected = False
        """True once the end of a tick was asked for."""

    def join(self, hearer: Hearer) -> None:
        """Add a session; it will bring audio."""
        self._members.add(hearer)

    def leave(self, hearer: Hearer) -> None:
        """Remove a session and its audio that waits. Idempotent."""
        self._members.discard(hearer)
        self._waiting.pop(hearer, None)

    def hear(self, hearer: Hearer, pcm: Pcm) -> None:
        """Detect speech in that audio, now or after the tick."""
        self._waiting.setdefault(hearer, []).append(pcm)
        if len(self._members) < FEW:
            self.catch_up()
        elif not self._expected:
            self._expected = True
            shared_tick().after(self._beat_is_over)

    def catch_up(self) -> None:
        """Detect speech in all audio that waits."""
        self._hear(len(self._waiting))

    def _beat_is_over(self) -> None:
        self._expected = False
        if len(self._waiting) > AT_ONCE:
            asyncio.get_running_loop().call_soon(self._hear_crowd)
        else:
            self.catch_up()

    def _hear_crowd(self) -> None:
        self._hear(AT_ONCE)
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._hear_crowd)

    def _hear(self, count: int) -> None:
        """Detect speech in the audio of the `count` sessions that wait longest."""
        now = list(self._waiting)[:count]
        asking = [(hearer, _hearing(hearer, self._waiting.pop(hearer))) for hearer in now]
        answers: list[float | None] = [None] * len(asking)
        while asking:
            asked, windows = [], []
            for (hearer, hearing), answer in zip(asking, answers, strict=True):
                try:
                    windows.append(hearing.send(answer))
                except StopIteration:
                    continue
                except Exception:  # one session's fault must not silence the others
                    logger.exception("A session failed to hear what it was sent")
                    hearer.hearing_failed()
                    continue
                asked.append((hearer, hearing))
            asking = asked
            answers = list(probabilities([hearer.listener.vad for hearer, _ in asked], windows))


def _hearing(hearer: Hearer, pcms: list[Pcm]) -> Generator[Samples, float | None, None]:
    for pcm in pcms:
        events = yield from hearer.listener.hearing(pcm)
        hearer.heard(pcm, events)
