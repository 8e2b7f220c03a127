"""Languages that are interpreted in a room: each while it has members, and a little longer.

All languages share one segmenter of the speaker. The original language is not interpreted; its
captions are taken from one of the translations, the carrier.
"""

import asyncio
import logging
from functools import cache

from msgspec.structs import replace

from rtc_server.errors import AdmissionRefused, RateLimited
from rtc_server.events.segment_events import SegmentEvent, TargetCaption
from rtc_server.events.server import ExpiringEvent
from rtc_server.interpreter.captions import Direction
from rtc_server.interpreter.simultaneous import PassPacing
from rtc_server.pcm import Pcm
from rtc_server.rooms.caption_tape import Caption, CaptionReader, CaptionTape
from rtc_server.rooms.language import RoomLanguage
from rtc_server.rooms.room_api import LanguageState
from rtc_server.rooms.room_settings import RoomSettings
from rtc_server.rooms.room_usage import RoomMeter
from rtc_server.rooms.shared_engines import SharedPartials
from rtc_server.rooms.shared_segmenter import SharedSegmenter
from rtc_server.rooms.tracks import Member, OriginalTrack, TranslationTrack
from rtc_server.session.place_limits import most_of_one_key
from rtc_server.session.services import Services
from rtc_server.session.time_limit import DRAIN_MARGIN_S
from rtc_server.subject_log import Subject, SubjectLog
from rtc_server.transport.transport_api import NextPacket

TAIL_S = 0.5
"""Time for the last packets to leave the listeners' jitter buffers."""
RETRY_ROOM_FULL_S = 10
"""Seconds after which to try again when a room is full."""

logger = logging.getLogger(__name__)


