"""Connection of a session with its client: one transport after another."""

import asyncio
from collections.abc import Callable

from rtc_server.clock import Clock
from rtc_server.interpreter.interpreter import Interpreter
from rtc_server.session.event_stream import EventStream
from rtc_server.session.places import Place, PlaceState
from rtc_server.session.transport_binding import TransportBinding
from rtc_server.standstill import standstills
from rtc_server.transport.transport_api import CloseReason, Transport

LOST = (CloseReason.PEER_LOST, CloseReason.CONNECT_TIMEOUT, CloseReason.FAILED)
"""Reasons after which the client may come back."""


class ClientConnection:
    """Connection of one session: its present transport, speech that a lost transport did not
    deliver, and the wait for a lost client.
    """

    def __init__(
        self,
        interpreter: Interpreter,
        events: EventStream,
        place: Place,
        *,
        resume_s: float,
        clock: Clock,
        on_given_up: Callable[[], None],
    ) -> None:
        """`on_given_up` is called when a lost client has not come back within `resume_s`."""
        self._interpreter, self._events, self._place = interpreter, events, place
        self._resume_s, self._clock, self._on_given_up = resume_s, clock, on_given_up
        self.binding: TransportBinding | None = None
        """Present transport; None while the client is away."""
        self._last_seen_s = clock()
        self._was_connected = False
        self._messages_dropped = 0
        """Messages dropped on earlier transports."""
        self._closing: set[asyncio.Task[None]] = set()
        """Tasks that close earlier transports."""
        self._waiting: asyncio.TimerHandle | None = None
        """Timer of the wait for a lost client."""

    @property
    def last_seen_s(self) -> float:
        """Time of the client's last sign of life."""
        return self._last_seen_s

    @property
    def is_in_order(self) -> bool:
        """True if audio and events arrive in the order in which they were sent."""
        return self.binding is None or self.binding.transport.in_order

    @property
    def messages_dropped(self) -> int:
        """Messages dropped because the client was too slow, on all of its transports."""
        present = self.binding.stats.messages_dropped if self.binding is not None else 0
        return self._messages_dropped + present

    def take(self, binding: TransportBinding, transport: Transport) -> None:
        """Continue on this transport."""
        self._stop_waiting()
        binding.attach(transport, self._interpreter.audio.position_samples)
        self.binding, self._events.transport = binding, transport

    def take_over(self, last_seen_s: float) -> None:
        """Wait for a client that was connected to a process that is gone."""
        self._last_seen_s, self._was_connected = last_seen_s, True
        self._wait(self._resume_s)

    def leave(self) -> None:
        """Leave the present transport, if any. Speech that it did not deliver is played on the next
        one.
        """
        binding = self.binding
        if binding is None:
            return
        self.binding = self._events.transport = None
        if binding.connected:
            self.note_sign_of_life(binding)
            self._interpreter.take_back()
            self._interpreter.audio.interrupt()
            self._messages_dropped += binding.stats.messages_dropped
        binding.detach()

    def replace(self) -> None:
        """Leave the present transport, if any, and close it in a task: the client is back."""
        old = self.binding
        self.leave()
        if old is not None:
            closing = asyncio.create_task(old.transport.close(), name="old transport")
            self._closing.add(closing)
            closing.add_done_callback(self._closing.discard)
        self._place.enter(PlaceState.CONNECTED)

    def note_sign_of_life(self, binding: TransportBinding) -> None:
        """Note the client's last sign of life. Speech that was sent before it has arrived."""
        last_seen_s = binding.stats.last_seen_s
        self._last_seen_s = self._clock() if last_seen_s is None else last_seen_s
        self._interpreter.arrived(self._last_seen_s)

    def connected(self) -> None:
        """Note that media can flow."""
        self._was_connected = True
        self._place.enter(PlaceState.CONNECTED)

    def waits_after(self, reason: CloseReason) -> bool:
        """Return whether the client may come back after such an end; if so, begin to wait."""
        if reason not in LOST or not self._was_connected or not self._resume_s:
            return False
        self.leave()
        self._place.enter(PlaceState.LOST)
        self._wait(self._resume_s)
        return True

    async def close(self, reason: CloseReason) -> None:
        """Close all transports and wait until they are freed."""
        self._stop_waiting()
        if (binding := self.binding) is not None:
            await binding.transport.close(reason)
            binding.detach()
        await asyncio.gather(*self._closing)

    def _wait(self, wait_s: float) -> None:
        loop = asyncio.get_running_loop()
        self._waiting = loop.call_later(wait_s, self._give_up, loop.time())

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()

    def _give_up(self, since_s: float) -> None:
        """Give the client up, after as much more time as the event loop did not run."""
        if still_s := standstills().since(since_s):
            self._wait(still_s)
        else:
            self._on_given_up()
