"""Bounded wait of one request for its turn at an engine."""

import asyncio
from collections.abc import Callable

from rtc_server.engines.engine_settings import EngineSettings

_AGAIN_S = 0.5
"""Interval of looking whether a late engine has caught up."""


def now_s() -> float:
    """Return the running loop's time."""
    return asyncio.get_running_loop().time()


class Wait:
    """Wait that calls `expire` after `engine_wait_s`, or later while the engine is late."""

    def __init__(
        self, settings: EngineSettings, is_late: Callable[[], bool], expire: Callable[[], None]
    ) -> None:
        """Begin the wait. `is_late` returns true while the engine is slow or being replaced."""
        self._began_s = now_s()
        self._latest_s = self._began_s + settings.engine_wait_s + settings.engine_patience_s
        self._is_late, self._expire = is_late, expire
        self._timer = asyncio.get_running_loop().call_later(settings.engine_wait_s, self._over)

    @property
    def lasted_s(self) -> float:
        """Seconds since the wait began."""
        return now_s() - self._began_s

    def end(self) -> None:
        """End the wait without `expire`: the request is served or cancelled."""
        self._timer.cancel()

    def _over(self) -> None:
        if self._is_late() and now_s() < self._latest_s:
            self._timer = asyncio.get_running_loop().call_later(_AGAIN_S, self._over)
        else:
            self._expire()
