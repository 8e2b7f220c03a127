"""Speech translation: segments of all sessions in, batches through the engine, texts out.

With `--ast-processes` several processes take batches from one queue, each when it is free.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable
from functools import partial
from typing import cast

from rtc_server.background import result_of
from rtc_server.clock import Clock, monotonic
from rtc_server.engines.base import AstCapabilities, AstRequest, AstResult, EngineOptions
from rtc_server.engines.batcher import AstQueue
from rtc_server.engines.blame import Blame
from rtc_server.engines.engine_settings import EngineSettings
from rtc_server.engines.host import EngineHost, start_all
from rtc_server.engines.process import EngineProcess
from rtc_server.engines.service.ast_entry import AstEntry, cancel, look_at
from rtc_server.engines.service.ast_rules import batch_limits, check_request, count_not_understood
from rtc_server.engines.service.first_call import time_calls, translate_noise, warn_if_slow
from rtc_server.engines.service.headroom import Headroom
from rtc_server.engines.service.lane import Lane
from rtc_server.engines.service.pace import ServicePace
from rtc_server.engines.service.waits import Wait, now_s
from rtc_server.errors import (
    EngineCrashed,
    EngineError,
    EngineOverloaded,
    EngineTimeout,
    SessionRefused,
)
from rtc_server.metrics import Metrics

_log = logging.getLogger(__name__)

_CRASH_COST_S = 60.0
"""Work of restarting an engine, in seconds of audio."""


class AstService:
    """Translation engine, shared by all sessions."""

    capabilities: AstCapabilities
    """Capabilities of the engine; set after `start`."""

    def __init__(
        self,
        name: str,
        options: EngineOptions,
        settings: EngineSettings,
        metrics: Metrics,
        clock: Clock = monotonic,
    ) -> None:
        self._name = name
        self._settings = settings
        self._metrics = metrics
        self._clock = clock
        self._queue = AstQueue[AstEntry](settings.ast_queue)
        self._retries: deque[AstEntry] = deque()
        """Segments of batches that failed as a whole; each is tried once more, alone."""
        self._blame = Blame()
        self._pace = ServicePace(settings.engine_wait_s)
        self._headroom = Headroom(settings.engine_answer_s, settings.ast_processes)
        self._lanes = [Lane(number) for number in range(settings.ast_processes)]
        self._hosts = [
            EngineHost(
                kind="ast",
                name=name,
                options=options,
                start_s=settings.engine_start_s,
                memory_mb=settings.engine_memory_mb,
                metrics=metrics,
                serve=partial(self._serve_next, lane),
            )
            for lane in self._lanes
        ]

    @property
    def ready(self) -> bool:
        """False before `start` and while no process of the engine can work."""
        return any(host.ready for host in self._hosts)

    @property
    def retry_after_s(self) -> int:
        """Whole seconds until another session can be carried; 0 for at once."""
        waits_s = [entry.waited_s for entry in self._queue.finals.oldest()]
        oldest_s = max([self._pace.late_s(now_s()), *waits_s])
        return self._headroom.retry_after_s(len(self._queue.finals), oldest_s, now_s())

    async def start(self) -> None:
        """Load the engine and warm it up.

        Raises:
            EngineUnavailable: it cannot be used here; the text says why.
        """
        self.capabilities = await start_all(self._hosts, AstCapabilities, self._try_out)
        warn_if_slow(self._name, self._headroom)

    def submit(self, request: AstRequest, *, session_id: str) -> asyncio.Future[AstResult]:
        """Queue a whole segment. Cancelling the future takes it out again.

        The future raises `EngineCrashed`, `EngineTimeout` (too long in the queue included),
        `EngineOverloaded` (it made room for a session with less waiting) or `EngineError`; it is
        cancelled by `forget` and `close`.

        Raises:
            EngineOverloaded: the queue is full, and no session has more waiting than this one.
            EngineError: the engine has no such pair, or the segment is too long for it.
        """
        entry = self._entry(request, session_id)
        gone, partials = self._queue.add_final(entry)
        if gone is not None:
            self._metrics.queue_drops.labels(queue="ast").inc()
            overloaded = EngineOverloaded("Translation cannot keep up; this sentence was skipped.")
            if gone is entry:
                raise overloaded
            gone.fail(overloaded)
        self._drop_partials(partials)
        entry.wait = self._wait(entry)
        self._wake()
        return entry.future

    def submit_partial(
        self, request: AstRequest, *, session_id: str
    ) -> asyncio.Future[AstResult | None]:
        """Queue the beginning of a segment, in place of the session's older one.

        The future gives None if the partial was dropped: a newer one or a final came, the queue
        was full, or the engine failed.

        Raises:
            EngineError: the engine has no such pair or no partials, or the audio is too long.
        """
        entry = self._entry(request, session_id)
        self._drop_partials(self._queue.add_partial(entry))
        self._wake()
        return entry.future

    def submit_speculative(
        self, request: AstRequest, *, session_id: str
    ) -> asyncio.Future[AstResult | None]:
        """Queue a segment that may be over, with the priority of a partial: it delays no final.

        The future gives None if the request was dropped, and raises if the engine failed. Pass it
        to `commit` once the segment is over, or cancel it when speech goes on.
        """
        entry = self._entry(request, session_id)
        entry.future.add_done_callback(look_at)
        self._drop_partials(self._queue.add_partial(entry))
        self._wake()
        return entry.future

    def commit(
        self,
        request: AstRequest,
        speculative: asyncio.Future[AstResult | None],
        *,
        session_id: str,
    ) -> asyncio.Future[AstResult]:
        """Queue as `submit`, using the answer to `speculative` if it came or is being made.

        Raises:
            EngineOverloaded: the speculative request still waited, and the queue of finals is full.
        """
        if result_of(speculative) or any(lane.serves(speculative) for lane in self._lanes):
            return cast("asyncio.Future[AstResult]", speculative)
        speculative.cancel()
        return self.submit(request, session_id=session_id)

    async def _try_out(self, process: EngineProcess) -> None:
        call = partial(translate_noise, process, self._settings)
        await time_calls(self._headroom, call, self._clock)

    def _wake(self) -> None:
        for host in self._hosts:
            host.wake()

    def expect(self, session_id: str) -> None:
        """Count the future load of a session that was just admitted."""
        self._headroom.expect(session_id, now_s())

    def forget(self, session_id: str) -> None:
        """Cancel the waiting requests of a session that is over."""
        cancel(self._queue.forget(session_id))
        cancel(entry for entry in self._retries if entry.session_id == session_id)
        self._blame.forget(session_id)
        self._headroom.forget(session_id)

    async def close(self) -> None:
        """Cancel everything and end the engine's processes. Idempotent."""
        for lane in self._lanes:
            lane.stop_alarm()
        cancel(self._queue.clear())
        cancel(self._retries)
        await asyncio.gather(*(host.close() for host in self._hosts))

    def _entry(self, request: AstRequest, session_id: str) -> AstEntry:
        """Return the entry of a request. Raises as `submit` for one that cannot be served."""
        check_request(request, self._name, self.capabilities)
        refused_s = self._blame.refused_s(session_id, now_s())
        if refused_s:
            raise SessionRefused.translation(refused_s)
        return AstEntry(request, session_id, asyncio.get_running_loop().create_future())

    def _drop_partials(self, dropped: Iterable[AstEntry]) -> None:
        for entry in dropped:
            self._metrics.queue_drops.labels(queue="ast_partials").inc()
            if not entry.future.done():
                entry.future.set_result(None)

    def _expire(self, entry: AstEntry) -> None:
        if self._queue.finals.remove(entry) or entry in self._retries:
            self._metrics.queue_drops.labels(queue="ast").inc()
            entry.fail(
                EngineTimeout(
                    f"Engine {self._name} did not get to this segment within "
                    f"{entry.waited_s:.1f} s."
                )
            )

    async def _serve_next(self, lane: Lane, process: EngineProcess) -> bool:
        batch = self._next_batch(lane)
        if not batch:
            return False
        served, completed = [entry.served() for entry in batch], False
        for entry in batch:
            entry.stop_waiting()
        lane.running = batch
        requests = [entry.request for entry in batch]
        self._metrics.engine_batch_size.labels(kind="ast").observe(len(batch))
        started = self._clock()
        limits = batch_limits(requests, self._settings, self.capabilities)
        self._pace.begin(limits, now_s(), lane.number)
        try:
            results = await process.translate(requests, limits)
        except EngineError as exc:
            _log.warning("A batch of %d failed: %s", len(batch), exc.detail or exc)
            self._failed(batch, exc)
        except asyncio.CancelledError:
            cancel(batch)
            raise
        else:
            completed = True
            self._blame.answered(entry.session_id for entry in batch)
            for entry, result in zip(batch, results, strict=True):
                if not entry.future.done():
                    entry.future.set_result(result)
                    count_not_understood(entry.request, result, self._metrics)
        finally:
            lane.running = []
            ended = self._clock()
            self._pace.end(now_s(), lane.number)
            most = self.capabilities.max_batch
            self._headroom.add(served, ended - started, most, now_s(), completed=completed)
            if any(entry.partial for entry in batch):
                lane.brake.served(ended - started, ended)
        self._metrics.engine_seconds.labels(kind="ast").observe(ended - started)
        return True

    def _next_batch(self, lane: Lane) -> list[AstEntry]:
        while self._retries:
            entry = self._retries.popleft()
            if not entry.done():
                return [entry]
        most = 1 if self._blame.alone(now_s()) else self.capabilities.max_batch
        rest_s = lane.brake.rest_s(self._clock())
        batch = self._queue.take(most, now_s(), resting=rest_s > 0)
        if rest_s and self._queue and not batch:
            lane.wake_after(rest_s, self._hosts[lane.number].wake)
        return batch

    def _failed(self, batch: list[AstEntry], error: EngineError) -> None:
        """Retry a failed batch one by one, so that a request that is at fault fails alone."""
        if isinstance(error, EngineCrashed | EngineTimeout):
            self._blame.crashed((entry.session_id for entry in batch), now_s())
            if len(batch) == 1:  # so the others go first, while a new engine is there
                self._queue.finals.charge(batch[0].session_id, _CRASH_COST_S, now_s())
        for entry in batch:
            if len(batch) == 1 or entry.wait is None:  # a partial, or begun early: no loss
                entry.fail(error)
            else:
                entry.wait = self._wait(entry)
                self._retries.append(entry)
        for session_id in {entry.session_id for entry in batch}:
            if refused_s := self._blame.refused_s(session_id, now_s()):
                again = [entry for entry in self._retries if entry.session_id == session_id]
                for entry in self._queue.forget(session_id) + again:
                    entry.fail(SessionRefused.translation(refused_s))

    def _is_late(self) -> bool:
        return self._pace.is_slow(now_s()) or not self.ready

    def _wait(self, entry: AstEntry) -> Wait:
        return Wait(self._settings, self._is_late, lambda: self._expire(entry))
