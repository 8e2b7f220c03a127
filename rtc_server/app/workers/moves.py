"""Moves of a killed worker's sessions to other workers."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from rtc_server.app.workers.control import ChannelClosed, Fields, RequestFailed
from rtc_server.app.workers.desk import Desk
from rtc_server.app.workers.placement import Placement
from rtc_server.app.workers.records import Record, Records
from rtc_server.clock import monotonic
from rtc_server.metrics import Metrics

Request: TypeAlias = Callable[[int, str, Fields], Awaitable[Fields]]
"""Function that sends a request to one worker. Raises `ChannelClosed` or `RequestFailed`."""
ALONE_S = 2.0
"""Seconds for one move before the next one begins beside it."""

_log = logging.getLogger(__name__)


class SessionMoves:
    """Moves of sessions, and the requests for them that wait meanwhile."""

    def __init__(
        self, records: Records, desk: Desk, placement: Placement, request: Request, metrics: Metrics
    ) -> None:
        self._records, self._desk, self._placement = records, desk, placement
        self._request, self._metrics = request, metrics
        self._changed = asyncio.Event()
        self._is_stopping = False

    def notify(self) -> None:
        """Wake the moves that wait: a worker has started or ended."""
        self._changed.set()
        self._changed = asyncio.Event()

    def stop(self) -> None:
        """End all waits: the server stops."""
        self._is_stopping = True
        self.notify()

    async def move(self, records: list[Record], until_s: float, lost_s: float) -> None:
        """Move sessions to other workers, one after the other, because each is work for them.

        A slow move does not delay the rest, and a failure loses one session alone.

        `until_s`: monotonic time at which sessions without a new worker are given up; `lost_s`:
        monotonic time at which their worker ended.
        """
        async with asyncio.TaskGroup() as tasks:
            for record in records:
                moving = tasks.create_task(self._move(record, until_s, lost_s))
                await asyncio.wait([moving], timeout=ALONE_S)

    async def settled(self, session: str) -> None:
        """Wait while a session is being moved."""
        while self._is_moving(session) and not self._is_stopping:
            await self._changed.wait()

    async def _move(self, record: Record, until_s: float, lost_s: float) -> None:
        place = record.worker, record.place
        try:
            async with asyncio.timeout(until_s - monotonic()):
                await self._go_on(record, lost_s)
        except Exception as error:
            if not isinstance(error, TimeoutError | RequestFailed):
                _log.exception("A session cannot be moved.")
            if self._is_left(record, place):
                self._desk.end_place(place)
                self._records.closed(record.session)
        self.notify()

    async def _go_on(self, record: Record, lost_s: float) -> None:
        place = record.worker, record.place
        while self._is_left(record, place):
            if not self._desk.holds(place):
                self._records.closed(record.session)  # its place was given to another call
                return
            number = self._placement.least()
            if number is None:
                await self._changed.wait()
                continue
            usage = self._desk.usage(record.worker, record.place)
            with contextlib.suppress(ChannelClosed):
                await self._request(number, "take_over", {"record": record.json(lost_s), **usage})
                self._placement.moved[record.session] = number
                self._metrics.sessions_moved.inc()
                _log.info("The session %s continues in worker %d.", record.session, number)
                return
            await asyncio.sleep(0)  # that worker has just ended, too

    def _is_left(self, record: Record, place: tuple[int, int]) -> bool:
        """Return True while a session is still to be moved: no worker has opened it."""
        known = self._records.find(record.session)
        return known is record and (record.worker, record.place) == place

    def _is_moving(self, session: str) -> bool:
        record = self._records.find(session)
        return record is not None and record.worker not in self._placement.workers
