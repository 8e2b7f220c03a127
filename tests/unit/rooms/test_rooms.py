"""The pure parts of a room: captions, slow readers, one frame for all listeners."""

import asyncio
import json

import numpy as np

from rtc_server.events.segment_events import (
    SegmentEvent,
    SegmentStatus,
    SourceCaption,
    TargetCaption,
)
from rtc_server.events.server import ExpiringEvent, ExpiringReason
from rtc_server.metrics import Metrics
from rtc_server.pcm import PLAYOUT_FRAME_SAMPLES, SPEECH_RATE, Pcm, Samples
from rtc_server.rooms.caption_tape import KEPT_CAPTIONS, READER_CAPTIONS, CaptionReader, CaptionTape
from rtc_server.rooms.language import RoomLanguage
from rtc_server.rooms.peer import Peer
from rtc_server.rooms.tracks import Broadcast, OriginalTrack
from rtc_server.session.session_api import Owner
from tests.support.fakes import FakeTransport


def event(text: str, *, final: bool = True) -> SegmentEvent:
    status = SegmentStatus.FINAL if final else SegmentStatus.PARTIAL
    source = SourceCaption("en", text, 0, 0, 100)
    return SegmentEvent("seg_1", 1, final, status, source, TargetCaption("de", text, 0))


def test_a_tape_knows_what_came_after_and_forgets_the_oldest() -> None:
    tape = CaptionTape("room-de")
    first = tape.write(event("eins"))
    tape.write(event("zw", final=False))
    third = tape.write(event("zwei"))
    assert tape.since(None) == tape.recent
    assert tape.since(first.id) == [third]
    assert tape.since("other-de.7") == tape.since("rubbish") == [first, third]
    for _ in range(KEPT_CAPTIONS):
        last = tape.write(event("noch eins"))
    assert len(tape.since("other.0")) == KEPT_CAPTIONS
    assert tape.since("other.0")[-1] is last


async def test_a_slow_reader_misses_partials_and_is_then_closed() -> None:
    tape, reader = CaptionTape("t"), CaptionReader([])
    partial = tape.write(event("…", final=False))
    reader.caption(partial)
    finals = [tape.write(event(str(i))) for i in range(READER_CAPTIONS)]
    for caption in finals:
        reader.caption(caption)
    assert reader.dropped == 1
    reader.caption(tape.write(event("…", final=False)))
    assert reader.dropped == 2
    assert not reader.is_over, "of partials another will come"
    reader.caption(tape.write(event("too much")))
    got = [await reader.next(1.0) for _ in range(READER_CAPTIONS)]
    assert got == finals
    assert reader.is_over
    assert await reader.next(1.0) is None


async def test_a_reader_waits_no_longer_than_it_is_told() -> None:
    reader = CaptionReader([])
    assert await reader.next(15.0) is None
    assert not reader.is_over
    waiting = asyncio.create_task(reader.next(15.0))
    await asyncio.sleep(1)
    reader.close()
    assert await waiting is None
    assert reader.is_over


def test_who_is_still_connecting_is_warned_afterwards() -> None:
    metrics = Metrics()
    language = RoomLanguage(CaptionTape("t"), metrics, 0.0)
    listener = Peer("lis_1", Owner(), metrics, on_connected=lambda: None, on_over=lambda: None)
    language.join(listener)
    language.warn(ExpiringEvent(60_000, ExpiringReason.LIMIT))
    transport = FakeTransport(listener)
    listener.attach(transport)
    assert not transport.sent
    for _ in range(2):
        language.warn(ExpiringEvent(59_500, ExpiringReason.LIMIT))
    warning = json.loads(*transport.sent)
    assert (warning["type"], warning["in_ms"]) == ("x.expiring", 59_500)


def test_a_frame_is_made_once_for_everybody_who_asks() -> None:
    asked: list[int] = []

    def next_frame() -> Samples:
        asked.append(1)
        return np.full(PLAYOUT_FRAME_SAMPLES, 0.1, np.float32)

    metrics = Metrics()
    broadcast = Broadcast(next_frame, metrics)
    packets = [broadcast.packet(tick) for tick in (1, 1, 1, 2, 2, 5)]
    assert len(asked) == 3
    assert packets[0] is packets[1] is packets[2]
    assert packets[3] is packets[4] is not packets[5]
    assert metrics.registry.get_sample_value("rtc_room_frames_encoded_total") == 3
    broadcast.close()
    assert broadcast.packet(6) is None


def test_the_original_flows_and_never_lags() -> None:
    metrics = Metrics()
    original = OriginalTrack(metrics)
    step = SPEECH_RATE // 50
    voice = (0.3 * np.sin(np.arange(step * 200) / 5)).astype(np.float32)
    for i in range(50):
        original.feed(Pcm(voice[i * step : (i + 1) * step], i * step))
        packet = original.packet(i)
        assert i < 3 or packet is not None
    for i in range(50, 200):  # nobody pulls: the queue is bounded
        original.feed(Pcm(voice[i * step : (i + 1) * step], i * step))
    dropped = metrics.registry.get_sample_value("rtc_queue_drops_total", {"queue": "original"})
    assert dropped is not None and 120 < dropped < 150
    original.close()
