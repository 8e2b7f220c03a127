"""Pauses where two clauses are joined, as they are heard: one, whatever a voice adds."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pytest

from rtc_server.audio.playout import Playout
from rtc_server.engines.base import TtsRequest
from rtc_server.interpreter.backlog import HURRIED_PAUSE_MS, PAUSE_MS, TORN_PAUSE_MS
from rtc_server.interpreter.captions import Direction, SegmentCaptions
from rtc_server.interpreter.delays import Delays
from rtc_server.interpreter.segment_output import Saying, SegmentOutput
from rtc_server.interpreter.segment_spans import SegmentSpans
from rtc_server.interpreter.speech_output import SpeechOutput
from rtc_server.metrics import Metrics
from rtc_server.pcm import FRAME_MS, PLAYOUT_FRAME_SAMPLES, Samples
from rtc_server.tracing import NO_SPAN
from tests.support.fakes import FakeTts

SOUND_MS = 500
TOLERANCE_MS = 12
"""Blocks of 5 ms at both ends of a pause, and the resampler's ringing."""


@dataclass
class EdgyTts(FakeTts):
    """Silence, sound, silence: all of it at once, or in pieces of 7 ms."""

    lead_ms: int = 250
    trail_ms: int = 350
    piece_ms: int = 1000

    async def synthesize(
        self, request: TtsRequest, *, session_id: str
    ) -> AsyncGenerator[Samples, None]:
        rate = self.capabilities.sample_rate
        parts = ((self.lead_ms, 0.0), (SOUND_MS, 0.25), (self.trail_ms, 0.0))
        speech = np.concatenate([np.full(ms * rate // 1000, v, np.float32) for ms, v in parts])
        for piece in np.array_split(speech, max(1, speech.size * 1000 // rate // self.piece_ms)):
            await asyncio.sleep(0)
            yield piece


async def heard_pauses(tts: FakeTts, texts: list[str]) -> list[float]:
    """Return the silences between the clauses of one segment, in ms."""
    clock = asyncio.get_running_loop().time
    output = SpeechOutput(
        session_id="s1",
        tts=tts,
        playout=Playout(60_000),
        emit=lambda _event: None,
        metrics=Metrics(),
        clock=clock,
        spans=SegmentSpans(NO_SPAN, clock),
    )
    captions = SegmentCaptions("seg_1", Direction("ru", "en"), 0)
    segment = SegmentOutput(captions, 0, Delays(0.0, 0.0, 0.0), 0, sayings=len(texts))
    for number, text in enumerate(texts):
        is_last = number == len(texts) - 1
        delays = Delays(0.0, 0.0, 0.0)
        output.offer(
            Saying(segment, text, delays, 0, number=number, is_last=is_last, is_clause=True)
        )
    work = asyncio.create_task(output.run())
    try:
        await output.computed()
    finally:
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work
    frames = []
    while output.queue_ms:
        frame = output.next_frame()
        frames.append(np.zeros(PLAYOUT_FRAME_SAMPLES, np.float32) if frame is None else frame)
    assert sum(len(each) for each in frames) >= len(texts) * SOUND_MS * 48 // 2
    between = np.diff(np.flatnonzero(np.abs(np.concatenate(frames)) > 0.003))
    return [float(each) / 48 for each in between[between > FRAME_MS * 48]]


@pytest.mark.parametrize("piece_ms", [7, 10_000])
@pytest.mark.parametrize(
    ("text", "longest_ms"),
    [("one two", TORN_PAUSE_MS), ("one two,", PAUSE_MS), ("One two.", PAUSE_MS)],
)
async def test_two_clauses_have_one_pause_between_them(
    text: str, longest_ms: int, piece_ms: int
) -> None:
    tts = EdgyTts(piece_ms=piece_ms)
    pauses = await heard_pauses(tts, [text, "Three four."])
    assert pauses == pytest.approx([longest_ms], abs=TOLERANCE_MS)


@pytest.mark.parametrize("text", ["one two,", "One two."])
async def test_in_a_hurry_the_pause_is_short_at_every_join(text: str) -> None:
    pauses = await heard_pauses(EdgyTts(), [text] * 8)
    # Before the first three there is no hurry yet.
    assert pauses[3:] == pytest.approx([HURRIED_PAUSE_MS] * 4, abs=TOLERANCE_MS)


async def test_a_voice_without_silence_gets_only_the_gap_behind_a_sentence() -> None:
    voice = EdgyTts(lead_ms=0, trail_ms=0)
    assert await heard_pauses(voice, ["one two,", "three four,", "five."]) == []
    pauses = await heard_pauses(voice, ["One two.", "Three four.", "Five."])
    assert pauses == pytest.approx([100, 100], abs=TOLERANCE_MS)
