"""Lagging of committed captions: LAAL and YAAL, with and without the time that computing takes.

LAAL is computed here by its published formula (Papi et al., 2022, "Over-Generation Cannot Be
Rewarded"), YAAL by OmniSTEval where that is installed (the dependency group `bench`). Both look at
each sentence by itself. *Unaware* delays count the audio that had been heard when a word was
committed, *aware* ones the time at which it reached the client; what lies between is computing and
network.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from statistics import fmean
from typing import Any

try:
    from omnisteval.data import Instance
    from omnisteval.scoring import YAALScorer
except ImportError:
    YAALScorer = None


@dataclass(frozen=True, slots=True)
class Emission:
    """A word of the translation, and when it was committed; from the beginning of the talk."""

    word: str
    unaware_ms: float
    """Audio that had been received by then."""
    aware_ms: float
    """Time on the client's clock."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of the talk and its translation."""

    start_ms: float
    """Start in the talk."""
    length_ms: float
    """Time that it takes to be said."""
    reference: tuple[str, ...]
    """The words that are right."""
    emissions: tuple[Emission, ...]
    """The words that came, in order."""

    def delays_ms(self, *, aware: bool) -> list[float]:
        """Return when its words came, from its own beginning."""
        times = (each.aware_ms if aware else each.unaware_ms for each in self.emissions)
        return [at_ms - self.start_ms for at_ms in times]


@dataclass(frozen=True, slots=True)
class Lagging:
    """Means over sentences, in milliseconds; YAAL is None without OmniSTEval."""

    laal_ms: float
    laal_aware_ms: float
    yaal_ms: float | None
    yaal_aware_ms: float | None

    @classmethod
    def of(cls, sentences: Sequence[Sentence], talk_ms: float) -> "Lagging":
        """Return that of a talk which is `talk_ms` long."""
        unaware, aware = (
            fmean(
                laal(each.delays_ms(aware=aware), each.length_ms, len(each.reference))
                for each in sentences
            )
            for aware in (False, True)
        )
        return cls(unaware, aware, *_yaal(sentences, talk_ms))


def laal(delays_ms: Sequence[float], length_ms: float, reference_words: int) -> float:
    """Return the length-adaptive average lagging of one sentence.

    The mean of each word's delay behind an ideal translator, who spreads the words evenly over the
    sentence, up to the first word that comes when the sentence is over.
    """
    if delays_ms[0] > length_ms:
        return delays_ms[0]
    ideal_ms = length_ms / max(len(delays_ms), reference_words)
    lags = []
    for index, delay_ms in enumerate(delays_ms):
        lags.append(delay_ms - index * ideal_ms)
        if delay_ms >= length_ms:
            break
    return fmean(lags)


def render_lagging(lagging: Lagging | None) -> str:
    """Return two columns of a table, each unaware and aware of computing, in seconds."""
    each = astuple(lagging) if lagging else (None,) * 4
    columns = ["–" if ms is None else f"{ms / 1000:.2f}" for ms in each]
    return f"{columns[0]}, {columns[1]} | {columns[2]}, {columns[3]}"


def _yaal(sentences: Sequence[Sentence], talk_ms: float) -> tuple[float | None, float | None]:
    """Return the YAAL of a long talk, unaware and aware of computing."""
    if YAALScorer is None:
        return None, None
    instances = [
        Instance(
            prediction=" ".join(emission.word for emission in each.emissions),
            reference=" ".join(each.reference),
            source_length=each.length_ms,
            emission_cu=each.delays_ms(aware=False),
            emission_ca=each.delays_ms(aware=True),
            time_to_recording_end=talk_ms - each.start_ms,
            longform=True,
        )
        for each in sentences
    ]
    scorers = (YAALScorer(computation_aware=aware, is_longform=True) for aware in (False, True))
    unaware, aware = (float(scorer(instances)) for scorer in scorers)
    return unaware, aware


def emissions(
    events: Sequence[dict[str, Any]], at_s: Sequence[float], began_s: float
) -> list[Emission]:
    """Return the words of the translation as `x.segment` events commit them, in order.

    Args:
        events: all that the server said.
        at_s: when each came.
        began_s: when the first audio was sent, on the same clock.
    """
    by_segment: dict[str, list[Emission]] = {}
    heard_ms = 0.0
    for event, came_s in zip(events, at_s, strict=True):
        if event["type"] != "x.segment":
            continue
        # A segment that was cut says where it ends: more audio had been received by then.
        heard_ms = max(heard_ms, event["source"]["end_ms"])
        target = event["target"]
        stable = target["text"] if event["final"] else target["text"][: target["stable_chars"]]
        known = by_segment.setdefault(event["segment_id"], [])
        known += [
            Emission(word, heard_ms, (came_s - began_s) * 1000)
            for word in stable.split()[len(known) :]
        ]
    return [emission for known in by_segment.values() for emission in known]
