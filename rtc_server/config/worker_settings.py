"""Workers: how many media processes."""

import os
from dataclasses import dataclass

from rtc_server.errors import ConfigError
from rtc_server.options import option

AUTO = "auto"
MOST_WORKERS = 256


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """Worker settings: media processes behind one port."""

    workers: str = option(
        "1",
        "number of media processes; each serves as many sessions as one core can (Linux only). "
        "auto takes the cores less one, which engines and the port need",
        number_too=True,
    )

    def __post_init__(self) -> None:
        if self.workers != AUTO and not (
            self.workers.isdecimal() and 1 <= int(self.workers) <= MOST_WORKERS
        ):
            raise ConfigError(
                f"--workers must be a number from 1 to {MOST_WORKERS}, or {AUTO}, not "
                f"{self.workers!a}."
            )

    def count(self) -> int:
        """Return how many there are."""
        if self.workers != AUTO:
            return int(self.workers)
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
        return max(1, cores - 1)
