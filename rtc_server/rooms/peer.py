"""Participant of a room with a transport of their own: the speaker, or a listener."""

from collections.abc import Callable

from rtc_server.errors import BadEvent
from rtc_server.events.client import Ping, parse_client_event
from rtc_server.events.server import ErrorDetail, ErrorEvent, PongEvent, encode
from rtc_server.events.session_events import SessionClosed
from rtc_server.metrics import Metrics
from rtc_server.pcm import Pcm, Samples
from rtc_server.rooms.caption_tape import Caption
from rtc_server.session.call_transport import CallTransport
from rtc_server.session.session_api import Owner
from rtc_server.session.transport_report import TransportReport
from rtc_server.transport.transport_api import CloseReason


class Peer:
    """Speaker or listener: a `TransportObserver`, and a `Member` for a listener."""

    hears = True

    def __init__(
        self,
        peer_id: str,
        owner: Owner,
        metrics: Metrics,
        *,
        on_connected: Callable[[], None],
        on_over: Callable[[], None],
        on_pcm: Callable[[Pcm], None] = lambda _pcm: None,
        source: str = "",
    ) -> None:
        """`on_connected` and `on_over` are called once, when the transport is connected and when it
        has closed; `on_pcm` takes the speaker's audio; `source`: see `Member.source`.
        """
        self.id, self.owner, self.source = peer_id, owner, source
        self.etag = peer_id[-16:]
        """Tag of its only ICE session."""
        self._on_connected, self._on_over, self._on_pcm = on_connected, on_over, on_pcm
        self._transport: CallTransport | None = None
        self._report = TransportReport(metrics)
        self._connected = False
        self._events = 0

    def attach(self, transport: CallTransport) -> None:
        """Use this transport."""
        self._transport = transport

    def sample(self) -> None:
        """Add the counters of its transport to the metrics; called once a second."""
        if self._transport is not None and self._connected:
            self._report.sample(self._transport.stats)

    async def trickle(self, fragment: str) -> None:
        """Add candidates that came later."""
        assert self._transport is not None
        await self._transport.add_ice_fragment(fragment)

    async def close(self) -> None:
        """Close in order, and wait until the transport is freed."""
        self._send(SessionClosed())
        if self._transport is not None:
            await self._transport.close()

    @property
    def is_connected(self) -> bool:
        """See `Member.is_connected`: a transport keeps what is sent before its channel opens."""
        return self._transport is not None

    def caption(self, caption: Caption) -> None:
        """See `Member.caption`."""
        if self._transport is not None:
            self._transport.send_message(caption.text, droppable=not caption.final)

    # ---------------------------------------------------------------- from the transport

    def on_connected(self) -> None:
        self._connected = True  # the language is interpreted already
        self._on_connected()

    def on_channel_open(self) -> None:
        """Do nothing: the transport kept what was sent before."""

    def on_pcm(self, pcm: Pcm) -> None:
        self._on_pcm(pcm)

    def next_frame(self) -> Samples | None:
        """Return None: audio of a room comes encoded."""
        return None

    def on_slow_reader(self) -> None:
        """Do nothing: only its own events are dropped."""

    def on_audio_ahead(self) -> None:
        """Do nothing: audio comes over WebRTC here, in real time."""

    def on_message(self, text: str) -> None:
        """Answer pings; there is nothing else to say in a room."""
        try:
            event = parse_client_event(text)
        except BadEvent as error:
            self.on_bad_message(str(error), error.event_id)
            return
        if isinstance(event, Ping):
            self._send(PongEvent(event.event_id))
        else:
            reason = "Listeners of a room only listen; x.ping is all they may send."
            self.on_bad_message(reason, event.event_id)

    def on_bad_message(self, reason: str, event_id: str | None = None) -> None:
        detail = ErrorDetail("invalid_request_error", BadEvent.code, reason, event_id)
        self._send(ErrorEvent(detail))

    def on_closed(self, reason: CloseReason) -> None:
        if self._transport is not None and self._connected:
            self._report.finish(self._transport.stats)
        self._on_over()

    def _send(self, event: PongEvent | ErrorEvent | SessionClosed) -> None:
        if self._transport is not None:
            self._events += 1
            text = encode(event, event_id=f"event_own_{self._events}")
            self._transport.send_message(text, droppable=not isinstance(event, SessionClosed))
