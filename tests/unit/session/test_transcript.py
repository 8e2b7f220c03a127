"""Transcripts: the kept part of a session, for how long, and its formats."""

import asyncio
import json
from itertools import pairwise

import pytest

from rtc_server.errors import UnknownSession
from rtc_server.events.client import SessionPatch
from rtc_server.events.segment_events import (
    SegmentEvent,
    SegmentStatus,
    SourceCaption,
    TargetCaption,
)
from rtc_server.session.cues import Cue, cut
from rtc_server.session.session_api import (
    Claimant,
    LastSeen,
    Owner,
    SessionRequest,
    TranscriptEntry,
)
from rtc_server.session.subtitles import Format, Side, written
from rtc_server.session.transcript import MAX_CHARS, MAX_SEGMENTS, Archive, SessionTranscript
from rtc_server.transport.transport_api import CloseReason
from tests.support.fakes import FakeAst, joined, ok, silence, tone
from tests.support.session_bench import ALL, session_bench, speak


def spoken(source: str, target: str, start_ms: int, end_ms: int) -> TranscriptEntry:
    return TranscriptEntry(
        1_790_000_000.5 + start_ms / 1000,
        SourceCaption("ru", source, len(source), start_ms, end_ms),
        TargetCaption("en", target, len(target)),
    )


TALK = (
    spoken("Где вокзал?", "Where is the station?", 1_200, 2_100),
    spoken("Том & <Джерри>", "Tom & <Jerry>", 2_300, 3_000),
    spoken("Да.", "Yes.", 3_723_004, 3_726_504),
)


def test_text_has_a_line_for_each_language() -> None:
    assert written(TALK[:2], Format.TXT, Side.BOTH) == (
        "Где вокзал?\nWhere is the station?\n\nТом & <Джерри>\nTom & <Jerry>\n"
    )
    assert written(TALK[:2], Format.TXT, Side.TARGET) == "Where is the station?\n\nTom & <Jerry>\n"


def test_srt_is_numbered_and_not_escaped() -> None:
    assert written(TALK, Format.SRT, Side.SOURCE) == (
        "1\n00:00:01,200 --> 00:00:02,300\nГде вокзал?\n\n"
        "2\n00:00:02,300 --> 00:00:03,800\nТом & <Джерри>\n\n"
        "3\n01:02:03,004 --> 01:02:06,504\nДа.\n"
    )


LONG = (
    "Поезд на Москву отправляется с третьего пути в четырнадцать часов сорок минут, а следующий "
    "за ним идёт только завтра утром в половине седьмого с соседней платформы."
)


def test_a_long_speech_becomes_cues_that_can_be_read() -> None:
    for texts in ((LONG,), (LONG, LONG.upper())):
        cues = list(cut(texts, 1000, 12_000))
        assert all(len(cue.lines) <= 2 and max(map(len, cue.lines)) <= 42 for cue in cues)
        assert all(0 < cue.end_ms - cue.start_ms <= 7000 for cue in cues)
        assert (cues[0].start_ms, cues[-1].end_ms) == (1000, 12_000)
        assert all(one.end_ms == next_one.start_ms for one, next_one in pairwise(cues))
        said = " ".join(line for cue in cues for line in cue.lines if line != line.upper())
        assert said == LONG


def test_short_words_over_a_long_time_stand_for_seven_seconds() -> None:
    assert list(cut(("Да.", "Yes."), 0, 15_000)) == [Cue(0, 7000, ("Да.", "Yes."))]


def test_what_would_break_a_file_does_not_get_into_it() -> None:
    cues = list(cut((f"a --> b\n\n\nc {'x' * 50}",), 0, 1000))
    assert [line for cue in cues for line in cue.lines] == ["a → b c", "x" * 42, "x" * 8]


def test_text_of_two_people_says_who_and_when() -> None:
    answer = TranscriptEntry(
        0.0, SourceCaption("en", "Over there.", 11, 65_000, 66_000), TargetCaption("ru", "Там.", 4)
    )
    assert written((TALK[0], answer), Format.TXT, Side.BOTH) == (
        "[00:00:01] RU\nГде вокзал?\nWhere is the station?\n\n[00:01:05] EN\nOver there.\nТам.\n"
    )


def test_webvtt_is_escaped() -> None:
    assert written(TALK[1:2], Format.VTT, Side.BOTH) == (
        "WEBVTT\n\n00:00:02.300 --> 00:00:03.800\nТом &amp; &lt;Джерри>\nTom &amp; &lt;Jerry>\n"
    )


