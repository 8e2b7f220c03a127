"""Pauses between two clauses in the played speech: one, whatever silence a voice adds."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
import pytest

from rtc_server.audio.pauses import LEADING_MS
from rtc_server.audio.playout import GAP_MS, Playout
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


class Voice:
    """The speech output of a session, and everything that it played."""

    def __init__(self, tts: FakeTts) -> None:
        clock = asyncio.get_running_loop().time
        self.output = SpeechOutput(
            session_id="s1",
            tts=tts,
            playout=Playout(60_000),
            emit=lambda _event: None,
            metrics=Metrics(),
            clock=clock,
            spans=SegmentSpans(NO_SPAN, clock),
        )
        self.frames: list[Samples] = []

    def offer(self, segment_id: str, texts: list[str], *, is_over: bool) -> SegmentOutput:
        """Offer the clauses of a segment; `is_over`: it is known that the last of them ends it."""
        captions = SegmentCaptions(segment_id, Direction("ru", "en"), 0)
        generation = self.output.generation
        delays = Delays(0.0, 0.0, 0.0)
        segment = SegmentOutput(captions, 0, delays, generation, sayings=len(texts))
        for number, text in enumerate(texts):
            self.output.offer(
                Saying(
                    segment,
                    text,
                    Delays(0.0, 0.0, 0.0),
                    generation,
                    number=number,
                    is_last=is_over and number == len(texts) - 1,
                    is_clause=True,
                )
            )
        return segment

    async def computed(self) -> None:
        """Synthesize all that was offered."""
        work = asyncio.create_task(self.output.run())
        try:
            await self.output.computed()
        finally:
            work.cancel()
            with suppress(asyncio.CancelledError):
                await work

    def play(self) -> None:
        """Play until nothing waits."""
        while self.output.queue_ms:
            frame = self.output.next_frame()
            silent = np.zeros(PLAYOUT_FRAME_SAMPLES, np.float32)
            self.frames.append(silent if frame is None else frame)

    @property
    def pauses_ms(self) -> list[float]:
        """Return the silences between two sounds."""
        between = np.diff(np.flatnonzero(np.abs(np.concatenate(self.frames)) > 0.003))
        return [float(each) / 48 for each in between[between > FRAME_MS * 48]]


async def heard_pauses(tts: FakeTts, texts: list[str]) -> list[float]:
    """Return the silences between the clauses of one segment, in ms."""
    voice = Voice(tts)
    voice.offer("seg_1", texts, is_over=True)
    await voice.computed()
    voice.play()
    assert sum(len(each) for each in voice.frames) >= len(texts) * SOUND_MS * 48 // 2
    return voice.pauses_ms


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
    # Before the first three, nothing is shortened.
    assert pauses[3:] == pytest.approx([HURRIED_PAUSE_MS] * 4, abs=TOLERANCE_MS)


async def test_a_voice_without_silence_gets_only_the_gap_behind_a_sentence() -> None:
    voice = EdgyTts(lead_ms=0, trail_ms=0)
    assert await heard_pauses(voice, ["one two,", "three four,", "five."]) == []
    pauses = await heard_pauses(voice, ["One two.", "Three four.", "Five."])
    assert pauses == pytest.approx([100, 100], abs=TOLERANCE_MS)


@pytest.mark.parametrize("known", ["before", "while it waits", "after it was heard"])
@pytest.mark.parametrize("text", ["one two", "one two,", "One two."])
@pytest.mark.parametrize(
    ("lead_ms", "trail_ms", "pause_ms"), [(250, 350, PAUSE_MS), (0, 0, GAP_MS), (0, 70, 170)]
)
async def test_a_segment_has_its_pause_whenever_its_end_is_known(
    lead_ms: int, trail_ms: int, pause_ms: int, text: str, known: str
) -> None:
    voice = Voice(EdgyTts(lead_ms=lead_ms, trail_ms=trail_ms))
    segment = voice.offer("seg_1", [text], is_over=known == "before")
    await voice.computed()
    if known == "while it waits":
        voice.output.complete(segment)
    if known == "after it was heard":
        voice.play()
        voice.output.complete(segment)
    voice.offer("seg_2", ["Three four."], is_over=True)
    await voice.computed()
    voice.play()
    # What comes after the last frame was played begins with the next one.
    tolerance_ms = TOLERANCE_MS + (FRAME_MS if known == "after it was heard" else 0)
    assert voice.pauses_ms == pytest.approx([pause_ms], abs=tolerance_ms)


async def test_in_a_hurry_a_late_end_has_a_short_pause() -> None:
    voice = Voice(EdgyTts())
    voice.offer("seg_1", ["One two."] * 4 + ["one two"], is_over=False)
    await voice.computed()
    voice.offer("seg_2", ["Three four."], is_over=True)
    await voice.computed()
    voice.play()
    assert voice.pauses_ms[-1] == pytest.approx(HURRIED_PAUSE_MS, abs=TOLERANCE_MS)


async def test_behind_what_was_cleared_there_is_no_pause() -> None:
    voice = Voice(EdgyTts(lead_ms=0))
    segment = voice.offer("seg_1", ["one two"], is_over=False)
    await voice.computed()
    voice.play()
    voice.output.clear()
    voice.output.complete(segment)
    voice.offer("seg_2", ["Three four."], is_over=True)
    await voice.computed()
    voice.play()
    assert voice.pauses_ms == pytest.approx([TORN_PAUSE_MS - LEADING_MS], abs=FRAME_MS)
