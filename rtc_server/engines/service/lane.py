"""One of several processes of an engine: its current call, and its rest from partials."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rtc_server.engines.service.ast_entry import AstEntry
from rtc_server.engines.service.brake import PartialsBrake


@dataclass(eq=False, slots=True)
class Lane:
    """State of one process, and of those that replace it after a crash."""

    number: int
    """Number among the processes, from 0."""
    running: list[AstEntry] = field(default_factory=list)
    """Entries of the current call."""
    brake: PartialsBrake = field(default_factory=PartialsBrake)
    """Rest from partials; each process leaves half of its own time to finals."""
    _alarm: asyncio.TimerHandle | None = None

    def serves(self, future: asyncio.Future[Any]) -> bool:
        """Return True if the current call will answer `future`."""
        return not future.done() and any(entry.future is future for entry in self.running)

    def wake_after(self, rest_s: float, wake: Callable[[], None]) -> None:
        """Call `wake` after `rest_s`, in place of an earlier alarm."""
        self.stop_alarm()
        self._alarm = asyncio.get_running_loop().call_later(rest_s, wake)

    def stop_alarm(self) -> None:
        """Cancel the alarm."""
        if self._alarm is not None:
            self._alarm.cancel()
