"""Participants of a room who have a transport each."""

import asyncio
from collections.abc import Callable

from rtc_server.errors import RoomSilent, UnknownSession
from rtc_server.rooms.peer import Peer
from rtc_server.rooms.room_api import AcceptPeer
from rtc_server.session.session_api import OpenedCall
from rtc_server.transport.sdp import Role
from rtc_server.transport.transport_api import NextPacket

RETRY_SILENT_S = 3
"""Seconds after which to try again when there is no speaker."""


class RoomPeers:
    """Speaker and listeners of one room, found by their ids."""

    def __init__(self, accept: AcceptPeer, is_closing: Callable[[], bool]) -> None:
        """`is_closing`: callback that returns whether nobody may join any more."""
        self._accept, self._is_closing = accept, is_closing
        self._peers: dict[str, Peer] = {}

    async def connect(
        self, peer: Peer, offer_sdp: str, role: Role, packets: NextPacket | None = None
    ) -> OpenedCall:
        """Make the transport of a participant; `packets`: source of a listener's packets."""
        transport = await self._accept(offer_sdp, peer, role, packets)
        if self._is_closing():
            await transport.close()
            raise RoomSilent("The room has closed meanwhile.", RETRY_SILENT_S)
        # Nothing is awaited from here on, so a cancelled caller cannot leave a half-made state.
        peer.attach(transport)
        self._peers[peer.id] = peer
        return OpenedCall(peer.id, transport.answer_sdp, peer.etag)

    def find(self, peer_id: str) -> Peer:
        """Return the speaker or a listener. Raises `UnknownSession`."""
        try:
            return self._peers[peer_id]
        except KeyError:
            raise UnknownSession("There is no such session; it may have ended.") from None

    def remove(self, peer: Peer) -> None:
        """Forget a participant whose transport has closed. Idempotent."""
        self._peers.pop(peer.id, None)

    def sample(self) -> None:
        """Add the transports' counters to the metrics; called once a second."""
        for peer in self._peers.values():
            peer.sample()

    async def close(self) -> list[BaseException]:
        """Close all transports; return the exceptions."""
        closing = (peer.close() for peer in list(self._peers.values()))
        ended = await asyncio.gather(*closing, return_exceptions=True)
        return [error for error in ended if error is not None]
