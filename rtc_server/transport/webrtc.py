"""WebRTC peer connection as a transport: from the offer until everything is freed."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, Self, TypeVarTuple

from rtc_server.clock import Clock, wall
from rtc_server.errors import IceRestartRefused
from rtc_server.pcm import Pcm
from rtc_server.standstill import standstills
from rtc_server.transport.addresses import addresses_to_offer
from rtc_server.transport.answer import write_answer
from rtc_server.transport.channel import EventChannel
from rtc_server.transport.gathering import IceOptions
from rtc_server.transport.ice_agent import drop_media
from rtc_server.transport.ice_servers import agent_servers
from rtc_server.transport.media_path import MediaPath, Streams
from rtc_server.transport.media_scheduler import MediaScheduler
from rtc_server.transport.outbox import Stored
from rtc_server.transport.sdp import Offer, Role, parse_fragment, parse_offer
from rtc_server.transport.stack import PeerStack
from rtc_server.transport.transport_api import (
    CloseReason,
    NextPacket,
    TransportObserver,
    TransportStats,
)
from rtc_server.transport.transport_settings import TransportSettings

logger = logging.getLogger(__name__)

LATE_S: Final = 0.01
"""Delay after a peer's deadline until it is checked, so that it has certainly passed."""
CLOSE_S: Final = 5.0
"""Time limit of `WebRtcTransport.close`."""

_Arguments = TypeVarTuple("_Arguments")


