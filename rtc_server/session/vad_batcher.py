"""Voice activity detection of all sessions together, after the tick that received the audio.

With the windows of a dozen streams in one call, detection takes half as long, and nothing that is
sent at the tick has to wait for it.
"""

import asyncio
import logging
from collections.abc import Generator
from typing import Final

from rtc_server.audio.vad import probabilities
from rtc_server.interpreter.audio_input import DetectionObserver
from rtc_server.interpreter.speech_segmenter import SpeechSegmenter
from rtc_server.pcm import Pcm, Samples
from rtc_server.transport.media_scheduler import MediaScheduler

logger = logging.getLogger(__name__)

FEW: Final = 6
"""Sessions below which audio is processed as it comes (packets are read as they come then, too)."""
AT_ONCE: Final = 20
"""Most sessions in one call; timers and packets have their turn before the next call."""


class VadBatcher:
    """Queues of the streams' audio since the last tick, which is processed in one call after it."""

    def __init__(self, scheduler: MediaScheduler) -> None:
        self._scheduler = scheduler
        self._members: set[VadClient] = set()
        self._waiting: dict[VadClient, list[Pcm]] = {}
        self._expected = False
        """True while `_tick_is_over` is scheduled."""

    def client(self, segmenter: SpeechSegmenter) -> "VadClient":
        """Return the client of a stream, which must join."""
        return VadClient(self, segmenter)

    def join(self, client: "VadClient") -> None:
        """Add a stream."""
        self._members.add(client)

    def leave(self, client: "VadClient") -> None:
        """Remove a stream, and drop its audio that waits. Idempotent."""
        self._members.discard(client)
        self._waiting.pop(client, None)

    def defers(self, client: "VadClient", pcm: Pcm) -> bool:
        """Keep audio until after the tick and return True; return False if there are fewer than
        `FEW` streams.
        """
        if len(self._members) < FEW:
            self.catch_up(client)  # audio may wait from a time with more streams
            return False
        self._waiting.setdefault(client, []).append(pcm)
        if not self._expected:
            self._expected = True
            self._scheduler.after(self._tick_is_over)
        return True

    def catch_up(self, client: "VadClient") -> None:
        """Detect speech in the waiting audio of a stream, and of all others with it, because one
        call is faster than several.
        """
        if client in self._waiting:
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
        """Detect speech in the audio of the `count` streams that have waited longest."""
        now = list(self._waiting)[:count]
        asking = [(client, client.detection(self._waiting.pop(client))) for client in now]
        answers: list[float | None] = [None] * len(asking)
        while asking:
            asked, windows = [], []
            for (client, detection), answer in zip(asking, answers, strict=True):
                try:
                    windows.append(detection.send(answer))
                except StopIteration:
                    continue
                except Exception:  # one session's bug must not stop the others
                    logger.exception("Speech detection failed in a session")
                    client.failed()
                    continue
                asked.append((client, detection))
            asking = asked
            answers = list(probabilities([client.vad for client, _ in asked], windows))


class VadClient:
    """Client of a batcher for one stream; implements `SharedDetection`."""

    def __init__(self, batcher: VadBatcher, segmenter: SpeechSegmenter) -> None:
        self._batcher, self._segmenter = batcher, segmenter
        self._observer: DetectionObserver | None = None
        self.vad = segmenter.vad
        """Detector of the stream."""

    def join(self, observer: DetectionObserver) -> None:
        """See `SharedDetection.join`."""
        self._observer = observer
        self._batcher.join(self)

    def leave(self) -> None:
        """See `SharedDetection.leave`."""
        self._batcher.leave(self)

    def defers(self, pcm: Pcm) -> bool:
        """See `SharedDetection.defers`."""
        return self._batcher.defers(self, pcm)

    def catch_up(self) -> None:
        """See `SharedDetection.catch_up`."""
        self._batcher.catch_up(self)

    def detection(self, pcms: list[Pcm]) -> Generator[Samples, float | None, None]:
        """Yield each window of the audio, and receive its probability."""
        assert self._observer is not None, "audio before anybody has joined"
        for pcm in pcms:
            events = yield from self._segmenter.windows(pcm)
            self._observer.detected(pcm, events)

    def failed(self) -> None:
        """Report that detection failed."""
        if self._observer is not None:
            self._observer.detection_failed()
