"""Attribution of an engine's crashes to a session's requests: a plain object fed time.

A batch is many sessions' work, and one of them may be what kills the engine. After such a crash all
of them are suspects, and while there are suspects every request goes alone: who is answered is
cleared, and who crashes an engine alone twice is refused for a while. An engine that dies of
something else (no memory, an operator) costs nobody more than a few calls without company.
"""

from collections.abc import Iterable

CRASHES = 2
"""Engines that a session may crash, alone, before it is refused."""
REFUSED_S = 300.0
"""Time for which such a session is refused, and for which a crash is remembered."""
_SUSPECTED_S = 30.0
"""Time for which a session may be suspected without asking for anything."""


class Blame:
    """Suspects of one engine and its successors."""

    def __init__(self) -> None:
        self._suspects: dict[str, float] = {}  # session, suspected until
        self._crashes: dict[str, list[float]] = {}  # session, when it crashed an engine alone

    def alone(self, now_s: float) -> bool:
        """Return whether requests must go one by one."""
        self._suspects = {each: end for each, end in self._suspects.items() if end > now_s}
        return bool(self._suspects)

    def crashed(self, sessions: Iterable[str], now_s: float) -> None:
        """Note that an engine died of a call for these sessions."""
        together = set(sessions)
        for session_id in together:
            self._suspects[session_id] = now_s + _SUSPECTED_S
        if len(together) == 1:
            [session_id] = together
            self._crashes[session_id] = [*self._recent(session_id, now_s), now_s]

    def answered(self, sessions: Iterable[str]) -> None:
        """Note that an engine survived a call for these sessions."""
        for session_id in sessions:
            self._suspects.pop(session_id, None)

    def refused_s(self, session_id: str, now_s: float) -> float:
        """Return how long a session is still refused; 0 for one that is not."""
        crashes = self._recent(session_id, now_s)
        return crashes[-1] + REFUSED_S - now_s if len(crashes) >= CRASHES else 0.0

    def forget(self, session_id: str) -> None:
        """Drop a session that is over."""
        self._suspects.pop(session_id, None)
        self._crashes.pop(session_id, None)

    def _recent(self, session_id: str, now_s: float) -> list[float]:
        return [at for at in self._crashes.get(session_id, ()) if at > now_s - REFUSED_S]
