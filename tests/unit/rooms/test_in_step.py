"""Languages of a room ask in step, so that an engine listens once for all of them."""

import asyncio
from dataclasses import dataclass, field
from functools import cache

from rtc_server.audio.playout import Playout
from rtc_server.config import InterpreterSettings, SegmenterSettings
from rtc_server.engines.base import AstRequest, AstResult
from rtc_server.interpreter.audio_input import AudioInput
from rtc_server.interpreter.captions import Direction
from rtc_server.interpreter.echo import EchoGuard
from rtc_server.interpreter.interpreter import Interpreter
from rtc_server.interpreter.simultaneous import PassPacing
from rtc_server.interpreter.speech_segmenter import SpeechSegmenter
from rtc_server.metrics import Metrics
from rtc_server.pcm import FRAME_MS, SPEECH_RATE, Pcm, Samples
from rtc_server.rooms.shared_segmenter import SegmenterView, SharedSegmenter
from tests.support.fakes import FakeTts, LoudnessVad
from tests.support.talk import OracleAst, audio, sentences

STEP = SPEECH_RATE * FRAME_MS // 1000
LISTENS_S, TRANSLATES_S = 0.15, 0.05


@dataclass
class OneAtATime(OracleAst):
    """Engine that takes time to encode audio, and less if it got the same audio right before."""

    free_s: float = 0.0
    listened: list[bytes] = field(default_factory=list)
    """Different audio, in order."""

    def submit(self, request: AstRequest, *, session_id: str) -> asyncio.Future[AstResult]:
        now_s, sound = asyncio.get_running_loop().time(), request.samples.tobytes()
        cost_s = TRANSLATES_S
        if sound not in self.listened[-1:]:
            self.listened.append(sound)
            cost_s += LISTENS_S
        self.free_s = max(self.free_s, now_s) + cost_s
        self.delay_s = self.free_s - now_s
        return super().submit(request, session_id=session_id)


async def test_an_engine_listens_once_for_all_languages_of_a_room() -> None:
    talk, loop = sentences(5), asyncio.get_running_loop()
    ast, segmenter, make_pacing = OneAtATime(talk), SharedSegmenter(_segmenter()), cache(PassPacing)
    voices = [FakeTts(seconds=0.5) for _ in range(3)]
    languages = [
        Interpreter(
            session_id=f"room {number}",
            direction=Direction("ru", "en"),
            ast=ast,
            tts=voice,
            audio=AudioInput(SegmenterView(segmenter), EchoGuard(on=False)),
            playout=Playout(30_000),
            emit=lambda _event: None,
            settings=InterpreterSettings(mode="balanced", own_voice_guard=False),
            metrics=Metrics(),
            clock=loop.time,
            make_pacing=make_pacing,
        )
        for number, voice in enumerate(voices)
    ]
    work = [asyncio.create_task(language.run()) for language in languages]
    samples: Samples = audio(talk, tail_ms=3000)
    for start in range(0, len(samples), STEP):
        pcm = Pcm(samples[start : start + STEP], start)
        segmenter.feed(pcm)
        for language in languages:
            language.audio.feed(pcm)
            language.next_frame()
        await asyncio.sleep(FRAME_MS / 1000)
    for task in work:
        task.cancel()
    await asyncio.gather(*work, return_exceptions=True)
    for voice in voices:
        said = " ".join(request.text for request in voice.requests).split()
        assert said == [word.target for word in talk]
    assert len(ast.listened) <= len(ast.requests) / 2.5


def _segmenter() -> SpeechSegmenter:
    return SpeechSegmenter(LoudnessVad(), SegmenterSettings())
