"""One client's WebSocket as a `Transport`.

Four tasks, each with one job: `_read` receives messages, the `InboxFeed` passes them to the
session, `_write` sends, and `_watch` checks the deadlines. The shared tick takes speech from the
session.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from rtc_server.clock import Clock
from rtc_server.pcm import SPEECH_RATE, samples_to_ms
from rtc_server.standstill import standstills
from rtc_server.transport.media_scheduler import MediaScheduler
from rtc_server.transport.outbox import Outbox, Stored
from rtc_server.transport.transport_api import CloseReason, TransportObserver, TransportStats
from rtc_server.transport.websocket.feed import InboxFeed
from rtc_server.transport.websocket.forms import Form
from rtc_server.transport.websocket.inbox import Inbox
from rtc_server.transport.websocket.pcm16 import SpeechOut
from rtc_server.transport.websocket.socket_port import Control, Socket

WATCH_S: Final = 0.5
"""Interval between two checks of the deadlines."""
PINGS_PER_TIMEOUT: Final = 4
"""Pings that are sent to a silent peer until it counts as lost."""
CLOSE_S: Final = 5.0
"""Time limit for an orderly close; then the socket is aborted."""
CLOSE_SEEN_S: Final = 0.5
"""Time after a failed send in which the peer's close may still be read."""
FLUSH_S: Final = 2.0
"""Time limit for sending what is queued when we close."""

logger = logging.getLogger(__name__)


