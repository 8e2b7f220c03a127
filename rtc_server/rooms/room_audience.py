"""Audience of a room: listeners, who have a transport each, and readers of captions."""

import secrets
from collections.abc import Callable

from rtc_server.errors import RoomSilent
from rtc_server.rooms.caption_tape import CaptionReader
from rtc_server.rooms.languages import Languages
from rtc_server.rooms.peer import Peer
from rtc_server.rooms.room_peers import RETRY_SILENT_S, RoomPeers
from rtc_server.rooms.room_usage import RoomMeter
from rtc_server.session.places import Place, PlaceState
from rtc_server.session.services import Services
from rtc_server.session.session_api import OpenedCall
from rtc_server.transport.sdp import Role


class RoomAudience:
    """Listeners and readers of one room, from their joining to their leaving."""

    def __init__(
        self,
        languages: Languages,
        peers: RoomPeers,
        meter: RoomMeter,
        services: Services,
        *,
        takes_more: Callable[[], bool],
    ) -> None:
        """`takes_more`: callback that returns whether there is a speaker, and the room is not about
        to close.
        """
        self._languages, self._peers, self._meter = languages, peers, meter
        self._services, self._takes_more = services, takes_more

    async def listen(self, offer_sdp: str, code: str, place: Place) -> OpenedCall:
        """Connect a listener of the original or a translation. The room frees the place.

        Raises:
            RoomSilent, AdmissionRefused, BadOffer: see `Rooms.listen`.
        """

        def left(listener: Peer) -> None:
            self._peers.remove(listener)
            self._languages.leave(listener, code)
            place.end(*self._services.now())

        def connected() -> None:
            place.enter(PlaceState.CONNECTED)
            self._meter.member_came(listener)

        listener = Peer(
            "lis_" + secrets.token_urlsafe(16),
            place.claimant.owner,
            self._services.metrics,
            on_connected=connected,
            on_over=lambda: left(listener),
            source=place.claimant.source,
        )
        try:
            self._admit(code, listener.source)
            self._languages.join(listener, code)
            packets = self._languages.packets(code)
            opened = await self._peers.connect(listener, offer_sdp, Role.LISTENER, packets)
        except BaseException:
            left(listener)
            raise
        for caption in self._languages.recent(code):
            listener.caption(caption)
        return opened

    def read(self, code: str, last_id: str | None, source: str) -> CaptionReader:
        """Add a reader of a language; call `left` at the end. Raises as `listen`."""
        self._admit(code, source)
        reader = self._languages.reader(code, last_id, source)
        self._languages.join(reader, code)
        self._meter.member_came(reader)
        return reader

    def left(self, reader: CaptionReader, code: str) -> None:
        """Remove a reader."""
        self._languages.leave(reader, code)
        self._services.metrics.queue_drops.labels("room_captions").inc(reader.dropped)

    def _admit(self, code: str, source: str) -> None:
        if not self._takes_more():
            raise RoomSilent("Nobody speaks in this room yet. Try again soon.", RETRY_SILENT_S)
        self._languages.admit(code, source)
