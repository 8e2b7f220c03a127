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
"""Fixed work of a request, in seconds of audio."""


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
    """Limit on the wait of a final; None for a partial, which a newer one replaces."""

    @property
    def partial(self) -> bool:
        """True for a partial: its segment is known to be open."""
        return self.request.partial

    @property
    def cost(self) -> float:
        """Amount of work: seconds of audio, and the fixed work."""
        return _COST_S + self.speech_s

    @property
    def speech_s(self) -> float:
        """Length of its audio in seconds."""
        return self.request.samples.size / SPEECH_RATE

    @property
    def waited_s(self) -> float:
        """Time it has been waiting."""
        return self.wait.lasted_s if self.wait is not None else 0.0

    def served(self) -> ServedRequest:
        """Return its record for admission, once its turn has come."""
        return ServedRequest(self.session_id, self.waited_s, self.speech_s, self.partial)

    def done(self) -> bool:
        """Return True once it is answered or cancelled."""
        return self.future.done()

    def stop_waiting(self) -> None:
        """End the wait: it is served or dropped now."""
        if self.wait is not None:
            self.wait.end()

    def fail(self, error: EngineError) -> None:
        """Set an error on the future; a partial gives None instead, for the final has its own."""
        self.stop_waiting()
        if self.future.done():
            return
        if self.request.partial:
            self.future.set_result(None)
        else:
            self.future.set_exception(
                type(error)(str(error))
            )  # a copy, so that each waiter has its own traceback
            self.future.exception()  # retrieved, so that asyncio logs nothing


def look_at(speculative: asyncio.Future[AstResult | None]) -> None:
    """Retrieve the error of a speculative translation, so that asyncio does not log it."""
    if not speculative.cancelled():
        speculative.exception()


def cancel(entries: Iterable[AstEntry]) -> None:
    """Cancel entries whose answers nothing waits for any more."""
    for entry in entries:
        entry.stop_waiting()
        entry.future.cancel()
