"""Metrics of all workers as one exposition. Works on Prometheus text, line by line.

Counters and histograms are added up, those of workers that are gone included, so that none goes
back. Gauges are added up over living workers, but for the few that say one thing of the whole.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

SUPERVISORS = frozenset({"rtc_ready"})
"""Gauges that only the supervisor sets."""
LEAST = frozenset({"rtc_retry_after_seconds", "rtc_engine_server_up"})
"""Gauges of which the least counts: a call goes where it can, and an engine server that one worker
has lost is lost to its sessions. A sum would be 0 only once all workers have lost it.
"""


@dataclass(slots=True)
class _Exposition:
    """Parsed text: values by series, and comment lines by family."""

    values: dict[str, float] = field(default_factory=dict)
    comments: dict[str, list[str]] = field(default_factory=dict)
    families: dict[str, str] = field(default_factory=dict)
    """Family of each series."""
    kinds: dict[str, str] = field(default_factory=dict)
    """Kind of each family: counter, gauge, histogram."""


def _parse(text: str) -> _Exposition:
    found = _Exposition()
    family = ""
    for line in text.splitlines():
        if line.startswith("#"):
            _, word, family, rest = line.split(" ", 3)
            found.comments.setdefault(family, []).append(line)
            if word == "TYPE":
                found.kinds[family] = rest
        elif line:
            series, _, value = line.rpartition(" ")
            found.values[series] = float(value)
            found.families[series] = family
    return found


@dataclass(slots=True)
class Totals:
    """Last expositions of living processes, and the sums of those that are gone. The engines' has
    the number 0.
    """

    _living: dict[int, _Exposition] = field(default_factory=dict)
    _ended: _Exposition = field(default_factory=_Exposition)

    def take(self, worker: int, text: str) -> None:
        """Keep a worker's exposition."""
        self._living[worker] = _parse(text)

    def end(self, worker: int) -> None:
        """Keep what a worker that is gone has counted."""
        gone = self._living.pop(worker, None)
        if gone is None:
            return
        for series, value in gone.values.items():
            family = gone.families[series]
            if gone.kinds.get(family) != "gauge":
                self._ended.values[series] = self._ended.values.get(series, 0.0) + value
                self._ended.families[series] = family
                self._ended.kinds[family] = gone.kinds[family]
                self._ended.comments[family] = gone.comments[family]

    def exposition(self, own: str) -> str:
        """Return the text of all; `own` is the supervisor's."""
        supervisor = _parse(own)
        parts = [supervisor, self._ended, *self._living.values()]
        lines: list[str] = []
        for family, comments in _merged(part.comments for part in parts).items():
            lines += comments
            taken = [supervisor] if family in SUPERVISORS else parts
            if family in LEAST:
                taken = [each for number, each in self._living.items() if number] or [supervisor]
            series = dict.fromkeys(
                each for part in taken for each, of in part.families.items() if of == family
            )
            add = min if family in LEAST or family.endswith("_created") else sum
            lines += [f"{each} {_number(_values(each, taken, add))}" for each in series]
        return "\n".join(lines) + "\n"


def _values(
    series: str, parts: Iterable[_Exposition], add: Callable[[list[float]], float]
) -> float:
    return add([part.values[series] for part in parts if series in part.values])


def _merged(comments: Iterable[dict[str, list[str]]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in comments:
        for family, lines in each.items():
            found.setdefault(family, lines)
    return found


def _number(value: float) -> str:
    return repr(float(value))