class WebSocketTransport:
    """One client's WebSocket as a `Transport`. Its tasks start at once: a loop must be running."""

    def __init__(
        self,
        socket: Socket,
        form: Form,
        observer: TransportObserver,
        *,
        dead_peer_timeout_s: float,
        clock: Clock,
        scheduler: MediaScheduler,
    ) -> None:
        """`dead_peer_timeout_s`: time without a sign of life, or in which the peer reads nothing,
        after which it counts as lost.
        """
        self._socket, self._form, self._observer = socket, form, observer
        self._timeout_s, self._clock, self._scheduler = dead_peer_timeout_s, clock, scheduler
        self._inbox = Inbox(form.sample_rate)
        self._outbox = Outbox[str | bytes]()
        self._counters = TransportStats()
        self._feed = InboxFeed(
            self._inbox,
            form.sample_rate,
            observer,
            self._call_session,
            counters=self._counters,
            clock=clock,
        )
        self._speech_out = SpeechOut(form.sample_rate)
        self._next_block = 0
        self._warned_slow = False
        self._flushing = False
        self._last_seen_s = clock()
        self._pinged_s = clock()
        self._reading = False
        self._sending_since_s: float | None = None
        self._outbox_changed = asyncio.Event()
        self._end: asyncio.Future[CloseReason] = asyncio.get_running_loop().create_future()
        self._life = asyncio.create_task(self._live(), name="WebSocket peer")

    @property
    def in_order(self) -> bool:
        """True: audio and events share one TCP connection."""
        return True

    @property
    def stats(self) -> TransportStats:
        """Counters since the start."""
        return replace(
            self._counters, messages_dropped=self._outbox.dropped, last_seen_s=self._last_seen_s
        )

    def send_message(self, text: str, *, droppable: bool = False) -> bool:
        """Queue one event; see `Transport.send_message`."""
        return not self._end.done() and self._put(text, droppable=droppable)

    async def close(self, reason: CloseReason = CloseReason.LOCAL) -> None:
        """Close the connection; see `Transport.close`."""
        self._finish(reason)
        _, pending = await asyncio.wait({self._life}, timeout=CLOSE_S)
        if pending:
            logger.error("A WebSocket did not close in time; it is being aborted")
            self._socket.abort()
            self._life.cancel()
            await asyncio.wait({self._life}, timeout=CLOSE_S)

    # ---------------------------------------------------------------- life

    async def _live(self) -> None:
        self._call_session(self._observer.on_connected)
        self._call_session(self._observer.on_channel_open)
        self._scheduler.subscribe(self._on_tick)
        writer = asyncio.create_task(self._guarded(self._write))
        others = [
            asyncio.create_task(self._guarded(work))
            for work in (self._read, self._feed.run, self._watch)
        ]
        reason = CloseReason.FAILED
        try:
            reason = await self._end
            await self._wind_down(reason, writer, others)
        except Exception:
            logger.exception("A WebSocket could not be closed")
        finally:  # whatever fails or hangs, the session gets `on_closed`
            self._feed.close()
            self._speech_out.close()
            self._call_session(lambda: self._observer.on_closed(reason))

    async def _wind_down(
        self, reason: CloseReason, writer: asyncio.Task[None], others: list[asyncio.Task[None]]
    ) -> None:
        self._scheduler.unsubscribe(self._on_tick)
        for task in others:
            task.cancel()
        await asyncio.wait(others)
        if reason is CloseReason.LOCAL:
            self._flushing = True
            self._outbox_changed.set()
            await asyncio.wait({writer}, timeout=FLUSH_S)
        writer.cancel()
        await asyncio.wait({writer})
        if reason in (CloseReason.LOCAL, CloseReason.REMOTE):
            await self._socket.close()
        else:
            self._socket.abort()

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> None:
        """Run one task; if it fails, end this connection and no other."""
        try:
            await work()
        except ConnectionError:
            await asyncio.sleep(CLOSE_SEEN_S)  # `_read` may find that the peer closed in order
            self._finish(CloseReason.PEER_LOST)
        except Exception:
            logger.exception("A WebSocket failed")
            self._finish(CloseReason.FAILED)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_S)
            now_s = self._clock()
            if self._sending_since_s is not None:
                if self._ran_s(self._sending_since_s, now_s) > self._timeout_s:
                    logger.warning("A WebSocket peer does not read; closing it")
                    self._finish(CloseReason.FAILED)
                continue
            # While the inbox is full we do not read, and cannot see a sign of life.
            silent_s = self._ran_s(self._last_seen_s, now_s) if self._reading else 0.0
            if silent_s > self._timeout_s:
                self._finish(CloseReason.PEER_LOST)
            elif min(silent_s, now_s - self._pinged_s) > self._timeout_s / PINGS_PER_TIMEOUT:
                self._pinged_s = now_s
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(WATCH_S):
                        await self._socket.ping()

    @staticmethod
    def _ran_s(since_s: float, now_s: float) -> float:
        """Return the time since `since_s`, less the times in which this process did not run."""
        return now_s - since_s - standstills().since(since_s)

    # ---------------------------------------------------------------- from the peer

    async def _read(self) -> None:
        while True:
            while self._inbox.is_full:
                await self._feed.changed()
                self._last_seen_s = self._clock()  # we did not read; the peer may have sent
            self._reading = True
            message = await self._socket.receive()
            self._reading = False
            self._last_seen_s = self._clock()
            if message in (Control.CLOSED, Control.LOST):
                in_order = message is Control.CLOSED
                self._finish(CloseReason.REMOTE if in_order else CloseReason.PEER_LOST)
                return
            read = message if isinstance(message, Control) else self._form.read(message)
            self._feed.put(read)

    # ---------------------------------------------------------------- to the peer

    def _on_tick(self, number: int, _now_s: float) -> None:
        if number >= self._next_block:
            self._call_session(lambda: self._speak(number))

    def _speak(self, number: int) -> None:
        """Send the next block of speech when its first frame is due.

        So a longer block is ahead of the clock by its length. The client can play it at once, and
        the next block always comes in time.
        """
        pcm = b""
        self._next_block = number
        for _ in range(self._form.block_frames):
            frame = self._observer.next_frame()
            self._next_block += 1
            if frame is None:
                pcm += self._speech_out.finish()
                break
            pcm += self._speech_out.push(frame)
        if pcm:
            elapsed_ms = int(samples_to_ms(self._feed.position_samples, SPEECH_RATE))
            self._counters.packets_sent += self._put(
                self._form.write(pcm, elapsed_ms), droppable=True
            )

    def _put(self, message: str | bytes, *, droppable: bool) -> bool:
        dropped = self._outbox.dropped
        stored = self._outbox.put(message, droppable=droppable)
        self._outbox_changed.set()
        if stored is Stored.OVERFLOW:
            logger.warning("A WebSocket peer does not read its events; closing it")
            self._finish(CloseReason.FAILED)
        elif self._outbox.dropped > dropped and not self._warned_slow:
            self._warned_slow = True
            self._call_session(self._observer.on_slow_reader)
        return stored is Stored.KEPT

    async def _write(self) -> None:
        while True:
            while not len(self._outbox):
                if self._flushing:
                    return
                self._warned_slow = False
                self._outbox_changed.clear()
                await self._outbox_changed.wait()
            self._sending_since_s = self._clock()
            await self._socket.send(self._outbox.take())
            self._sending_since_s = None

    # ---------------------------------------------------------------- helpers

    def _finish(self, reason: CloseReason) -> None:
        if not self._end.done():
            self._end.set_result(reason)

    def _call_session(self, call: Callable[[], None]) -> None:
        """Call the session; if that raises, end this connection and no other."""
        try:
            call()
        except Exception:
            logger.exception("A session failed to handle an event of its transport")
            self._finish(CloseReason.FAILED)