class WebRtcTransport:
    """One WebRTC call as a `Transport`. `accept` and `answer` make it."""

    def __init__(
        self,
        offer: Offer,
        observer: TransportObserver,
        settings: TransportSettings,
        options: IceOptions,
        clock: Clock,
        *,
        scheduler: MediaScheduler,
        next_packet: NextPacket | None = None,
    ) -> None:
        self._offer = offer
        self._next_packet = next_packet
        self._observer = observer
        self._settings = settings
        self._clock, self._scheduler = clock, scheduler
        self._stack = PeerStack(offer, options, clock, scheduler.reader, on_ended=self._ended)
        self._media: MediaPath | None = None
        self._counters = TransportStats()
        self._channel = EventChannel(
            on_open=lambda: self._call(observer.on_channel_open),
            on_message=lambda text: self._call(observer.on_message, text),
            on_bad_message=lambda why: self._call(observer.on_bad_message, why),
        )
        self._end: asyncio.Future[CloseReason] = asyncio.get_running_loop().create_future()
        self._life: asyncio.Task[None] | None = None
        self.answer_sdp = ""
        """SDP answer with all candidates."""

    @classmethod
    async def accept(
        cls,
        offer_sdp: str,
        observer: TransportObserver,
        settings: TransportSettings,
        *,
        host: str,
        clock: Clock,
        scheduler: MediaScheduler,
        wall: Clock = wall,
    ) -> Self:
        """Parse a caller's offer and `answer` it. Raises what `answer` and `parse_offer` raise."""
        offer = parse_offer(offer_sdp, Role.CALLER)
        return await cls.answer(
            offer, observer, settings, host=host, clock=clock, scheduler=scheduler, wall=wall
        )

    @classmethod
    async def answer(
        cls,
        offer: Offer,
        observer: TransportObserver,
        settings: TransportSettings,
        *,
        host: str,
        clock: Clock,
        scheduler: MediaScheduler,
        wall: Clock = wall,
        next_packet: NextPacket | None = None,
    ) -> Self:
        """Answer an offer and begin to connect. If it raises, everything was freed.

        Args:
            host: the address HTTP listens on; media follows it (see `addresses_to_offer`).
            scheduler: tick and reads of sockets, shared with the other calls.
            wall: Unix time, for TURN users that are made for each session.
            next_packet: source of outgoing audio that is encoded elsewhere; without it, the
                observer's frames are encoded here.

        Raises:
            AdmissionRefused: no socket could be opened, and the TURN server gave no relay.
            ConfigError: the ICE servers of the settings are malformed.
        """
        ice = settings.ice()
        options = IceOptions(
            addresses=tuple(addresses_to_offer(settings, host)),
            public_address=settings.public_address,
            ports=(settings.udp_port_first, settings.udp_port_last),
            servers=agent_servers(ice, relay=settings.server_relay != "off", now_s=wall()),
            relay_only=settings.server_relay == "only",
            relayed_peers_only=ice.policy == "relay",
        )
        transport = cls(
            offer, observer, settings, options, clock, scheduler=scheduler, next_packet=next_packet
        )
        try:
            transport.answer_sdp = write_answer(offer, await transport._stack.gather())
        except BaseException:
            await transport._stack.close()
            raise
        transport._life = asyncio.create_task(transport._live(), name="WebRTC peer")
        return transport

    @property
    def in_order(self) -> bool:
        """False: events may overtake audio, which passes a jitter buffer."""
        return False

    @property
    def stats(self) -> TransportStats:
        """Counters since the start."""
        media = self._media
        if media is not None:
            media.update_counters()
        return replace(
            self._counters,
            messages_dropped=self._channel.dropped,
            datagrams_dropped=self._stack.agent.dropped_datagrams,
            media_faults=self._stack.agent.media_faults,
            round_trip_ms=1000 * (media.round_trip_s or 0.0) if media else 0.0,
            last_seen_s=self._last_seen_s(media) if media else None,
        )

    def send_message(self, text: str, *, droppable: bool = False) -> bool:
        """Queue one event; see `Transport.send_message`."""
        if self._end.done() or not self._offer.has_data:
            return False
        stored = self._channel.send(text, droppable=droppable)
        if stored is Stored.OVERFLOW:
            logger.warning("A peer does not read its events; closing it")
            self._finish(CloseReason.FAILED)
        return stored is Stored.KEPT

    async def add_ice_fragment(self, fragment: str) -> None:
        """Add the candidates of a trickle fragment (RFC 8840).

        Raises:
            BadOffer, PayloadTooLarge: it is malformed, or too long.
            IceRestartRefused: its credentials are not those of this call.
        """
        parsed = parse_fragment(fragment)
        offer = self._offer
        if parsed.ufrag not in ("", offer.ufrag) or parsed.pwd not in ("", offer.pwd):
            raise IceRestartRefused("A call cannot restart ICE. Open a new call instead.")
        await self._stack.agent.add_signalled(parsed.candidates)

    async def close(self, reason: CloseReason = CloseReason.LOCAL) -> None:
        """Close the connection; see `Transport.close`."""
        self._finish(reason)
        if self._life is None:
            return
        _, pending = await asyncio.wait({self._life}, timeout=CLOSE_S)
        if pending:
            logger.error("A peer did not close in time; its sockets are being aborted")
            self._stack.agent.abort()
            self._life.cancel()

    async def _live(self) -> None:
        reason = CloseReason.FAILED
        try:
            reason = await self._connect_and_watch()
        except Exception:
            logger.exception("A peer's connection failed")
        finally:
            self._finish(reason)
            self._stop_media()
            self._channel.close()
            await self._stack.close()
            self._call(self._observer.on_closed, reason)

    async def _connect_and_watch(self) -> CloseReason:
        connecting = asyncio.create_task(self._stack.connect(), name="WebRTC connect")
        try:
            either: set[asyncio.Future[Any]] = {connecting, self._end}
            with self._scheduler.reader.prompt():
                await standstills().wait(either, self._settings.connect_timeout_s)
            if self._end.done():
                return self._end.result()
            if not connecting.done():
                return CloseReason.CONNECT_TIMEOUT
            if not connecting.result():
                return CloseReason.FAILED
        finally:
            connecting.cancel()
            await asyncio.wait({connecting})
        media = self._start_media()
        self._call(self._observer.on_connected)
        await self._stack.open_events(self._channel)
        while not self._end.done():
            seen_s = self._last_seen_s(media)
            patience_s = self._settings.dead_peer_timeout_s + standstills().since(seen_s)
            left_s = seen_s + patience_s - self._clock()
            if left_s < 0:
                self._finish(CloseReason.PEER_LOST)
            else:
                await asyncio.wait({self._end}, timeout=left_s + LATE_S)
        return self._end.result()

    def _last_seen_s(self, media: MediaPath) -> float:
        return max(self._stack.agent.last_seen_s, media.last_seen_s)

    def _start_media(self) -> MediaPath:
        incoming, outgoing = self._offer.incoming, self._offer.outgoing
        agent = self._stack.agent
        media = MediaPath(
            Streams(
                payload_type_in=incoming.opus_payload_type if incoming else None,
                payload_type_out=outgoing.opus_payload_type if outgoing else None,
                ssrc=self._stack.ssrc,
                cname=self._stack.cname,
            ),
            *self._stack.srtp,
            counters=self._counters,
            send=agent.send_now,
            on_pcm=self._deliver,
            next_frame=self._observer.next_frame,
            next_packet=self._next_packet,
            clock=self._clock,
        )
        agent.media_received, agent.authenticates = media.received, media.authenticates
        self._media = media
        self._scheduler.subscribe(self._on_tick)
        return media

    def _stop_media(self) -> None:
        if self._media is not None:
            self._scheduler.unsubscribe(self._on_tick)
            self._stack.agent.media_received = drop_media
            self._stack.agent.authenticates = None
            self._call(self._media.close)

    def _on_tick(self, number: int, _now_s: float) -> None:
        if self._media is None:
            return
        try:
            # The same clock as for arriving packets. The event loop's clock may differ: that of
            # uvloop stands still during an iteration, and counts whole milliseconds.
            self._media.tick(number, self._clock())
        except Exception:
            self._session_failed()

    def _deliver(self, pcm: Pcm) -> None:
        try:
            self._observer.on_pcm(pcm)
        except Exception:
            self._session_failed()

    def _ended(self) -> None:
        lost = self._stack.agent.path_lost
        self._finish(CloseReason.PEER_LOST if lost else CloseReason.REMOTE)

    def _finish(self, reason: CloseReason) -> None:
        if not self._end.done():
            self._end.set_result(reason)

    def _call(self, call: Callable[[*_Arguments], None], *arguments: *_Arguments) -> None:
        """Call the session; if that raises, end this call and no other."""
        try:
            call(*arguments)
        except Exception:
            self._session_failed()

    def _session_failed(self) -> None:
        logger.exception("A session failed to handle an event of its transport")
        self._finish(CloseReason.FAILED)
