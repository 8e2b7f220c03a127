"""One room: its speaker, its audience, and its end.

A language with members is interpreted, spoken and encoded once. For each listener there is only a
copy of each packet, encrypted, and of each caption.

=================  ======  ====================================================
captions              256  kept for readers that come back, the oldest forgotten
captions, reader       64  drop a partial, else close the reader
original           400 ms  drop the oldest
=================  ======  ====================================================
"""

import asyncio
import logging
import math
import secrets

from rtc_server.errors import RoomTaken
from rtc_server.events.server import ExpiringEvent, ExpiringReason
from rtc_server.pcm import Pcm
from rtc_server.rooms.languages import Languages
from rtc_server.rooms.peer import Peer
from rtc_server.rooms.room_api import AcceptPeer, RoomState
from rtc_server.rooms.room_audience import RoomAudience
from rtc_server.rooms.room_peers import RoomPeers
from rtc_server.rooms.room_settings import RoomSettings
from rtc_server.rooms.room_speaker import RoomSpeaker
from rtc_server.rooms.room_usage import RoomMeter
from rtc_server.session.expiry import EXPIRING_S
from rtc_server.session.places import Place
from rtc_server.session.services import Services
from rtc_server.session.session_api import OpenedCall, Owner
from rtc_server.subject_log import Subject, SubjectLog
from rtc_server.transport.sdp import Role

KEEP_S = 0.5
"""Interval at which a room checks its deadlines."""
SAMPLE_S = 1.0
"""Interval at which the transports' counters are added to the server's."""
logger = logging.getLogger(__name__)