class Languages:
    """Languages of one room, and the tasks that interpret them."""

    def __init__(
        self,
        room_id: str,
        source: str,
        targets: tuple[str, ...],
        services: Services,
        settings: RoomSettings,
        *,
        meter: RoomMeter,
    ) -> None:
        """`room_id`: id for the log and the captions; `targets`: languages to translate into, the
        default first; `meter`: counts of members and translations.
        """
        self._id, self._source, self._targets = room_id, source, targets
        self._log = SubjectLog(logger, Subject.ROOM, room_id)
        self._services, self._settings, self._meter = services, settings, meter
        self._segmenter = SharedSegmenter(services.make_segmenter())
        self._partials = SharedPartials(services.ast, f"room {room_id}")
        self._pacing = cache(PassPacing)
        self._original = OriginalTrack(services.metrics)
        self._all = {
            code: RoomLanguage(CaptionTape(f"{room_id}-{code}"), services.metrics, services.clock())
            for code in (source, *targets)
        }
        self._carrier = ""
        """Code of the translation whose source texts are the captions of the original."""
        self._working: set[asyncio.Task[None]] = set()
        self._begun = 0
        """Number of translations started so far."""
        self._is_ending = False

    # ---------------------------------------------------------------- the speaker

    def feed(self, pcm: Pcm) -> bool:
        """Take the speaker's next audio, on the room's audio clock; return whether speech began,
        paused or ended in it.
        """
        self._segmenter.feed(pcm)
        self._original.feed(pcm)
        for translation in self._translations():
            translation.feed(pcm)
        return bool(self._segmenter.events)

    @property
    def is_speech_open(self) -> bool:
        """True while a segment is open."""
        return self._segmenter.is_open

    def interrupt(self) -> None:
        """End the open segment: the speaker's transport has ended."""
        self._segmenter.interrupt()
        for translation in self._translations():
            translation.interrupt()

    def on_tick(self, number: int, _now_s: float) -> None:
        """Advance every language by one tick, even without listeners."""
        self._original.packet(number)
        for translation in self._translations():
            translation.packet(number)

    # ---------------------------------------------------------------- those who listen

    @property
    def states(self) -> tuple[LanguageState, ...]:
        """Number of members of each language."""
        return tuple(LanguageState(code, len(each.members)) for code, each in self._all.items())

    def admit(self, code: str, source: str) -> None:
        """Raise unless there is room for one more member of a language.

        Args:
            code: the language.
            source: the member's address, see `Member.source`.

        Raises:
            RateLimited: the remaining places are kept for other addresses.
            AdmissionRefused: all places, or all languages at once, are taken.
        """
        most, most_languages = self._settings.room_listeners, self._settings.room_languages
        if sum(each.listeners for each in self.states) >= most:
            raise AdmissionRefused(f"All {most} places of this room are taken.", RETRY_ROOM_FULL_S)
        most_near = self._settings.room_address_listeners or most_of_one_key(most)
        if source and self._from(source) >= most_near:
            raise RateLimited(
                f"All {most_near} places that one address may have in this room are taken.",
                RETRY_ROOM_FULL_S,
            )
        at_work = len(self._translations())
        if code != self._source and self._all[code].work is None and at_work >= most_languages:
            raise AdmissionRefused(
                f"This room is interpreted into {at_work} languages already; no more at once.",
                RETRY_ROOM_FULL_S,
            )

    def join(self, member: Member, code: str) -> None:
        """Add a member to a language, and start its interpretation if it is not running."""
        self._all[code].join(member)
        if code != self._source:
            self._start(code)
        self._choose_carrier()

    def leave(self, member: Member, code: str) -> None:
        """Remove a member from a language. Idempotent."""
        self._all[code].leave(member)
        self._meter.member_left(member, code, hears=member.hears)

    def reader(self, code: str, last_id: str | None, source: str) -> CaptionReader:
        """Return a reader of a language from `last_id` on; it must be joined."""
        return CaptionReader(self._all[code].tape.since(last_id), source)

    def recent(self, code: str) -> list[Caption]:
        """Return the last final captions of a language, for a member who joins."""
        return self._all[code].tape.recent

    def packets(self, code: str) -> NextPacket:
        """Return the source of a listener's packets."""
        return self._original.packet if code == self._source else self._all[code].packet

    def warn(self, event: ExpiringEvent) -> None:
        """Send a warning to every member who has not received it yet."""
        for language in self._all.values():
            language.warn(event)

    def all_clear(self) -> None:
        """Forget that a warning was sent, so that it is sent again when the end is near again."""
        for language in self._all.values():
            language.all_clear()

    # ---------------------------------------------------------------- interpreting

    def keep(self, now_s: float) -> None:
        """Restart interpretations that failed, and end those without members for a while."""
        self._choose_carrier()
        for code, language in self._all.items():
            wanted = bool(language.members) or code == self._carrier
            idle_s = language.idle_s(now_s, wanted=wanted)
            if language.work is None:
                if language.members and code != self._source:
                    self._start(code)
            elif not wanted and idle_s >= self._settings.room_linger_s:
                language.work.cancel()

    def _from(self, source: str) -> int:
        """Return the number of members with that address."""
        return sum(
            member.source == source for each in self._all.values() for member in each.members
        )

    def _translations(self) -> list[TranslationTrack]:
        every = (each.translation for each in self._all.values())
        return [each for each in every if each is not None]

    def _choose_carrier(self) -> None:
        """Choose the translation whose source texts are the captions of the original: one that is
        running, or else the default target.
        """
        if not self._all[self._source].members:
            self._carrier = ""
            return
        if self._carrier and self._all[self._carrier].work is not None:
            return
        there = (code for code in self._targets if self._all[code].work is not None)
        self._carrier = next(there, self._targets[0] if self._targets else "")
        if self._carrier:
            self._start(self._carrier)

    def _start(self, code: str) -> None:
        language = self._all[code]
        if language.work is not None or self._is_ending:
            return
        self._begun += 1
        # Each interpretation numbers its segments from 1, but ids must be unique for readers.
        life = f"{self._id}_{self._begun}"
        language.translation = TranslationTrack(
            f"room {self._id} {code}",
            Direction(self._source, code),
            self._services,
            self._segmenter,
            self._partials,
            make_pacing=self._pacing,
            is_heard=lambda: language.is_heard,
            publish=lambda event: self._publish(
                code, replace(event, segment_id=f"{event.segment_id}_{life}")
            ),
        )
        work = self._interpret(language, language.translation)
        language.work = asyncio.create_task(work, name=f"room {self._id} {code}")
        self._working.add(language.work)
        language.work.add_done_callback(self._working.discard)

    async def _interpret(self, language: RoomLanguage, translation: TranslationTrack) -> None:
        try:
            await translation.run()
        except Exception:
            self._log.exception("a language failed")
        finally:
            language.translation = language.work = None

    def _publish(self, code: str, event: SegmentEvent) -> None:
        self._all[code].publish(event)
        self._meter.add(code, event)
        if code == self._carrier:
            source = event.source
            target = TargetCaption(source.language, source.text, source.stable_chars)
            self._all[self._source].publish(replace(event, target=target))

    # ---------------------------------------------------------------- the end

    async def finish(self) -> None:
        """Start nothing more; wait until everything said so far was played, or takes too long."""
        self._is_ending = True
        self.interrupt()
        pending = [each for each in self._translations() if each.pending]
        if not pending:
            return
        most_s = max(each.queue_ms for each in pending) / 1000 + DRAIN_MARGIN_S
        try:
            async with asyncio.timeout(most_s):
                await asyncio.gather(*(each.drained() for each in pending))
        except TimeoutError:
            self._log.warning("closed with speech still waiting")
        await asyncio.sleep(TAIL_S)

    def dismiss_readers(self) -> None:
        """End the queues of all readers. Listeners learn of the end by their transports."""
        for code, language in self._all.items():
            for member in list(language.members):
                if isinstance(member, CaptionReader):
                    member.close()
                    self.leave(member, code)

    async def close(self) -> None:
        """Free everything."""
        self._is_ending = True
        try:
            for task in self._working:
                task.cancel()
            await asyncio.gather(*self._working, return_exceptions=True)
        finally:
            self._original.close()
            self._partials.forget()