def test_json_has_both_languages_and_both_times() -> None:
    [row] = json.loads(written(TALK[:1], Format.JSON, Side.TARGET))["segments"]
    assert row == {
        "at": "2026-09-21T14:13:21.700Z",
        "start_ms": 1200,
        "end_ms": 2100,
        "source": {"language": "ru", "text": "Где вокзал?"},
        "target": {"language": "en", "text": "Where is the station?"},
    }


def test_nothing_said_is_still_a_file() -> None:
    assert [written((), form, Side.BOTH) for form in Format] == [
        "\n",
        "",
        "WEBVTT\n",
        '{\n  "segments": []\n}\n',
    ]


def test_two_segments_that_begin_together_both_have_a_time() -> None:
    twice = (TALK[0], TALK[0])
    first = written(twice, Format.SRT, Side.BOTH).splitlines()[1]
    assert first == "00:00:01,200 --> 00:00:01,201"


def segment(number: int, status: SegmentStatus, text: str = "да") -> SegmentEvent:
    return SegmentEvent(
        f"seg_{number}",
        1,
        status is not SegmentStatus.PARTIAL,
        status,
        SourceCaption("ru", text, len(text), number, number + 1),
        TargetCaption("en", text, len(text)),
    )


def test_only_what_was_understood_stays_dated_by_its_first_caption() -> None:
    transcript = SessionTranscript()
    transcript.add(segment(1, SegmentStatus.PARTIAL), 10.0)
    transcript.add(segment(1, SegmentStatus.FINAL), 11.0)
    transcript.add(segment(2, SegmentStatus.NOT_UNDERSTOOD), 12.0)
    transcript.add(segment(3, SegmentStatus.FAILED), 13.0)
    transcript.add(segment(4, SegmentStatus.FINAL), 14.0)
    assert [(each.at_s, each.source.start_ms) for each in transcript.segments] == [
        (10.0, 1),
        (14.0, 4),
    ]


def test_a_transcript_is_bounded() -> None:
    transcript = SessionTranscript()
    given_up = sum(
        transcript.add(segment(n, SegmentStatus.FINAL), 0.0) for n in range(MAX_SEGMENTS + 5)
    )
    assert given_up == 5
    assert transcript.segments[0].source.start_ms == 5
    assert transcript.add(segment(0, SegmentStatus.FINAL, "x" * (MAX_CHARS // 2)), 0.0) == (
        MAX_SEGMENTS
    )
    assert len(transcript.segments) == 1


def test_an_archive_is_bounded() -> None:
    archive = Archive(2)
    for name in "abc":
        archive.keep(name, Owner(name), SessionTranscript())
    assert archive.find("a") is None
    archive.forget("a")
    archive.forget("b")
    found = archive.find("c")
    assert archive.find("b") is None
    assert found is not None
    assert found[0] == Owner("c")


async def test_it_is_read_while_the_session_lasts_and_for_a_while_after() -> None:
    async with session_bench(FakeAst([ok("раз", "one"), ok("два", "two")]), resume_s=30) as bench:
        owner = Owner("key")
        opened = await bench.manager.open_call("offer", SessionRequest(claimant=Claimant(owner)))
        session_id = opened.session_id
        assert not bench.manager.transcript(session_id)
        bench.transports[0].observer.on_connected()
        await speak(bench.transports[0], joined([tone(1), silence(2)]))
        assert [each.target.text for each in bench.manager.transcript(session_id)] == ["one"]
        await speak(bench.transports[0], tone(1), 3 * 16_000)
        bench.transports[0].observer.on_closed(CloseReason.PEER_LOST)
        await asyncio.sleep(1)
        await bench.manager.resume_call(session_id, "offer", LastSeen())
        await bench.manager.close_call(session_id, drain=False)
        assert bench.manager.sessions == 0
        await asyncio.sleep(29)
        said = bench.manager.transcript(session_id)
        assert [each.source.text for each in said] == ["раз", "два"]
        assert said[0].at_s < said[1].at_s
        assert bench.manager.owner(session_id) == owner
        await bench.manager.close_call(session_id, drain=False)  # it is over, as was asked
        await asyncio.sleep(2)
        for read in (bench.manager.transcript, bench.manager.owner):
            with pytest.raises(UnknownSession):
                read(session_id)
        with pytest.raises(UnknownSession):
            await bench.manager.close_call(session_id, drain=False)


async def test_without_a_window_nothing_stays() -> None:
    async with session_bench(resume_s=0) as bench:
        session_id = await bench.call(SessionPatch(x_events=ALL))
        await bench.manager.close_call(session_id, drain=False)
        with pytest.raises(UnknownSession):
            bench.manager.transcript(session_id)
