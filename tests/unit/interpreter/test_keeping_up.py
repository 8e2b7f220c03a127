"""A voice that takes a fifth longer than the speaker recovers from delays, in virtual time."""

import asyncio
from collections.abc import AsyncGenerator

import numpy as np

from rtc_server.engines.base import TtsRequest
from rtc_server.pcm import FRAME_MS, SPEECH_RATE, Pcm, Samples
from tests.support.interpreting import STEP, Interpreting, WordTts, interpreting
from tests.support.talk import audio, sentences


class ExactTts(WordTts):
    """Takes `word_s` for each word, to the sample."""

    async def synthesize(
        self, request: TtsRequest, *, session_id: str
    ) -> AsyncGenerator[Samples, None]:
        self.requests.append(request)
        await asyncio.sleep(0.05)
        seconds = self.word_s * len(request.text.split()) / request.rate
        yield np.full(round(seconds * self.capabilities.sample_rate), 0.25, np.float32)


async def test_a_delay_is_made_up_for_by_a_voice_a_fifth_longer() -> None:
    """If each clause filled its last frame, such a voice would have no time to spare."""
    word_ms = 377  # not a multiple of a frame, nor are its clauses
    speech = audio(talk := sentences(36, word_ms=word_ms))
    stall, behind, last, end = (second * SPEECH_RATE for second in (35, 36, 101, 108))
    tts = ExactTts()
    async with interpreting(talk, word_s=1.2 * word_ms / 1000, tts=tts) as b:
        await b.hear(speech[: stall - 7 * SPEECH_RATE])
        usual_ms = await most_late_ms(b, speech[stall - 7 * SPEECH_RATE : stall])
        for start in range(stall, behind, STEP):  # the speaker goes on, and nothing is played
            b.interpreter.audio.feed(Pcm(speech[start : start + STEP], start))
            await asyncio.sleep(FRAME_MS / 1000)
        b.position = behind
        late_ms = await most_late_ms(b, speech[behind : behind + 7 * SPEECH_RATE])
        assert late_ms > usual_ms + 700
        await b.hear(speech[behind + 7 * SPEECH_RATE : last])
        assert await most_late_ms(b, speech[last:end]) < late_ms - 200
        assert not [event for event in b.playout if event.state == "skipped"]


async def most_late_ms(b: Interpreting, samples: Samples) -> float:
    """Return the largest delay of the voice at the beginnings of clauses."""
    found = list[float]()
    for start in range(0, samples.size, SPEECH_RATE // 2):
        await b.hear(samples[start : start + SPEECH_RATE // 2])
        delays = b.interpreter.last_delays
        assert delays is not None and delays.ear_voice_ms is not None
        found.append(delays.ear_voice_ms)
    return max(found)
