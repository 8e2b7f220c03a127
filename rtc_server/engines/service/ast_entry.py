"""One request to the translation engine, from its submission to its answer."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rtc_server.engines.base import AstRequest, AstResult
from rtc_server.engines.service.headroom import ServedRequest
from rtc_server.engines.service.waits import Wait
from rtc_server.errors import EngineError
from rtc_server.pcm import SPEECH_RATE

_COST_S = 0.5
"""Audio, in seconds, that is as much work as the rest of a request."""


@dataclass(eq=False, slots=True)
class AstEntry:
    """A segment that waits or is being translated."""

    request: AstRequest
    """Request to translate."""
    session_id: str
    """Session that it belongs to."""
    future: asyncio.Future[Any]
    """Future of the answer: an `AstResult`, or None for a partial that is not worth its time."""
    wait: Wait | None = None
    """Bounds the wait of a final; partials are replaced by newer ones instead."""

    @property
    def partial(self) -> bool:
        """True if its segment is surely open."""
        return self.request.partial

    @property
    def cost(self) -> float:
        """Amount of work: seconds of audio, and a little more."""
        return _COST_S + self.speech_s

    @property
    def speech_s(self) -> float:
        """Length of its audio."""
        return self.request.samples.size / SPEECH_RATE

    @property
    def waited_s(self) -> float:
        """Time it has been waiting."""
        return self.wait.lasted_s if self.wait is not None else 0.0

    def served(self) -> ServedRequest:
        """Return what admission is to know of it, when its turn has come."""
        return ServedRequest(self.session_id, self.waited_s, self.speech_s, self.partial)

    def done(self) -> bool:
        """Return whether nobody waits for it any more."""
        return self.future.done()

    def stop_waiting(self) -> None:
        """End the wait: it is served or dropped now."""
        if self.wait is not None:
            self.wait.end()

    def fail(self, error: EngineError) -> None:
        """Pass an error to whoever waits. That of a partial does not matter: the final will have
        its own.
        """
        self.stop_waiting()
        if self.future.done():
            return
        if self.request.partial:
            self.future.set_result(None)
        else:
            self.future.set_exception(type(error)(str(error)))  # one traceback for each waiting
            self.future.exception()  # seen: the session may be gone, which is no fault to log


def look_at(speculative: asyncio.Future[AstResult | None]) -> None:
    """A speculative translation that failed and was never committed is no fault to log."""
    if not speculative.cancelled():
        speculative.exception()


def cancel(entries: Iterable[AstEntry]) -> None:
    """Cancel entries that nobody waits for any more."""
    for entry in entries:
        entry.stop_waiting()
        entry.future.cancel()
