"""ICE, DTLS and SCTP of one peer, on one transport: aiortc's objects on our own sockets.

aiortc's ``RTCPeerConnection`` is not used: it does not check offers, and we replace its whole media
stack.
"""

import asyncio
import logging
import secrets
import uuid
from collections.abc import Awaitable, Callable
from typing import Final

import pylibsrtp
from aiortc import RTCIceGatherer, RTCIceTransport, RTCSctpCapabilities
from aiortc.rtcdtlstransport import RTCDtlsFingerprint, RTCDtlsParameters
from aiortc.rtcicetransport import RTCIceParameters

from rtc_server.clock import Clock
from rtc_server.errors import AdmissionRefused
from rtc_server.transport.answer import LocalEnd
from rtc_server.transport.certificate import Certificate
from rtc_server.transport.channel import EventChannel, GuardedSctp
from rtc_server.transport.datagram_reader import DatagramReader
from rtc_server.transport.dtls import GuardedDtls
from rtc_server.transport.gathering import IceOptions
from rtc_server.transport.ice_agent import IceAgent
from rtc_server.transport.sdp import Offer

logger = logging.getLogger(__name__)

ORDERLY_CLOSE_S: Final = 4.0
"""Time limit for an orderly close; after it the sockets are closed without one."""


class PeerStack:
    """Protocols of one peer below audio and events: ICE, DTLS and SCTP."""

    def __init__(
        self,
        offer: Offer,
        options: IceOptions,
        clock: Clock,
        reader: DatagramReader,
        on_ended: Callable[[], None],
    ) -> None:
        """`on_ended` is called when the peer has closed, or the path to it was lost."""
        self._offer = offer
        self._on_ended = on_ended
        self.ssrc = secrets.randbits(32)
        """Synchronization source of the audio we send."""
        self.cname = str(uuid.uuid4())
        """RTCP canonical name."""
        self._options = options
        self.agent = IceAgent(options, clock, reader, ice_controlling=offer.ice_lite)
        self.agent.remote_username, self.agent.remote_password = offer.ufrag, offer.pwd
        gatherer = RTCIceGatherer(iceServers=[])
        gatherer._connection = self.agent
        self._ice = RTCIceTransport(gatherer)
        self._certificate = Certificate.generateCertificate()
        self._dtls = GuardedDtls(self._ice, [self._certificate])
        # With actpass the choice is ours; as the DTLS client we save a round trip.
        self._dtls._set_role("server" if offer.setup == "active" else "client")
        self._dtls.on("statechange", self._dtls_changed)
        self._sctp = GuardedSctp(self._dtls) if offer.has_data else None

    @property
    def srtp(self) -> tuple[pylibsrtp.Session, pylibsrtp.Session]:
        """SRTP sessions of incoming and of outgoing media; present once connected."""
        return self._dtls._rx_srtp, self._dtls._tx_srtp

    async def gather(self) -> LocalEnd:
        """Open sockets and add the peer's candidates; return our side of the description.

        Raises:
            AdmissionRefused: no socket could be opened, and the TURN server gave no relay.
        """
        await self.agent.gather_candidates()
        if not self.agent.local_candidates:
            raise AdmissionRefused(_unreachable(self._options), retry_after_s=5)
        await self.agent.add_signalled(self._offer.candidates)
        digests = {each.algorithm: each.value for each in self._certificate.getFingerprints()}
        return LocalEnd(
            session_id=secrets.randbits(62),
            ufrag=self.agent.local_username,
            pwd=self.agent.local_password,
            fingerprint=digests["sha-256"],
            setup="passive" if self._offer.setup == "active" else "active",
            candidates=[each.to_sdp() for each in self.agent.local_candidates],
            ssrc=self.ssrc,
            cname=self.cname,
            stream_id=str(uuid.uuid4()),
            track_id=str(uuid.uuid4()),
        )

    async def connect(self) -> bool:
        """Connect ICE, then DTLS; return False if either failed. There is no time limit here."""
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

    async def open_events(self, channel: EventChannel) -> None:
        """Start SCTP, if a data channel was offered; the peer then opens the channel."""
        if self._sctp is None:
            return
        self._sctp.on_aborted = self._on_ended
        channel.listen(self._sctp)
        capabilities = RTCSctpCapabilities(maxMessageSize=self._offer.max_message_bytes)
        await self._sctp.start(capabilities, self._offer.sctp_port)

    async def close(self) -> None:
        """Close in order and free everything, even if a step raises."""
        steps: list[Callable[[], Awaitable[None]]] = [
            self._dtls.stop,
            self._ice.stop,
            self.agent.close,  # does nothing, unless stopping ICE failed
        ]
        if self._sctp is not None:
            steps.insert(0, self._sctp.stop)
        pump = self._dtls._task
        try:
            async with asyncio.timeout(ORDERLY_CLOSE_S):
                for step in steps:
                    try:
                        await step()
                    except Exception:
                        logger.exception("A peer's %s failed", step.__qualname__)
                if pump is not None:
                    pump.cancel()
                    await asyncio.gather(pump, return_exceptions=True)
        except TimeoutError:
            logger.warning("Closing a peer took too long")
        finally:
            self.agent.abort()
            self._dtls.remove_all_listeners()

    def _dtls_changed(self) -> None:
        if self._dtls.state == "closed":
            self._on_ended()


def _unreachable(options: IceOptions) -> str:
    """Return why a call has no address at which it could be reached."""
    if options.relay_only:
        return "The TURN server gives this server no relay."
    if not options.addresses:
        return (
            "This server is in no network that a call could use. Its operator can connect the "
            "machine to one, or set an address with --ice-addresses."
        )
    if options.ports == (0, 0):
        return (
            "This server cannot use its network addresses for calls: the log says why. Its "
            "operator can check --ice-addresses and the limit of file descriptors."
        )
    return "No UDP port is free for another call."
