"""Tempo of speech that is already synthesized and waits to be played."""

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from rtc_server.audio.playout import Playout
from rtc_server.audio.time_stretch import TimeStretch
from rtc_server.interpreter.backlog import Backlog
from rtc_server.interpreter.segment_output import Saying
from rtc_server.pcm import PLAYOUT_RATE, ms_to_samples, samples_to_ms

PIECE_SAMPLES = ms_to_samples(25, PLAYOUT_RATE)
"""Speech that is shortened in one step, in less than 1 ms (`bench.time_stretch`). Between two steps
the event loop serves other sessions."""


@dataclass(slots=True)
class _Sentence:
    """A sentence that waits, as far as it is synthesized. All of it has one tempo."""

    tempo: float
    sayings: list[Saying] = field(default_factory=list)
    samples: int = 0

    @property
    def length_ms(self) -> float:
        return samples_to_ms(self.samples, PLAYOUT_RATE)


class QueuedSpeech:
    """Waiting speech of one session, which is made faster when more has come after it."""

    def __init__(self, playout: Playout, backlog: Backlog) -> None:
        self._playout, self._backlog = playout, backlog

    async def catch_up(self, sayings: Iterable[Saying]) -> None:
        """Raise the tempo of whole sentences that have not begun to play.

        Works in small steps between which other tasks run. Nothing may be synthesized meanwhile.

        Args:
            sayings: texts that are not yet played to their end, in order.
        """
        synthesized = [each for each in sayings if each.delays.synthesized_s is not None]
        before, sentences = self._waiting(synthesized)
        if not sentences:
            return
        lengths_ms = [each.length_ms for each in sentences]
        ahead_ms = self._playout.queue_ms - sum(lengths_ms)
        tempos = [each.tempo for each in sentences]
        raised = self._backlog.raised(before, tempos, lengths_ms, ahead_ms)
        for sentence, tempo in zip(sentences, raised, strict=True):
            if tempo > sentence.tempo and not await self._raise(sentence, tempo):
                return  # the sentences after it would be more than one step faster
        if raised[-1] > tempos[-1]:
            self._backlog.follow(raised[-1])

    def _waiting(self, sayings: Sequence[Saying]) -> tuple[float, list[_Sentence]]:
        """Return the sentences that have not begun to play, and the tempo of the one before."""
        before, sentences = 1.0, list[_Sentence]()
        for saying in sayings:
            samples = self._playout.unstarted_samples(saying.key)
            if not samples or not (sentences or saying.begins_sentence):
                before, sentences = saying.tempo, []
                continue
            # A clause with another tempo belongs to a sentence whose first clause failed.
            if saying.begins_sentence or saying.tempo != sentences[-1].tempo:
                sentences.append(_Sentence(saying.tempo))
            sentences[-1].sayings.append(saying)
            sentences[-1].samples += samples
        return before, sentences

    def _is_waiting(self, sentence: _Sentence) -> bool:
        return all(self._playout.unstarted_samples(each.key) for each in sentence.sayings)

    async def _raise(self, sentence: _Sentence, tempo: float) -> bool:
        """Shorten a sentence. Return False if it began to play, or was dropped, meanwhile."""
        if not self._is_waiting(sentence):
            return False
        stretch = TimeStretch(tempo / sentence.tempo)
        shorter = []
        for saying in sentence.sayings:
            speech, parts = self._playout.unstarted(saying.key), []
            for start in range(0, speech.size, PIECE_SAMPLES):
                parts.append(stretch.push(speech[start : start + PIECE_SAMPLES]))
                await asyncio.sleep(0)
                if not self._is_waiting(sentence):
                    return False
            shorter.append(np.concatenate([*parts, stretch.flush()]))
        for saying, samples in zip(sentence.sayings, shorter, strict=True):
            self._playout.replace(saying.key, samples)
            saying.tempo = tempo
            # A segment reports the tempo of its newest clause.
            if saying.number == saying.output.sayings - 1 or not saying.is_clause:
                saying.output.tempo = tempo
        return True
