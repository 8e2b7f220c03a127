"""Hears for all sessions at once: what came in is judged together, when the beat is over.

The voice activity detector costs half as much when it takes the windows of a dozen streams at a
time, and nothing that is sent at the beat has to wait for it.
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
"""Below so many sessions each is heard at once, as their packets are read as they come."""
AT_ONCE: Final = 20
"""Of a crowd so many are heard together; then timers and packets may have their turn."""


class Hearer(Protocol):
    """One that has joined the ears."""

    @property
    def listener(self) -> Listener:
        """What finds speech in its stream."""

    def heard(self, pcm: Pcm, events: list[ListenerEvent]) -> None:
        """What became of audio that was given to `Ears.hear`."""

    def hearing_failed(self) -> None:
        """Its listener, or `heard`, raised; what else it was to hear is lost."""


class Ears:
    """Keeps what each session was sent since the last beat, in order, and no longer than that.

    Whoever changes something that depends on what has been heard calls `catch_up` first.
    """

    def __init__(self) -> None:
        self._members: set[Hearer] = set()
        self._waiting: dict[Hearer, list[Pcm]] = {}
        self._expected = False
        """The end of a beat was asked for."""

    def join(self, hearer: Hearer) -> None:
        """It will have something to hear."""
        self._members.add(hearer)

    def leave(self, hearer: Hearer) -> None:
        """It hears nothing any more, what waits included. Harmless when it has not joined."""
        self._members.discard(hearer)
        self._waiting.pop(hearer, None)

    def hear(self, hearer: Hearer, pcm: Pcm) -> None:
        """Have that heard, now or after the beat."""
        self._waiting.setdefault(hearer, []).append(pcm)
        if len(self._members) < FEW:
            self.catch_up()
        elif not self._expected:
            self._expected = True
            shared_tick().after(self._beat_is_over)

    def catch_up(self) -> None:
        """Have all heard that waits."""
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
        """Have those heard who wait longest, so many of them."""
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
