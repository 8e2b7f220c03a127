"""Tempo of speech that is synthesized already, in the real playout."""

import asyncio

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rtc_server.audio.playout import Playout
from rtc_server.audio.time_stretch import MOST_SKIP
from rtc_server.interpreter.backlog import Backlog, BacklogRules
from rtc_server.interpreter.captions import Direction, SegmentCaptions
from rtc_server.interpreter.delays import Delays
from rtc_server.interpreter.modes import PRESETS, Mode
from rtc_server.interpreter.queued_speech import QueuedSpeech
from rtc_server.interpreter.segment_output import Saying, SegmentOutput
from rtc_server.pcm import PLAYOUT_RATE, samples_to_ms
from tests.support.signals import tone
from tests.support.virtual_time import VirtualTimeLoop

WHOLE = BacklogRules()
STEPWISE = PRESETS[Mode.BALANCED].backlog


class Waiting:
    """Speech that waits, sentence by sentence."""

    def __init__(self, rules: BacklogRules) -> None:
        self.playout = Playout(600_000)
        self.backlog = Backlog(rules)
        self.queued = QueuedSpeech(self.playout, self.backlog)
        self.sayings: list[Saying] = []
        self.heard: list[tuple[str, int]] = []
        """Names of the sentences that were played to the end, and the frames of sound until then.
        """
        self.frames = 0

    def add(self, *lengths_ms: float, tempo: float = 1.0, is_whole: bool = True) -> None:
        """Add a sentence of that many clauses; unless whole, without those before them."""
        output = SegmentOutput(
            SegmentCaptions(f"seg_{len(self.sayings)}", Direction("ru", "en"), 0),
            0,
            Delays(0.0, 0.0, 0.0),
            0,
            sayings=len(lengths_ms),
            tempo=tempo,
        )
        for number, length_ms in enumerate(lengths_ms):
            saying = Saying(
                output,
                "words",
                Delays(0.0, 0.0, 0.0, synthesized_s=0.0),
                0,
                number=number,
                begins_sentence=is_whole and number == 0,
                is_clause=True,
                tempo=tempo,
            )
            self.sayings.append(saying)
            self.playout.push(saying.key, tone(220, length_ms, sample_rate=PLAYOUT_RATE))
            self.playout.finish(saying.key, pause=number == len(lengths_ms) - 1)

    async def catch_up(self) -> list[float]:
        """Return the tempo of each clause."""
        await self.queued.catch_up(self.sayings)
        return [saying.tempo for saying in self.sayings]

    def play(self, frames: int) -> None:
        for _ in range(frames):
            frame = self.playout.pull()
            self.frames += frame.samples is not None
            self.heard += [(change.segment_id, self.frames) for change in frame.changes]


async def test_what_is_left_of_a_sentence_is_no_part_of_the_one_before_it() -> None:
    waiting = Waiting(WHOLE)
    waiting.add(4000)
    waiting.add(4000, tempo=1.25, is_whole=False)
    waiting.add(8000)
    before_ms = samples_to_ms(
        waiting.playout.unstarted_samples(waiting.sayings[1].key), PLAYOUT_RATE
    )
    tempos = await waiting.catch_up()
    assert tempos[0] > 1.1
    assert tempos[1] == 1.25
    after_ms = samples_to_ms(
        waiting.playout.unstarted_samples(waiting.sayings[1].key), PLAYOUT_RATE
    )
    assert after_ms == before_ms


async def test_what_is_cleared_is_stretched_no_further() -> None:
    waiting = Waiting(WHOLE)
    waiting.add(30_000)
    waiting.add(30_000)
    catching_up = asyncio.create_task(waiting.queued.catch_up(waiting.sayings))
    await asyncio.sleep(0)
    waiting.playout.clear()
    for _ in range(5):  # of some 1200 pieces
        await asyncio.sleep(0)
    assert catching_up.done()


async def test_speech_that_waits_becomes_faster_when_more_comes_behind_it() -> None:
    waiting = Waiting(WHOLE)
    waiting.add(3000)
    waiting.add(4000)
    waiting.play(1)
    assert await waiting.catch_up() == pytest.approx([1.0, 1.165], abs=0.001)
    waiting.add(4000)
    assert await waiting.catch_up() == pytest.approx([1.0, 1.25, 1.25])
    assert waiting.playout.queue_ms == pytest.approx(2980 + 2 * 4000 / 1.25, abs=30)


async def test_a_long_sentence_takes_its_time_when_nothing_else_waits() -> None:
    waiting = Waiting(WHOLE)
    waiting.add(20_000)
    assert await waiting.catch_up() == [1.0]
    waiting.play(1)
    assert await waiting.catch_up() == [1.0]


async def test_all_clauses_of_a_sentence_have_one_tempo() -> None:
    waiting = Waiting(STEPWISE)
    waiting.add(3000)
    waiting.add(1500, 900, 1200)
    waiting.play(1)
    assert await waiting.catch_up() == pytest.approx([1.0, 1.05, 1.05, 1.05])
    assert waiting.backlog.tempo(2000, begins_sentence=False) == pytest.approx(1.05)
    # A sentence that has begun to play does not change any more.
    waiting.play(3200 // 20)
    waiting.add(5000, tempo=1.05)
    assert await waiting.catch_up() == pytest.approx([1.0, 1.05, 1.05, 1.05, 1.1])


@pytest.mark.parametrize("end", ["begun", "dropped"])
async def test_what_is_begun_or_dropped_meanwhile_stays_as_it_is(end: str) -> None:
    waiting = Waiting(WHOLE)
    for length_ms in (100, 4000, 4000):
        waiting.add(length_ms)
    work = asyncio.create_task(waiting.catch_up())
    await asyncio.sleep(0)
    assert not work.done()
    if end == "begun":
        waiting.play(20)
    else:
        waiting.playout.clear()
    assert await work == [1.0, 1.0, 1.0]


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from([WHOLE, STEPWISE]),
    st.lists(st.lists(st.integers(60, 2500), min_size=1, max_size=3), min_size=1, max_size=5),
    st.integers(0, 60),
)
def test_what_is_promised_is_heard(
    rules: BacklogRules, sentences: list[list[int]], begun: int
) -> None:
    waiting = Waiting(rules)
    for lengths_ms in sentences:
        waiting.add(*lengths_ms)
    waiting.play(begun)
    keys = [saying.key for saying in waiting.sayings]
    before = {key: waiting.playout.unstarted_samples(key) for key in keys}
    loop = VirtualTimeLoop()
    try:
        loop.run_until_complete(waiting.catch_up())
    finally:
        loop.close()
    promised = waiting.playout.queue_ms * PLAYOUT_RATE / 1000
    for saying in waiting.sayings:
        samples = before[saying.key]
        if not samples:
            assert saying.tempo == 1.0
            continue
        after = waiting.playout.unstarted_samples(saying.key)
        assert after == pytest.approx(samples / saying.tempo, abs=2 * MOST_SKIP)
    heard = 0
    for _ in range(4000):
        frame = waiting.playout.pull()
        if frame.samples is not None:
            heard += int(np.count_nonzero(frame.samples))
    clauses = sum(map(len, sentences))
    assert waiting.playout.queue_ms == 0
    # Each clause, and each shortening of it, may add a few zeros.
    assert promised - 4 * clauses <= heard <= promised
