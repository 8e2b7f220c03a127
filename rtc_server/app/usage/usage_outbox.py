"""Bounded queue of records to one destination."""

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from rtc_server.background import beside

MOST_WAITING: Final = 10_000
"""Most records that wait; beyond it new ones are dropped."""
FIRST_RETRY_S: Final = 1.0
LONGEST_RETRY_S: Final = 60.0
LAST_TRIES_S: Final = 5.0
"""Longest wait for the last records to be delivered when the server stops."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Record in the form in which it is sent."""

    record_id: str
    """Id of the record, the same in every try."""
    body: str
    """One JSON object, without a line break."""


class DeliveryError(Exception):
    """Failure to deliver a record; the text is the reason."""


class Destination(Protocol):
    """Receiver of records."""

    name: str
    """Name of the destination in the log."""

    async def deliver(self, record: Outgoing) -> None:
        """Deliver a record. Raises `DeliveryError`."""


class UsageOutbox:
    """Bounded queue that delivers records in order, and tries each until it is delivered."""

    def __init__(self, destination: Destination, on_drop: Callable[[], None]) -> None:
        """Deliver to `destination`; call `on_drop` for each record that is dropped."""
        self._destination, self._on_drop = destination, on_drop
        self._waiting: deque[Outgoing] = deque()
        self._more = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    def put(self, record: Outgoing) -> None:
        """Queue a record, or drop it if the queue is full."""
        if len(self._waiting) >= MOST_WAITING:
            logger.error(
                "Usage dropped, too many records wait for %s: %s",
                self._destination.name,
                record.body,
            )
            self._on_drop()
            return
        self._waiting.append(record)
        self._empty.clear()
        self._more.set()

    @asynccontextmanager
    async def delivering(self) -> AsyncIterator[None]:
        """Deliver while the block runs, and up to `LAST_TRIES_S` longer."""
        async with beside(self._deliver_all(), name=f"usage to {self._destination.name}"):
            try:
                yield
            finally:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LAST_TRIES_S):
                        await self._empty.wait()
                for record in self._waiting:
                    logger.error("Not delivered to %s: %s", self._destination.name, record.body)
                    self._on_drop()

    async def _deliver_all(self) -> None:
        while True:
            while self._waiting:
                await self._deliver(self._waiting[0])
                self._waiting.popleft()
            self._empty.set()
            self._more.clear()
            await self._more.wait()

    async def _deliver(self, record: Outgoing) -> None:
        retry_s = FIRST_RETRY_S
        while True:
            try:
                return await self._destination.deliver(record)
            except DeliveryError as error:
                logger.warning(
                    "Usage not delivered to %s (%s), %d wait; trying again in %.0f s",
                    self._destination.name, error, len(self._waiting), retry_s,
                )  # fmt: skip
            await asyncio.sleep(retry_s)
            retry_s = min(LONGEST_RETRY_S, 2 * retry_s)
