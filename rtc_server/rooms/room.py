"""One room: a speaker, the languages that somebody wants, and who wants them.

A language is interpreted while somebody wants it and a little longer. It is interpreted once,
spoken once and encoded once; what a listener costs is a copy of each packet, sealed for them, and
of each caption. The original has nothing to interpret; its captions come along with a translation.

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
from dataclasses import replace

from rtc_server.config import RoomSettings
from rtc_server.errors import AdmissionRefused, RoomSilent, RoomTaken, UnknownSession
from rtc_server.events.server import ExpiringEvent, SegmentEvent, TargetCaption
from rtc_server.interpreter.captions import Direction
from rtc_server.pcm import Pcm
from rtc_server.rooms.base import AcceptPeer, LanguageState, RoomState
from rtc_server.rooms.captions import CaptionReader, CaptionTape
from rtc_server.rooms.channel import Member, Original, Translation
from rtc_server.rooms.ear import SharedEar
from rtc_server.rooms.engines import SharedPartials
from rtc_server.rooms.language import Language
from rtc_server.rooms.peer import Peer
from rtc_server.session.base import OpenedCall, Owner
from rtc_server.session.quota import Lease
from rtc_server.session.services import Services
from rtc_server.session.session import DRAIN_MARGIN_S
from rtc_server.transport.media.tick import shared_tick
from rtc_server.transport.sdp import Role

KEEP_S = 0.5
"""How often a room looks whether something in it is over."""
SAMPLE_S = 1.0
"""How often the wires' counters are added to the server's."""
EXPIRING_S = 60.0
"""How long before its end a room is told of it."""
TAIL_S = 0.5
"""What is sent last still has to come out of the listeners' jitter buffers."""
RETRY_FULL_S = 10
"""When to try again after a room was full."""
RETRY_SILENT_S = 3
"""When to look again for a speaker who is not there."""

logger = logging.getLogger(__name__)


