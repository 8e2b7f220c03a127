"""Audio by reference: only the new part of an open segment's audio is sent.

Each pass takes a segment's audio from a beginning that seldom moves to an end that advances: four
passes a second over 10 s are 1.3 MB/s as a whole, and 32 kB/s without the part already sent. Both
ends keep the audio of each session's last call. The sender compares samples to find the kept audio
in the new: callers need not say what they share, and the languages of a room, which pass on equal
audio in turn, send it once.
"""

from collections import OrderedDict
from collections.abc import Iterator

import numpy as np

from rtc_server.engines.remote.frames import MOST_FRAME_BYTES
from rtc_server.engines.remote.messages import KeptAudio
from rtc_server.errors import EngineError
from rtc_server.pcm import Samples

MOST_STREAMS = 512
"""Sessions whose audio one connection keeps; beyond it the least recently used is dropped."""
MOST_KEPT_BYTES = 256 * 1024 * 1024
"""Bytes of audio that a server keeps for one connection."""
MOST_KEPT_BYTES_OF_ALL = 1024 * 1024 * 1024
"""Bytes of audio that a server keeps for all connections together."""
MOST_SAMPLES = MOST_FRAME_BYTES // 2
"""Samples of one call: as many as could be sent whole, as int16. Without a bound, small frames that
continue kept audio would make calls of any length."""
_LANDMARK = 64
"""Number of first samples that are searched for in the kept audio, to find a later beginning."""


class AudioUnknown(EngineError):
    """The server has not kept the audio that a call continues."""


class SentAudio:
    """Sending end: the audio of each session's last call, as the server has it."""

    def __init__(self) -> None:
        self._last: OrderedDict[str, tuple[int, Samples]] = OrderedDict()
        self._newest: dict[str, str] = {}
        """Session that made the latest call of each group that shares audio."""

    def send(
        self, session: str, group: str, n: int, samples: Samples
    ) -> tuple[KeptAudio | None, Samples]:
        """Return the part of `samples` that the server has, and the rest to send in call `n`."""
        kept = self._kept(session, samples)
        if kept is None and (other := self._newest.get(group, session)) != session:
            kept = self._kept(other, samples)
        self._last[session] = (n, samples)
        self._last.move_to_end(session)
        if group != session:
            self._newest[group] = session
        if len(self._last) > MOST_STREAMS:
            self.forget(next(iter(self._last)))
        return kept, samples if kept is None else samples[kept.size :]

    def forget(self, session: str) -> None:
        """Drop a session's audio: nothing follows what was sent."""
        self._last.pop(session, None)
        self._newest = {group: last for group, last in self._newest.items() if last != session}

    def _kept(self, session: str, samples: Samples) -> KeptAudio | None:
        if session not in self._last:
            return None
        of, before = self._last[session]
        for start in _places(before, samples):
            size = min(before.size - start, samples.size)
            if size and np.array_equal(before[start : start + size], samples[:size]):
                return KeptAudio(session, of, start, size)
        return None


class AudioBudget:
    """Bound on the bytes that all connections of a server keep; the least recently used audio is
    dropped.

    A call that continues dropped audio fails with `AudioUnknown`, and is sent again whole.
    """

    def __init__(self) -> None:
        self._sizes: OrderedDict[tuple[ReceivedAudio, str], int] = OrderedDict()
        self._bytes = 0

    def take(self, owner: "ReceivedAudio", session: str, size: int) -> None:
        """Count `size` bytes of a session. Its `owner` may have to forget them at once."""
        self._sizes[owner, session] = size
        self._bytes += size
        while self._bytes > MOST_KEPT_BYTES_OF_ALL:
            oldest, its_session = next(iter(self._sizes))
            oldest.forget(its_session)

    def free(self, owner: "ReceivedAudio", session: str) -> None:
        """Stop counting the audio of a session."""
        self._bytes -= self._sizes.pop((owner, session), 0)


class ReceivedAudio:
    """Receiving end: the audio of each session's last call, bounded in bytes."""

    def __init__(self, budget: AudioBudget) -> None:
        """Keep audio within `budget`, which all connections share."""
        self._budget = budget
        self._last: OrderedDict[str, tuple[int, Samples]] = OrderedDict()
        self._bytes = 0

    def receive(self, session: str, n: int, kept: KeptAudio | None, samples: Samples) -> Samples:
        """Return the whole audio of call `n`.

        Raises:
            AudioUnknown: the audio that it continues is not kept.
            EngineError: the whole has more than `MOST_SAMPLES`.
        """
        if kept is not None:
            of, before = self._last.get(kept.session, (0, samples[:0]))
            if of != kept.of or kept.start + kept.size > before.size or not kept.size:
                raise AudioUnknown("The audio that this continues is not here.")
            if kept.size + samples.size > MOST_SAMPLES:
                raise EngineError("A segment is too long for an engine server.")
            samples = np.concatenate((before[kept.start : kept.start + kept.size], samples))
        self.forget(session)
        self._last[session] = (n, samples)
        self._bytes += samples.nbytes
        self._budget.take(self, session, samples.nbytes)
        while len(self._last) > MOST_STREAMS or self._bytes > MOST_KEPT_BYTES:
            self.forget(next(iter(self._last)))
        return samples

    def forget(self, session: str) -> None:
        """Drop a session's audio."""
        _, samples = self._last.pop(session, (0, None))
        self._bytes -= 0 if samples is None else samples.nbytes
        self._budget.free(self, session)


def _places(before: Samples, samples: Samples) -> Iterator[int]:
    """Yield the positions in `before` at which `samples` may begin: usually the first."""
    yield 0
    where, wanted, at = before.tobytes(), samples[:_LANDMARK].tobytes(), 0
    while (at := where.find(wanted, at + 1)) >= 0:
        if at % before.itemsize == 0:
            yield at // before.itemsize
            return
