"""From the last voiced sample leaving the client to the first translated audio arriving.

    python -m bench.latency [--phrases 30] [--transport webrtc|ws] [--engines embedded|laptop|gpu]

One session for each direction speaks phrases of the phrasebook in real time over loopback, by
WebRTC or over ``/ws/audio``; the server runs in a process of its own. "heard" is measured at the
client; the stages are what the server reports in x.metrics: endpoint (last voiced sample to the end
of the segment being known), AST, TTS (to its first sample); "wire" is the rest of what was heard.

Of other engines than the embedded ones it measures sentences of 4 s, each translated after its end
(mode consecutive); options of the server go behind ``--``. Of the set laptop there are stand-ins
(`models.fixture.full_size`) that answer anything, with a sentence of five seconds:

    python -m bench.latency --engines laptop --pause 8 -- --models-dir FOLDER
"""

import argparse
import asyncio
import itertools
from dataclasses import dataclass

import numpy as np

from bench.harness import (
    BenchServer,
    book_texts,
    percentile,
    server,
    speaker,
    voiced_arrivals,
)
from bench.laptop import SENTENCES
from bench.ws_speaker import MODE, WANTED, Spoken, speak_ws
from rtc_server.pcm import PLAYOUT_FRAME_SAMPLES, PLAYOUT_RATE, Samples
from tests.support.rtc_client import RtcClient

PAUSE_S = 4.0
"""Default silence after each phrase, in which its answer is played."""
EMBEDDED = "embedded"


@dataclass(frozen=True, slots=True)
class TimedAnswer:
    """Delays of one phrase, in ms."""

    heard_ms: float
    endpoint_ms: float
    ast_ms: float
    tts_ms: float

    @property
    def wire_ms(self) -> float:
        """Time that no stage took: the transport both ways, its buffers, waiting for the next
        frame.
        """
        return self.heard_ms - self.endpoint_ms - self.ast_ms - self.tts_ms


async def speak_webrtc(bench: BenchServer, source: str, target: str, audio: Samples) -> Spoken:
    """Say it in one call."""
    async with RtcClient(bench.call_url(source, target), audio=audio, session=MODE) as client:
        client.send(WANTED)
        seconds = len(audio) / PLAYOUT_RATE
        await client.until(
            lambda: len(client.track.sent_at_s) >= len(audio) // PLAYOUT_FRAME_SAMPLES,
            timeout_s=seconds + 10,
        )
        arrivals = [arrival for arrival, _ in voiced_arrivals(client)]
        return Spoken(client.track.sent_at_s, arrivals, client.events)


SPEAK = {"webrtc": speak_webrtc, "ws": speak_ws}


async def converse(
    bench: BenchServer,
    transport: str,
    pair: tuple[str, str],
    utterances: list[Samples],
    pause_s: float,
) -> list[TimedAnswer | None]:
    """Speak each, wait for its answer; None for one that was not answered."""
    silence = np.zeros(round(pause_s * PLAYOUT_RATE), np.float32)
    parts, ends = [silence[: PLAYOUT_RATE // 2]], []
    for utterance in utterances:
        parts.append(utterance)
        ends.append(sum(map(len, parts)))
        parts.append(silence)
    spoken = await SPEAK[transport](bench, *pair, np.concatenate(parts))
    sent_at = [spoken.sent_at_s[end // PLAYOUT_FRAME_SAMPLES] for end in ends]
    arrivals = spoken.voiced_arrivals_s
    metrics = [e for e in spoken.events if e["type"] == "x.metrics" and e["first_audio_ms"]]
    # Events come each second and repeat the last answer's delays: one for each answer is enough.
    told = [next(same) for _, same in itertools.groupby(metrics, key=lambda m: m["first_audio_ms"])]
    heard = [next((a for a in arrivals if at < a < at + pause_s), None) for at in sent_at]
    answered = [(at, a) for at, a in zip(sent_at, heard, strict=True) if a is not None]
    if len(answered) != len(told):
        raise RuntimeError(f"{len(answered)} answers were heard, {len(told)} reported")
    stages = iter(told)
    return [
        None if a is None else TimedAnswer((a - at) * 1000, *_stages(next(stages)))
        for at, a in zip(sent_at, heard, strict=True)
    ]


def _stages(event: dict[str, float]) -> tuple[float, float, float]:
    return event["endpoint_ms"], event["ast_ms"], event["tts_ms"]


async def main(count: int, transport: str, pause_s: float, *options: str) -> None:
    """Run both directions one after the other and print the table."""
    speak = speaker()
    answers: list[TimedAnswer | None] = []
    async with server(*options) as bench:
        for pair in (("ru", "en"), ("en", "ru")):
            texts = book_texts(*pair) if EMBEDDED in options else [SENTENCES[pair[0]]]
            chosen = texts[:: max(1, len(texts) // (count // 2))][: count // 2]
            said = [
                speak(text, pair[0])
                for text in itertools.islice(itertools.cycle(chosen), count // 2)
            ]
            answers += await converse(bench, transport, pair, said, pause_s)
    heard = [answer for answer in answers if answer is not None]
    print(f"{len(answers)} phrases, {len(heard)} answered; ms")
    print("| stage | p50 | p95 | max |\n|---|---|---|---|")
    for stage in ("endpoint_ms", "ast_ms", "tts_ms", "wire_ms", "heard_ms"):
        values = [float(getattr(answer, stage)) for answer in heard]
        row = (percentile(values, 50), percentile(values, 95), max(values, default=float("nan")))
        print(f"| {stage.removesuffix('_ms')} | " + " | ".join(f"{v:.0f}" for v in row) + " |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--phrases", type=int, default=30, help="how many, both directions")
    parser.add_argument("--transport", choices=sorted(SPEAK), default="webrtc")
    parser.add_argument("--engines", default=EMBEDDED)
    parser.add_argument("--pause", type=float, default=PAUSE_S, help="seconds for each answer")
    parser.add_argument("further", nargs="*", help="options of the server, behind --")
    options = parser.parse_args()
    further = ("--engines", options.engines, *options.further)
    asyncio.run(main(options.phrases, options.transport, options.pause, *further))