class Room:
    """Found by name in `RoomManager`, which owns the task that runs it."""

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
        """`targets`: what may be listened to besides the original, the usual one first."""
        self.name, self.source, self.targets, self.owner = name, source, targets, owner
        self._services, self._settings, self._accept = services, settings, accept
        self._id = secrets.token_hex(4)
        self._ear = SharedEar(services.make_listener())
        self._partials = SharedPartials(services.ast, f"room {self._id}")
        self._original = Original(services.metrics)
        now_s = services.clock()
        self._languages = {
            code: Language(CaptionTape(f"{self._id}-{code}"), services.metrics, now_s)
            for code in (source, *targets)
        }
        self._carrier = ""
        """The translation whose captions are the original's, too."""
        self._speaker: Peer | None = None
        self._lease: Lease | None = None
        self._peers: dict[str, Peer] = {}
        self._position_samples = 0
        self._base_samples = 0
        """Where the present speaker's wire began, on the room's audio clock."""
        self._silent_since_s = now_s
        self._sampled_s = now_s
        self._working: set[asyncio.Task[None]] = set()
        self._leaving: set[asyncio.Task[None]] = set()
        """Speakers who were replaced, saying goodbye."""
        self._translations_begun = 0
        self._is_closing = False
        self._over = asyncio.Event()

    # ---------------------------------------------------------------- life

    async def run(self) -> None:
        """Live until the speaker has been away for too long, or `close`; then free everything."""
        shared_tick().subscribe(self._on_tick)
        try:
            while not self._over.is_set():
                try:
                    async with asyncio.timeout(KEEP_S):
                        await self._over.wait()
                except TimeoutError:
                    self._keep(self._services.clock())
        finally:
            self._over.set()
            shared_tick().unsubscribe(self._on_tick)
            await self._free()

    def close(self) -> None:
        """End it soon: `run` returns when all is freed."""
        self._over.set()

    @property
    def is_closing(self) -> bool:
        """Whether it takes nobody any more: those who are there still hear the last sentence."""
        return self._is_closing or self.is_over

    @property
    def is_over(self) -> bool:
        """Whether it is gone, but for being freed."""
        return self._over.is_set()

    async def _free(self) -> None:
        for language in self._languages.values():
            for member in list(language.members):
                if isinstance(member, CaptionReader):
                    member.close()
                    language.leave(member)
        try:
            goodbyes = (peer.close() for peer in list(self._peers.values()))
            ended = await asyncio.gather(*goodbyes, *self._leaving, return_exceptions=True)
            for error in filter(None, ended):
                logger.error("room %s: a wire did not close", self._id, exc_info=error)
            for task in self._working:
                task.cancel()
            await asyncio.gather(*self._working, return_exceptions=True)
        finally:
            self._original.close()
            self._partials.forget()
            self._end_lease()

    def _keep(self, now_s: float) -> None:
        """End what is over, say what soon will be, and see that the original has its captions."""
        left_s = self._left_s(now_s)
        if not left_s:
            self._finish_soon()
        elif left_s <= EXPIRING_S:
            for language in self._languages.values():
                language.warn(ExpiringEvent(in_ms=round(left_s * 1000)))
        if now_s - self._sampled_s >= SAMPLE_S:
            self._sampled_s = now_s
            for peer in self._peers.values():
                peer.sample()
        if self._speaker is None and now_s - self._silent_since_s >= self._settings.room_wait_s:
            self._over.set()
        self._choose_carrier()
        for code, language in self._languages.items():
            wanted = bool(language.members) or code == self._carrier
            idle_s = language.idle_s(now_s, wanted=wanted)
            if language.work is None:
                if language.members and code != self.source:
                    self._start(code)  # it failed, and begins anew
            elif not wanted and idle_s >= self._settings.room_linger_s:
                language.work.cancel()

    def _finish_soon(self) -> None:
        """Its time is up: what is being said is the last sentence."""
        if self._is_closing:
            return
        logger.info("room %s: its time is up", self._id)
        self._is_closing = True
        self._interrupt()
        work = asyncio.create_task(self._finish(), name=f"last sentence {self._id}")
        self._working.add(work)
        work.add_done_callback(self._working.discard)

    async def _finish(self) -> None:
        """Close it when everything said so far was heard, or takes too long."""
        pending = [each for each in self._translations() if each.pending]
        if pending:
            most_s = max(each.queue_ms for each in pending) / 1000 + DRAIN_MARGIN_S
            try:
                async with asyncio.timeout(most_s):
                    await asyncio.gather(*(each.drained() for each in pending))
            except TimeoutError:
                logger.warning("room %s: closed with speech still waiting", self._id)
            await asyncio.sleep(TAIL_S)
        self._over.set()

    def _left_s(self, now_s: float) -> float:
        """How long the speaker's lease lasts; infinite without a limit, or a speaker."""
        if self._lease is None:
            return math.inf
        return self._lease.left_s(now_s, self._services.wall())

    def _on_tick(self, number: int, _now_s: float) -> None:
        """Time goes on for every language, whoever listens."""
        self._original.packet(number)
        for translation in self._translations():
            translation.packet(number)

    # ---------------------------------------------------------------- the speaker

    @property
    def live(self) -> bool:
        """Whether somebody speaks, or is about to."""
        return self._speaker is not None

    def speaks_for(self, owner: Owner) -> bool:
        """Whether there is a speaker whom `owner` may replace."""
        return self._speaker is not None and owner.may_touch(self._speaker.owner)

    async def speak(self, offer_sdp: str, owner: Owner, lease: Lease) -> OpenedCall:
        """Give it its speaker; it must have none. The room ends the lease.

        Raises `RoomTaken` when the speaker was replaced while connecting.
        """
        speaker = self._make_speaker(owner)
        self._speaker, self._lease = speaker, lease
        self._base_samples = self._position_samples
        try:
            opened = await self._connect(speaker, offer_sdp, Role.SPEAKER)
        except BaseException:
            self._speaker_left(speaker)
            raise
        if speaker is not self._speaker:
            await speaker.close()
            raise RoomTaken("Somebody with the same key or secret speaks here now.")
        return opened

    async def replace_speaker(self, offer_sdp: str, owner: Owner) -> OpenedCall:
        """Give it another wire of its speaker, who goes on; when that fails, all is as before.

        Raises `RoomTaken` when the speaker left meanwhile: nobody is there to be replaced.
        """
        speaker = self._make_speaker(owner)
        opened = await self._connect(speaker, offer_sdp, Role.SPEAKER)
        before = self._speaker
        if before is None:
            await speaker.close()
            raise RoomTaken("The room has just lost its speaker. Try again.")
        # Awaits nothing from here on: a caller who gives up now finds the room whole.
        self._speaker, self._base_samples = speaker, self._position_samples
        self._interrupt()
        leaving = asyncio.create_task(before.close(), name=f"old speaker {self._id}")
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)
        return opened

    def _make_speaker(self, owner: Owner) -> Peer:
        speaker = Peer(
            "spk_" + secrets.token_urlsafe(16),
            owner,
            self._services.metrics,
            on_over=lambda: self._speaker_left(speaker),
            on_pcm=lambda pcm: self._hear(speaker, pcm),
        )
        return speaker

    def _hear(self, speaker: Peer, pcm: Pcm) -> None:
        if speaker is not self._speaker or self._is_closing:
            return  # replaced, and not yet gone; or all that counts was said
        pcm = replace(pcm, start_samples=self._base_samples + pcm.start_samples)
        self._position_samples = pcm.start_samples + len(pcm.samples)
        self._ear.feed(pcm)
        self._original.feed(pcm)
        for translation in self._translations():
            translation.feed(pcm)

    def _speaker_left(self, speaker: Peer) -> None:
        self._peers.pop(speaker.id, None)
        if speaker is not self._speaker:
            return
        self._speaker = None
        self._silent_since_s = self._services.clock()
        self._end_lease()
        self._interrupt()

    def _interrupt(self) -> None:
        """A speaker's wire ended: what was being said is a sentence."""
        self._ear.interrupt()
        for translation in self._translations():
            translation.interrupt()

    def _end_lease(self) -> None:
        if self._lease is not None:
            self._lease.end(self._services.clock(), self._services.wall())
            self._lease = None
            for language in self._languages.values():
                language.all_clear()

    # ---------------------------------------------------------------- those who listen

    async def listen(self, offer_sdp: str, code: str, owner: Owner) -> OpenedCall:
        """Let somebody hear the original or one of `targets`.

        Raises:
            RoomSilent, AdmissionRefused, BadOffer: see `Rooms.listen`.
        """
        language = self._admit(code)
        listener = Peer(
            "lis_" + secrets.token_urlsafe(16),
            owner,
            self._services.metrics,
            on_over=lambda: left(listener),
        )

        def left(listener: Peer) -> None:
            self._peers.pop(listener.id, None)
            language.leave(listener)

        self._join(listener, code)
        try:
            return await self._connect(listener, offer_sdp, Role.LISTENER, code)
        except BaseException:
            left(listener)
            raise

    def read(self, code: str, last_id: str | None) -> CaptionReader:
        """Let somebody read a language, until `left`. Raises as `listen`."""
        language = self._admit(code)
        reader = CaptionReader(language.tape.since(last_id))
        self._join(reader, code)
        return reader

    def left(self, reader: CaptionReader, code: str) -> None:
        """A reader has gone."""
        self._languages[code].leave(reader)
        self._services.metrics.queue_drops.labels("room_captions").inc(reader.dropped)

    def _admit(self, code: str) -> Language:
        language, settings = self._languages[code], self._settings
        if not self.live or self.is_closing:
            raise RoomSilent("Nobody speaks in this room yet. Try again soon.", RETRY_SILENT_S)
        if sum(len(each.members) for each in self._languages.values()) >= settings.room_listeners:
            raise AdmissionRefused(
                f"All {settings.room_listeners} places of this room are taken.", RETRY_FULL_S
            )
        at_work = len(self._translations())
        if code != self.source and language.work is None and at_work >= settings.room_languages:
            raise AdmissionRefused(
                f"This room is interpreted into {at_work} languages already; no more at once.",
                RETRY_FULL_S,
            )
        return language

    def _join(self, member: Member, code: str) -> None:
        self._languages[code].join(member)
        if code != self.source:
            self._start(code)
        self._choose_carrier()

    # ---------------------------------------------------------------- languages

    def _translations(self) -> list[Translation]:
        every = (each.translation for each in self._languages.values())
        return [each for each in every if each is not None]

    def _choose_carrier(self) -> None:
        """Captions of the original come with a translation: one that is there, or the usual."""
        if not self._languages[self.source].members:
            self._carrier = ""
            return
        if self._carrier and self._languages[self._carrier].work is not None:
            return
        there = (code for code in self.targets if self._languages[code].work is not None)
        self._carrier = next(there, self.targets[0] if self.targets else "")
        if self._carrier:
            self._start(self._carrier)

    def _start(self, code: str) -> None:
        language = self._languages[code]
        if language.work is not None or self.is_closing:
            return
        self._translations_begun += 1
        # Each translation counts its segments from 1, and readers know a segment by its id.
        life = f"{self._id}_{self._translations_begun}"
        language.translation = Translation(
            f"room {self._id} {code}",
            Direction(self.source, code),
            self._services,
            self._ear,
            self._partials,
            is_heard=lambda: language.is_heard,
            tell=lambda event: self._told(
                code, replace(event, segment_id=f"{event.segment_id}_{life}")
            ),
        )
        work = self._interpret(language, language.translation)
        language.work = asyncio.create_task(work, name=f"room {self._id} {code}")
        self._working.add(language.work)
        language.work.add_done_callback(self._working.discard)

    async def _interpret(self, language: Language, translation: Translation) -> None:
        try:
            await translation.run()
        except Exception:
            logger.exception("room %s: a language failed", self._id)
        finally:
            language.translation = language.work = None

    def _told(self, code: str, event: SegmentEvent) -> None:
        self._languages[code].tell(event)
        if code == self._carrier:
            source = event.source
            target = TargetCaption(source.language, source.text, source.stable_chars)
            self._languages[self.source].tell(replace(event, target=target))

    # ---------------------------------------------------------------- wires

    async def _connect(
        self, peer: Peer, offer_sdp: str, role: Role, code: str | None = None
    ) -> OpenedCall:
        next_packet = None
        if code is not None:
            packets = self._original if code == self.source else self._languages[code]
            next_packet = packets.packet
        transport = await self._accept(offer_sdp, peer, role, next_packet)
        if self.is_closing:
            await transport.close()
            raise RoomSilent("The room has closed meanwhile.", RETRY_SILENT_S)
        # Awaits nothing from here on: a caller who gives up now finds the peer whole.
        peer.attach(transport)
        self._peers[peer.id] = peer
        return OpenedCall(peer.id, transport.answer_sdp, peer.etag)

    def peer(self, peer_id: str) -> Peer:
        """The speaker or a listener. Raises `UnknownSession`."""
        try:
            return self._peers[peer_id]
        except KeyError:
            raise UnknownSession("There is no such session; it may have ended.") from None

    def state(self) -> RoomState:
        """The room as it is now."""
        languages = tuple(
            LanguageState(code, len(each.members)) for code, each in self._languages.items()
        )
        listeners = sum(each.listeners for each in languages)
        left_s = self._left_s(self._services.clock())
        expires_in_ms = None if left_s == math.inf else round(left_s * 1000)
        return RoomState(self.name, self.live, self.source, languages, listeners, expires_in_ms)
