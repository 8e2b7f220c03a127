"""Look-ups of host names, one at a time and shared by all callers.

A look-up takes a thread of the loop's default pool and cannot be ended. Where DNS hangs, a new one
for every call would soon occupy all of them, and other work that needs a thread would wait.
"""

import asyncio
import socket
from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from aiohttp.abc import AbstractResolver, ResolveResult

PATIENCE_S = 1.0
"""Seconds that a look-up may take before the latest answer is used instead."""

BeginLookup: TypeAlias = Callable[[str], "asyncio.Future[list[str]]"]
"""Function that begins a look-up of a name. Its result is IP addresses, or an `OSError`."""


class SharedLookups(AbstractResolver):
    """Resolver for aiohttp. Used by one event loop.

    Callers that ask for a name which is being looked up wait for the same answer; other names are
    looked up after it. The latest answer is valid until there is a newer one.
    """

    def __init__(self, begin: BeginLookup | None = None) -> None:
        self._begin = begin or _begin
        self._asked: dict[str, asyncio.Future[list[str]]] = {}
        """Names without an answer yet; the first is being looked up."""
        self._last: dict[str, list[str]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a name. Raises the look-up's error, usually `OSError`."""
        return [
            ResolveResult(
                hostname=host,
                host=ip,
                port=port,
                family=socket.AF_INET6 if ":" in ip else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for ip in await self._addresses(host)
        ]

    async def close(self) -> None:
        """Do nothing: look-ups are shared."""

    async def _addresses(self, host: str) -> list[str]:
        if host not in self._asked:
            self._asked[host] = asyncio.get_running_loop().create_future()
            if len(self._asked) == 1:
                self._next()
        asked, last = self._asked[host], self._last.get(host)
        # Not awaited itself, nor by `wait_for`: a caller that is cancelled must not cancel it.
        await asyncio.wait([asked], timeout=PATIENCE_S if last else None)
        if last and (not asked.done() or asked.exception() is not None):
            return last
        return asked.result()

    def _next(self) -> None:
        host = next(iter(self._asked))
        self._begin(host).add_done_callback(partial(self._answered, host))

    def _answered(self, host: str, found: "asyncio.Future[list[str]]") -> None:
        asked = self._asked.pop(host)
        error = OSError("look-up cancelled") if found.cancelled() else found.exception()
        if error is not None:
            asked.set_exception(error)
            asked.exception()  # retrieved: perhaps no caller waits any more
        else:
            self._last[host] = found.result()
            asked.set_result(found.result())
        if self._asked:
            self._next()


def _begin(host: str) -> "asyncio.Future[list[str]]":
    return asyncio.get_running_loop().run_in_executor(None, _look_up, host)


def _look_up(host: str) -> list[str]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return list(dict.fromkeys(str(each[4][0]) for each in found))
