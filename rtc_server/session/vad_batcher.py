"""Voice activity detection of all sessions together, after the tick that received the audio.

The voice activity detector costs half as much when it takes the windows of a dozen streams at a
time, and nothing that is sent at the tick has to wait for it.
"""

import asyncio
import logging
from collections.abc import Generator
from typing import Final, Protocol

from rtc_server.audio.vad import probabilities
from rtc_server.interpreter.segments import SegmenterEvent
from rtc_server.interpreter.speech_segmenter import SpeechSegmenter
from rtc_server.pcm import Pcm, Samples
from rtc_server.transport.media.tick import shared_tick

logger = logging.getLogger(__name__)

FEW: Final = 6
"""Number of sessions below which audio is detected at once, as packets are read as they come."""
AT_ONCE: Final = 20
"""Sessions detected in one call at most; then timers and packets may have their turn."""


class VadClient(Protocol):
    """Session whose audio is detected here."""

    @property
    def segmenter(self) -> SpeechSegmenter:
        """Segmenter of its stream."""

    def detected(self, pcm: Pcm, events: list[SegmenterEvent]) -> None:
        """Take what was detected in audio that was given to `VadBatcher.detect`."""

    def detection_failed(self) -> None:
        """Report that its segmenter, or `detected`, raised; its other audio is lost."""


class VadBatcher:
    """Queue of each session's audio since the last tick, in order, and no longer than that.

    Whoever changes something that depends on what was detected calls `catch_up` first.
    """

    def __init__(self) -> None:
        self._members: set[VadClient] = set()
        self._waiting: dict[VadClient, list[Pcm]] = {}
        self._expected = False
        """True once the end of a tick was asked for."""

    def join(self, client: VadClient) -> None:
        """Add a session; it will bring audio."""
        self._members.add(client)

    def leave(self, client: VadClient) -> None:
        """Remove a session and its audio that waits. Idempotent."""
        self._members.discard(client)
        self._waiting.pop(client, None)

    def detect(self, client: VadClient, pcm: Pcm) -> None:
        """Detect speech in that audio, now or after the tick."""
        self._waiting.setdefault(client, []).append(pcm)
        if len(self._members) < FEW:
            self.catch_up()
        elif not self._expected:
            self._expected = True
            shared_tick().after(self._tick_is_over)

    def catch_up(self) -> None:
        """Detect speech in all audio that waits."""
        self._detect(len(self._waiting))

    def _tick_is_over(self) -> None:
        self._expected = False
        if len(self._waiting) > AT_ONCE:
            asyncio.get_running_loop().call_soon(self._detect_crowd)
        else:
            self.catch_up()

    def _detect_crowd(self) -> None:
        self._detect(AT_ONCE)
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._detect_crowd)

    def _detect(self, count: int) -> None:
        """Detect speech in the audio of the `count` sessions that wait longest."""
        now = list(self._waiting)[:count]
        asking = [(client, _detection(client, self._waiting.pop(client))) for client in now]
        answers: list[float | None] = [None] * len(asking)
        while asking:
            asked, windows = [], []
            for (client, detection), answer in zip(asking, answers, strict=True):
                try:
                    windows.append(detection.send(answer))
                except StopIteration:
                    continue
                except Exception:  # one session's fault must not silence the others
                    logger.exception("Speech detection failed in a session")
                    client.detection_failed()
                    continue
                asked.append((client, detection))
            asking = asked
            answers = list(probabilities([client.segmenter.vad for client, _ in asked], windows))


def _detection(client: VadClient, pcms: list[Pcm]) -> Generator[Samples, float | None, None]:
    for pcm in pcms:
        events = yield from client.segmenter.windows(pcm)
        client.detected(pcm, events)
