"""Voice activity detection of all sessions together, after the tick that received the audio.

The voice activity detector costs half as much when it takes the windows of a dozen streams at a
time, and nothing that is sent at the tick has to wait for it.
"""

import asyncio
import logging
from collections.abc import Generator
from typing import Final

from rtc_server.audio.vad import probabilities
from rtc_server.interpreter.audio_input import DetectionClient
from rtc_server.interpreter.speech_segmenter import SpeechSegmenter
from rtc_server.pcm import Pcm, Samples
from rtc_server.transport.media_scheduler import MediaScheduler

logger = logging.getLogger(__name__)

FEW: Final = 6
"""Number of sessions below which audio is detected at once, as packets are read as they come."""
AT_ONCE: Final = 20
"""Sessions detected in one call at most; then timers and packets may have their turn."""


class VadBatcher:
    """Queue of each stream's audio since the last tick, in order, and no longer than that."""

    def __init__(self, scheduler: MediaScheduler) -> None:
        self._scheduler = scheduler
        self._members: set[VadPlace] = set()
        self._waiting: dict[VadPlace, list[Pcm]] = {}
        self._expected = False
        """True once the end of a tick was asked for."""

    def place(self, segmenter: SpeechSegmenter) -> "VadPlace":
        """Return a place for a stream; it counts once somebody has joined it."""
        return VadPlace(self, segmenter)

    def join(self, place: "VadPlace") -> None:
        """Count a stream; it will bring audio."""
        self._members.add(place)

    def leave(self, place: "VadPlace") -> None:
        """Drop a stream and its audio that waits. Idempotent."""
        self._members.discard(place)
        self._waiting.pop(place, None)

    def defers(self, place: "VadPlace", pcm: Pcm) -> bool:
        """Keep audio until after the tick; False when so few bring some that nothing is gained."""
        if len(self._members) < FEW:
            self.catch_up(place)  # it may have waited while there were more
            return False
        self._waiting.setdefault(place, []).append(pcm)
        if not self._expected:
            self._expected = True
            self._scheduler.after(self._tick_is_over)
        return True

    def catch_up(self, place: "VadPlace") -> None:
        """Detect speech in what waits of a stream, together with what waits of the others: a batch
        costs less than its parts.
        """
        if place in self._waiting:
            self._detect_all()

    def _detect_all(self) -> None:
        self._detect(len(self._waiting))

    def _tick_is_over(self) -> None:
        self._expected = False
        if len(self._waiting) > AT_ONCE:
            asyncio.get_running_loop().call_soon(self._detect_crowd)
        else:
            self._detect_all()

    def _detect_crowd(self) -> None:
        self._detect(AT_ONCE)
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._detect_crowd)

    def _detect(self, count: int) -> None:
        """Detect speech in the audio of the `count` streams that wait longest."""
        now = list(self._waiting)[:count]
        asking = [(place, place.detection(self._waiting.pop(place))) for place in now]
        answers: list[float | None] = [None] * len(asking)
        while asking:
            asked, windows = [], []
            for (place, detection), answer in zip(asking, answers, strict=True):
                try:
                    windows.append(detection.send(answer))
                except StopIteration:
                    continue
                except Exception:  # one session's fault must not silence the others
                    logger.exception("Speech detection failed in a session")
                    place.failed()
                    continue
                asked.append((place, detection))
            asking = asked
            answers = list(probabilities([place.vad for place, _ in asked], windows))


class VadPlace:
    """Place of one stream in a batcher; implements `DetectionPlace`."""

    def __init__(self, batcher: VadBatcher, segmenter: SpeechSegmenter) -> None:
        self._batcher, self._segmenter = batcher, segmenter
        self._client: DetectionClient | None = None
        self.vad = segmenter.vad
        """Detector of the stream."""

    def join(self, client: DetectionClient) -> None:
        """See `DetectionPlace.join`."""
        self._client = client
        self._batcher.join(self)

    def leave(self) -> None:
        """See `DetectionPlace.leave`."""
        self._batcher.leave(self)

    def defers(self, pcm: Pcm) -> bool:
        """See `DetectionPlace.defers`."""
        return self._batcher.defers(self, pcm)

    def catch_up(self) -> None:
        """See `DetectionPlace.catch_up`."""
        self._batcher.catch_up(self)

    def detection(self, pcms: list[Pcm]) -> Generator[Samples, float | None, None]:
        """Yield each window to be judged; its probability is sent back."""
        assert self._client is not None, "audio before anybody has joined"
        for pcm in pcms:
            events = yield from self._segmenter.windows(pcm)
            self._client.detected(pcm, events)

    def failed(self) -> None:
        """Report that detection failed."""
        if self._client is not None:
            self._client.detection_failed()
