"""Audio by reference: of an open segment only what is new is sent.

Each pass over a segment is about its audio from a beginning that seldom moves to an end that moves
on: 10 s asked about four times a second are 1.3 MB/s whole, and 32 kB/s as what is new. Both ends
keep the audio of each session's last call. Whoever sends looks for the kept audio in the new by
comparing samples, so that callers need not say what they share, and languages of one room, which
ask about equal audio in turn, send it once.
"""

from collections import OrderedDict

import numpy as np

from rtc_server.engines.remote.frames import MOST_FRAME_BYTES
from rtc_server.engines.remote.messages import KeptAudio
from rtc_server.errors import EngineError
from rtc_server.pcm import Samples

MOST_STREAMS = 512
"""Sessions whose audio one connection keeps; of more, that used longest ago goes."""
MOST_KEPT_BYTES = 256 * 1024 * 1024
"""Audio that a server keeps for one connection."""
MOST_KEPT_BYTES_OF_ALL = 1024 * 1024 * 1024
"""Audio that a server keeps for all connections together."""
MOST_SAMPLES = MOST_FRAME_BYTES // 2
"""Samples of one call: as many as could be sent whole, as int16. Without a bound, small frames that
continue kept audio would make calls of any length."""
_LANDMARK = 64
"""Samples that are looked for to find where a later beginning lies in what is kept."""


class AudioUnknown(EngineError):
    """The server has not kept the audio that a call continues."""


class SentAudio:
    """Sending end: the audio of each session's last call, as the server has it."""

    def __init__(self) -> None:
        self._last: OrderedDict[str, tuple[int, Samples]] = OrderedDict()
        self._newest: dict[str, str] = {}
        """Of each group that shares audio, the session that asked last."""

    def send(
        self, session: str, group: str, n: int, samples: Samples
    ) -> tuple[KeptAudio | None, Samples]:
        """Return what the server has of `samples`, and what has to be sent. Call `n` has them."""
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
        start = _place(before, samples)
        size = min(before.size - start, samples.size)
        if size <= 0 or not np.array_equal(before[start : start + size], samples[:size]):
            return None
        return KeptAudio(session, of, start, size)


class AudioBudget:
    """Bytes that the connections of a server share: of more, the audio used longest ago goes.

    Whoever continues audio that went is told so, and sends it whole.
    """

    def __init__(self) -> None:
        self._sizes: OrderedDict[tuple[ReceivedAudio, str], int] = OrderedDict()
        self._bytes = 0

    def take(self, owner: "ReceivedAudio", session: str, size: int) -> None:
        """Count the audio of a session, in bytes; its owner may be told at once to forget it."""
        self._sizes[owner, session] = size
        self._bytes += size
        while self._bytes > MOST_KEPT_BYTES_OF_ALL:
            oldest, its_session = next(iter(self._sizes))
            oldest.forget(its_session)

    def free(self, owner: "ReceivedAudio", session: str) -> None:
        """Count it no more."""
        self._bytes -= self._sizes.pop((owner, session), 0)


class ReceivedAudio:
    """Receiving end: the same, bounded in bytes."""

    def __init__(self, budget: AudioBudget) -> None:
        """`budget` is shared with other connections."""
        self._budget = budget
        self._last: OrderedDict[str, tuple[int, Samples]] = OrderedDict()
        self._bytes = 0

    def receive(self, session: str, n: int, kept: KeptAudio | None, samples: Samples) -> Samples:
        """Return the whole audio of call `n`.

        Raises:
            AudioUnknown: what it continues is not here.
            EngineError: it has more than `MOST_SAMPLES`.
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


def _place(before: Samples, samples: Samples) -> int:
    """Return where `samples` may begin in `before`: its end when nowhere."""
    landmark = samples[:_LANDMARK]
    if np.array_equal(before[: landmark.size], landmark):
        return 0
    where = before.tobytes()
    wanted, at = landmark.tobytes(), -1
    while (at := where.find(wanted, at + 1)) >= 0:
        if at % before.itemsize == 0:
            return at // before.itemsize
    return before.size
