"""List of the replicas' addresses, as the answer to a directory's HTTP request."""

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from rtc_server.clock import monotonic
from rtc_server.engines.ray.replica import ReplicaState

KEPT_S = 1.0
"""Age up to which a list is given again: each media process sends requests, and each one goes to
all replicas."""

AskReplicas = Callable[[], Awaitable[Sequence[ReplicaState | BaseException]]]
"""Returns the answer of each replica, or the error instead, in bounded time. Raises if none can be
reached."""

_log = logging.getLogger(__name__)


class ReplicaList:
    """Newest list of a deployment's replicas, for whoever shows the token."""

    def __init__(self, ask: AskReplicas, *, deployment: str, token: str, certified: str) -> None:
        """`certified`: name in the replicas' certificate, if it is not their address."""
        self._ask, self._token = ask, token.encode()
        self._deployment, self._certified = deployment, certified
        self._states: list[ReplicaState] | None = None
        self._asked_s = 0.0
        self._lock = asyncio.Lock()

    async def answer(self, authorization: str) -> tuple[int, dict[str, Any]]:
        """Return HTTP status and body. 503: the replicas cannot be reached; their state is
        unknown.
        """
        given = authorization.removeprefix("Bearer ").strip()
        if not hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self._token):
            return 401, {"error": "Send the engine token."}
        states = await self._newest()
        if states is None:
            return 503, {"error": "The replicas cannot be asked now."}
        certified = {"certified": self._certified} if self._certified else {}
        servers = [
            {"address": each["address"], **certified} for each in states if not each["is_draining"]
        ]
        return 200, {"deployment": self._deployment, "servers": servers}

    async def _newest(self) -> list[ReplicaState] | None:
        async with self._lock:
            if self._states is None or monotonic() - self._asked_s > KEPT_S:
                self._states = await self._asked()
                self._asked_s = monotonic()
            return self._states

    async def _asked(self) -> list[ReplicaState] | None:
        try:
            answers = await self._ask()
        except Exception as error:
            _log.warning("The replicas cannot be asked (%s).", type(error).__name__)
            return None
        found = [each for each in answers if not isinstance(each, BaseException)]
        # Replicas that do not answer, all of them, are rather parted from us than gone.
        return None if answers and not found else found
