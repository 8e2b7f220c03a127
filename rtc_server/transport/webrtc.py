"""A WebRTC peer: negotiates, connects, carries audio and events, notices the end, frees all.

Built on aiortc's ICE, DTLS and SCTP objects without its ``RTCPeerConnection``: the offer is read
and the answer written by our own SDP code, sockets and media are ours too.
"""

import asyncio
import logging
import secrets
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, Self

from aiortc import RTCCertificate, RTCIceGatherer, RTCIceTransport, RTCSctpCapabilities
from aiortc.rtcdtlstransport import RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport
from aiortc.rtcicetransport import RTCIceParameters

from rtc_server.clock import Clock
from rtc_server.config import TransportSettings
from rtc_server.errors import AdmissionRefused, IceRestartRefused
from rtc_server.pcm import Pcm
from rtc_server.transport.addresses import addresses_to_offer
from rtc_server.transport.answer import LocalEnd, write_answer
from rtc_server.transport.base import CloseReason, TransportListener
from rtc_server.transport.channel import EventChannel, GuardedSctp
from rtc_server.transport.ice import IceAgent, IceOptions
from rtc_server.transport.ice_servers import agent_servers
from rtc_server.transport.logs import tame_loggers
from rtc_server.transport.media.tick import shared_tick
from rtc_server.transport.media_path import MediaPath, Streams
from rtc_server.transport.outbox import Stored
from rtc_server.transport.sdp import Offer, parse_fragment, parse_offer

logger = logging.getLogger(__name__)

WATCH_S: Final = 0.5
"""How often a connected peer's silence is measured."""
FREE_S: Final = 4.0
"""How long saying goodbye may take before the sockets are simply closed."""
CLOSE_S: Final = 5.0
"""Longest `WebRtcTransport.close`."""


@dataclass(slots=True)
class WebRtcStats:
    """Counters of one peer since its start; see `TransportStats`."""

    packets_received: int = 0
    """RTP packets."""
    packets_lost: int = 0
    """RTP packets that never came."""
    jitter_ms: float = 0.0
    """Interarrival jitter (RFC 3550)."""
    concealed_ms: float = 0.0
    """Lost audio that was invented."""
    recovered_ms: float = 0.0
    """Lost audio restored from in-band FEC."""
    buffer_target_ms: float = 0.0
    """How long the jitter buffer waits for an overtaken packet."""
    drift_ppm: float = 0.0
    """How much faster the peer's clock runs than ours."""
    round_trip_ms: float = 0.0
    """Of RTCP; 0 until it is known."""
    messages_dropped: int = 0
    """Events dropped because the peer was too slow."""
    packets_sent: int = 0
    """RTP packets."""
    datagrams_dropped: int = 0
    """Datagrams from strangers, malformed ones, and floods."""