class Room:
    """One room. `RoomManager` finds it by its name, and owns the task that runs it."""

    def __init__(
        self,
        name: str,
        source: str,
        targets: tuple[str, ...],
        owner: Owner,
        *,
        services: Services,
        settings: RoomSettings,
        accept: AcceptPeer,
    ) -> None:
        """`targets`: languages besides the original, the default first."""
        self.name, self.source, self.targets, self.owner = name, source, targets, owner
        self._services, self._settings = services, settings
        self._id = secrets.token_hex(4)
        self.log = SubjectLog(logger, Subject.ROOM, self._id)
        self._meter = RoomMeter(owner.key, source, (source, *targets), services.clock)
        self._languages = Languages(
            self._id, source, targets, services, settings, meter=self._meter
        )
        self._speaker = RoomSpeaker(services, settings)
        self._peers = RoomPeers(accept, lambda: self.is_closing)
        self.audience = RoomAudience(
            self._languages,
            self._peers,
            self._meter,
            services,
            takes_more=lambda: self.live and not self.is_closing,
        )
        """Listeners and readers."""
        self._sampled_s = services.clock()
        self._leaving: set[asyncio.Task[None]] = set()
        """Tasks that close the transports of replaced speakers."""
        self._restarting = False
        """True once the server is stopping: the room closes at the next pause."""
        self._finishing: asyncio.Task[None] | None = None
        """Task that waits until the last sentence was played, once time is up."""
        self._over = asyncio.Event()

    # ---------------------------------------------------------------- life

    async def run(self) -> None:
        """Run until the speaker was away for too long, or `close`; then free everything."""
        self._services.scheduler.subscribe(self._languages.on_tick)
        try:
            while not self._over.is_set():
                try:
                    async with asyncio.timeout(KEEP_S):
                        await self._over.wait()
                except TimeoutError:
                    self._keep(self._services.clock())
        finally:
            self._over.set()
            self._services.scheduler.unsubscribe(self._languages.on_tick)
            await self._free()

    def close(self) -> None:
        """End the room; `run` returns when everything is freed."""
        self._over.set()

    def restart(self, within_s: float) -> None:
        """Close the room at the next pause: the server stops in `within_s` seconds."""
        self._restarting = True
        in_ms = round(within_s * 1000)
        self._languages.warn(ExpiringEvent(in_ms=in_ms, reason=ExpiringReason.RESTART))
        if not self._languages.is_speech_open:
            self._finish_soon(ExpiringReason.RESTART)

    @property
    def is_closing(self) -> bool:
        """True once nobody may join any more. Members still get the last sentence."""
        return self._finishing is not None or self.is_over

    @property
    def is_over(self) -> bool:
        """True once it has ended; it may not be freed yet."""
        return self._over.is_set()

    async def _free(self) -> None:
        self._languages.dismiss_readers()
        try:
            left = asyncio.gather(*self._leaving, return_exceptions=True)
            for error in (*await self._peers.close(), *filter(None, await left)):
                self.log.error("a transport did not close", exc_info=error)
            if self._finishing is not None:
                self._finishing.cancel()
                await asyncio.gather(self._finishing, return_exceptions=True)
        finally:
            try:
                await self._languages.close()
            finally:
                self._end_place()
                if self._meter.had_speaker:
                    wall_s = self._services.wall()
                    self._services.record_usage(self._meter.record(self._id, wall_s))

    def _keep(self, now_s: float) -> None:
        """Apply the deadlines: warn, end the room, restart and end interpretations."""
        left_s, reason = self._speaker.left_s()
        if not left_s:
            self._finish_soon(reason)
        elif left_s <= EXPIRING_S:
            self._languages.warn(ExpiringEvent(in_ms=round(left_s * 1000), reason=reason))
        else:
            self._languages.all_clear()
        if now_s - self._sampled_s >= SAMPLE_S:
            self._sampled_s = now_s
            self._peers.sample()
        if self._speaker.is_missed(now_s):
            self._over.set()
        else:
            self._languages.keep(now_s)

    def _finish_soon(self, reason: ExpiringReason) -> None:
        """End the room after the last sentence: its time is up."""
        if self._finishing is None:
            self.log.info("its time is up (%s)", reason.value)
            self._finishing = asyncio.create_task(self._finish(), name=f"last sentence {self._id}")

    async def _finish(self) -> None:
        await self._languages.finish()
        self._over.set()

    # ---------------------------------------------------------------- the speaker

    @property
    def live(self) -> bool:
        """True while there is a speaker, connected or connecting."""
        return self._speaker.peer is not None

    def speaks_for(self, owner: Owner) -> bool:
        """Return whether there is a speaker, and `owner` may replace it."""
        return self._speaker.is_of(owner)

    async def speak(self, offer_sdp: str, place: Place) -> OpenedCall:
        """Connect a speaker; there must be none. The room frees the place.

        Raises `RoomTaken` if the speaker was replaced while connecting.
        """
        speaker = self._make_speaker(place.claimant.owner)
        self._speaker.take(speaker, place)
        try:
            opened = await self._peers.connect(speaker, offer_sdp, Role.SPEAKER)
        except BaseException:
            self._speaker_left(speaker)
            raise
        if speaker is not self._speaker.peer:
            await speaker.close()
            raise RoomTaken("Somebody with the same key or secret speaks here now.")
        self._meter.speaker_came()
        return opened

    async def replace_speaker(self, offer_sdp: str, owner: Owner) -> OpenedCall:
        """Give the speaker another transport. If that fails, nothing has changed.

        Raises `RoomTaken` if the speaker has left in the meantime.
        """
        speaker = self._make_speaker(owner)
        opened = await self._peers.connect(speaker, offer_sdp, Role.SPEAKER)
        before = self._speaker.peer
        if before is None:
            await speaker.close()
            raise RoomTaken("The room has just lost its speaker. Try again.")
        # Nothing is awaited from here on, so a cancelled caller cannot leave a half-made state.
        self._speaker.hand_over(speaker)
        self._meter.speaker_came()  # no effect if the speaker before was counted
        self._languages.interrupt()
        leaving = asyncio.create_task(before.close(), name=f"old speaker {self._id}")
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)
        return opened

    def _make_speaker(self, owner: Owner) -> Peer:
        speaker = Peer(
            "spk_" + secrets.token_urlsafe(16),
            owner,
            self._services.metrics,
            on_connected=self._speaker.connected,
            on_over=lambda: self._speaker_left(speaker),
            on_pcm=lambda pcm: self._feed(speaker, pcm),
        )
        return speaker

    def _feed(self, speaker: Peer, pcm: Pcm) -> None:
        if speaker is not self._speaker.peer or self._finishing is not None:
            return  # of a replaced speaker, or after the last sentence
        if self._languages.feed(self._speaker.placed(pcm)):
            self._speaker.active()
        if self._restarting and not self._languages.is_speech_open:
            self._finish_soon(ExpiringReason.RESTART)

    def _speaker_left(self, speaker: Peer) -> None:
        self._peers.remove(speaker)
        if self._speaker.leave(speaker):
            self._meter.speaker_left()
            self._end_place()
            self._languages.interrupt()

    def _end_place(self) -> None:
        if self._speaker.end_place():
            self._languages.all_clear()

    # ---------------------------------------------------------------- as others see it

    def peer(self, peer_id: str) -> Peer:
        """Return the speaker or a listener. Raises `UnknownSession`."""
        return self._peers.find(peer_id)

    def state(self) -> RoomState:
        """Return the room as it is now."""
        languages = self._languages.states
        listeners = sum(each.listeners for each in languages)
        left_s, _ = self._speaker.left_s()
        expires_in_ms = None if left_s == math.inf else round(left_s * 1000)
        return RoomState(self.name, self.live, self.source, languages, listeners, expires_in_ms)