class WebRtcTransport:
    """Implements `Transport`. Made by `accept`."""

    def __init__(
        self,
        offer: Offer,
        listener: TransportListener,
        settings: TransportSettings,
        clock: Clock,
    ) -> None:
        self._offer = offer
        self._listener = listener
        self._settings = settings
        self._clock = clock
        self._ssrc = secrets.randbits(32)
        self._cname = str(uuid.uuid4())
        self._media: MediaPath | None = None
        self._channel = EventChannel(
            on_open=lambda: self._tell(listener.on_channel_open),
            on_message=lambda text: self._tell(lambda: listener.on_message(text)),
            on_bad_message=lambda why: self._tell(lambda: listener.on_bad_message(why)),
        )
        self._end: asyncio.Future[CloseReason] = asyncio.get_running_loop().create_future()
        self._life: asyncio.Task[None] | None = None
        self.answer_sdp = ""
        """The SDP answer, complete with all candidates."""

    @classmethod
    async def accept(
        cls,
        offer_sdp: str,
        listener: TransportListener,
        settings: TransportSettings,
        *,
        host: str,
        clock: Clock,
    ) -> Self:
        """Answer an offer and begin to connect.

        Args:
            host: the address HTTP listens on; media follows it (see `addresses_to_offer`).

        Raises:
            BadOffer, PayloadTooLarge: the offer cannot be accepted.
            AdmissionRefused: no UDP port is free.
            ConfigError: the ICE servers of the settings are malformed.
        """
        tame_loggers()
        transport = cls(parse_offer(offer_sdp), listener, settings, clock)
        options = IceOptions(
            addresses=tuple(addresses_to_offer(settings, host)),
            public_address=settings.public_address,
            ports=(settings.udp_port_first, settings.udp_port_last),
            servers=agent_servers(settings.ice_servers),
        )
        transport._build(options)
        try:
            await transport._answer()
        except BaseException:
            await transport._free()
            raise
        transport._life = asyncio.create_task(transport._live(), name="WebRTC peer")
        return transport

    @property
    def stats(self) -> WebRtcStats:
        """Counters since the start."""
        stats = WebRtcStats(
            messages_dropped=self._channel.dropped,
            datagrams_dropped=self._agent.dropped_datagrams,
        )
        if self._media is not None:
            quality = self._media.quality
            stats.packets_received = quality.packets_received
            stats.packets_lost = quality.packets_lost
            stats.jitter_ms = quality.jitter_ms
            stats.concealed_ms = quality.concealed_ms
            stats.recovered_ms = quality.recovered_ms
            stats.buffer_target_ms = quality.target_ms
            stats.drift_ppm = quality.drift_ppm
            stats.round_trip_ms = 1000 * (self._media.round_trip_s or 0.0)
            stats.packets_sent = quality.packets_sent
        return stats

    def send_message(self, text: str, *, droppable: bool = False) -> bool:
        """Queue one event; see `Transport.send_message`."""
        if self._end.done():
            return False
        stored = self._channel.send(text, droppable=droppable)
        if stored is Stored.OVERFLOW:
            logger.warning("A peer does not read its events; closing it")
            self._finish(CloseReason.FAILED)
        return stored is Stored.KEPT

    async def add_ice_fragment(self, fragment: str) -> None:
        """Add the candidates of a trickle fragment (RFC 8840).

        Raises:
            BadOffer, PayloadTooLarge: it cannot be read.
            IceRestartRefused: its credentials are not the call's.
        """
        parsed = parse_fragment(fragment)
        offer = self._offer
        if parsed.ufrag not in ("", offer.ufrag) or parsed.pwd not in ("", offer.pwd):
            raise IceRestartRefused("A call cannot restart ICE. Open a new call instead.")
        await self._agent.add_signalled(parsed.candidates)

    async def close(self, reason: CloseReason = CloseReason.LOCAL) -> None:
        """End it; see `Transport.close`."""
        self._finish(reason)
        if self._life is None:
            return
        _, pending = await asyncio.wait({self._life}, timeout=CLOSE_S)
        if pending:
            logger.error("A peer did not close in time; its sockets are being aborted")
            self._agent.abort()
            self._life.cancel()

    # Negotiation.

    def _build(self, options: IceOptions) -> None:
        offer = self._offer
        self._agent = IceAgent(options, self._clock, ice_controlling=offer.ice_lite)
        self._agent.remote_username, self._agent.remote_password = offer.ufrag, offer.pwd
        gatherer = RTCIceGatherer(iceServers=[])
        gatherer._connection = self._agent
        self._ice = RTCIceTransport(gatherer)
        self._certificate = RTCCertificate.generateCertificate()
        self._dtls = RTCDtlsTransport(self._ice, [self._certificate])
        # An offer of actpass leaves the choice to us; active saves the peer a round trip.
        self._dtls._set_role("server" if offer.setup == "active" else "client")
        self._dtls.on("statechange", self._dtls_changed)
        self._sctp = GuardedSctp(self._dtls) if offer.has_data else None

    async def _answer(self) -> None:
        await self._agent.gather_candidates()
        if not self._agent.local_candidates:
            raise AdmissionRefused("No UDP port is free for another call.", retry_after_s=5)
        await self._agent.add_signalled(self._offer.candidates)
        digests = {each.algorithm: each.value for each in self._certificate.getFingerprints()}
        local = LocalEnd(
            session_id=secrets.randbits(62),
            ufrag=self._agent.local_username,
            pwd=self._agent.local_password,
            fingerprint=digests["sha-256"],
            setup="passive" if self._offer.setup == "active" else "active",
            candidates=[each.to_sdp() for each in self._agent.local_candidates],
            ssrc=self._ssrc,
            cname=self._cname,
            stream_id=str(uuid.uuid4()),
            track_id=str(uuid.uuid4()),
        )
        self.answer_sdp = write_answer(self._offer, local)

    # Life.

    async def _live(self) -> None:
        reason = CloseReason.FAILED
        try:
            reason = await self._connect_and_watch()
        except Exception:
            logger.exception("A peer's connection failed")
        finally:
            self._finish(reason)
            await self._free()
            self._tell(lambda: self._listener.on_closed(reason))

    async def _connect_and_watch(self) -> CloseReason:
        connecting = asyncio.create_task(self._connect(), name="WebRTC connect")
        try:
            either: set[asyncio.Future[Any]] = {connecting, self._end}
            await asyncio.wait(
                either,
                timeout=self._settings.connect_timeout_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if self._end.done():
                return self._end.result()
            if not connecting.done():
                return CloseReason.CONNECT_TIMEOUT
            if not connecting.result():
                return CloseReason.FAILED
        finally:
            connecting.cancel()
            await asyncio.wait({connecting})
        self._agent.last_heard_s = self._clock()
        self._start_media()
        self._tell(self._listener.on_connected)
        if self._sctp is not None:
            self._sctp.on_aborted = lambda: self._finish(CloseReason.REMOTE)
            self._channel.listen(self._sctp)
            capabilities = RTCSctpCapabilities(maxMessageSize=self._offer.max_message_bytes)
            await self._sctp.start(capabilities, self._offer.sctp_port)
        while not self._end.done():
            await asyncio.wait({self._end}, timeout=WATCH_S)
            if self._clock() - self._heard_s() > self._settings.dead_peer_timeout_s:
                self._finish(CloseReason.PEER_LOST)
        return self._end.result()

    async def _connect(self) -> bool:
        offer = self._offer
        await self._ice.start(
            RTCIceParameters(
                usernameFragment=offer.ufrag, password=offer.pwd, iceLite=offer.ice_lite
            )
        )
        if self._ice.state != "completed":
            return False
        fingerprints = [RTCDtlsFingerprint(*each) for each in offer.fingerprints]
        await self._dtls.start(RTCDtlsParameters(fingerprints=fingerprints))
        return self._dtls.state == "connected"

    def _start_media(self) -> None:
        incoming, outgoing = self._offer.incoming, self._offer.outgoing
        self._media = MediaPath(
            Streams(
                payload_type_in=incoming.opus_payload_type,
                payload_type_out=outgoing.opus_payload_type if outgoing else None,
                ssrc=self._ssrc,
                cname=self._cname,
            ),
            self._dtls._rx_srtp,
            self._dtls._tx_srtp,
            send=self._agent.send_now,
            on_pcm=self._deliver,
            next_frame=self._listener.next_frame,
            clock=self._clock,
        )
        self._agent.on_media = self._media.received
        self._agent.authenticates = self._media.authenticates
        shared_tick().subscribe(self._on_tick)

    def _on_tick(self, number: int, now_s: float) -> None:
        media = self._media
        if media is not None:
            self._tell(lambda: media.tick(number, now_s))

    def _deliver(self, pcm: Pcm) -> None:
        self._tell(lambda: self._listener.on_pcm(pcm))

    def _heard_s(self) -> float:
        media_s = self._media.last_heard_s if self._media is not None else 0.0
        return max(self._agent.last_heard_s, media_s)

    def _dtls_changed(self) -> None:
        if self._dtls.state == "closed":
            self._finish(CloseReason.REMOTE)

    def _finish(self, reason: CloseReason) -> None:
        if not self._end.done():
            self._end.set_result(reason)

    # The end.

    async def _free(self) -> None:
        """Say goodbye and free everything, whatever raises."""
        if self._media is not None:
            shared_tick().unsubscribe(self._on_tick)
            self._agent.on_media = self._agent.authenticates = None
            self._media.close()
        pump = self._dtls._task
        goodbyes: list[Callable[[], Awaitable[None]]] = [
            self._dtls.stop,
            self._ice.stop,
            self._agent.close,  # a second time, unless stopping ICE failed
        ]
        if self._sctp is not None:
            goodbyes.insert(0, self._sctp.stop)
        try:
            async with asyncio.timeout(FREE_S):
                for goodbye in goodbyes:
                    try:
                        await goodbye()
                    except Exception:
                        logger.exception("A peer's %s failed", goodbye.__qualname__)
                if pump is not None:
                    pump.cancel()
                    await asyncio.gather(pump, return_exceptions=True)
        except TimeoutError:
            logger.error("A peer's goodbye took too long")  # noqa: TRY400
        finally:
            self._agent.abort()
            self._dtls.remove_all_listeners()

    def _tell(self, call: Callable[[], None]) -> None:
        """Call the listener. A session that fails is ended; nobody else's wire suffers."""
        try:
            call()
        except Exception:
            logger.exception("A session failed to handle what its transport told it")
            self._finish(CloseReason.FAILED)
