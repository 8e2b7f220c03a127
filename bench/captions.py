"""Age of captions when they arrive, and the time until a user reads of an engine's death.

    python -m bench.captions [--phrases 12] [--kills 5]

Over loopback WebRTC, the server in a process of its own. A partial caption says up to where it
heard (`end_ms`); its age is the time from that sample leaving the client to the caption's arrival.
A word waits at most for the next partial, so age plus spacing is the longest wait for a word. For
the second table every engine process is killed while a phrase is being translated.
"""

import argparse
import asyncio
import itertools
import time

import numpy as np

from bench.harness import BenchServer, book_texts, percentile, server, speaker
from rtc_server.pcm import FRAME_MS, PLAYOUT_RATE, Samples
from tests.support.rtc_client import RtcClient

WANTED = {"type": "session.update", "session": {"x_events": ["segment", "vad"]}}
PAUSE_S = 2.5


def with_pauses(utterances: list[Samples]) -> Samples:
    """Return the phrases one after the other, with time to answer each."""
    pause = np.zeros(round(PAUSE_S * PLAYOUT_RATE), np.float32)
    parts = [pause[: PLAYOUT_RATE // 2]]
    for utterance in utterances:
        parts += [utterance, pause]
    return np.concatenate(parts)


async def partials(
    bench: BenchServer, source: str, target: str, audio: Samples
) -> tuple[list[float], list[float]]:
    """(age of each partial, spacing of the partials of a segment), in ms."""
    async with RtcClient(bench.call_url(source, target), audio=audio) as client:
        client.send(WANTED)
        frames = len(audio) * 1000 // PLAYOUT_RATE // FRAME_MS
        await client.until(lambda: len(client.track.sent_at_s) >= frames, timeout_s=frames)
        came = [
            (event["segment_id"], event["source"]["end_ms"], at_s)
            for event, at_s in zip(client.events, client.event_at_s, strict=True)
            if event["type"] == "x.segment" and event["status"] == "partial"
        ]
        sent_at_s = client.track.sent_at_s
    ages = [(at_s - sent_at_s[end_ms // FRAME_MS - 1]) * 1000 for _, end_ms, at_s in came]
    spacings = [
        (late[2] - soon[2]) * 1000 for soon, late in itertools.pairwise(came) if soon[0] == late[0]
    ]
    return ages, spacings


async def kill_to_caption(bench: BenchServer, audio: Samples) -> float | None:
    """Milliseconds from the engines' death to the failed caption; None when it was answered."""
    async with RtcClient(bench.call_url("en", "ru"), audio=audio) as client:
        client.send(WANTED)
        await client.event("x.vad")
        engines = bench.process.children()
        # Translation begins 150 ms into the pause; the phrase below takes the engine about as long.
        silent_s = (np.flatnonzero(np.abs(audio) > 0.01)[-1] / PLAYOUT_RATE) + 0.17
        await client.until(lambda: len(client.track.sent_at_s) * FRAME_MS / 1000 >= silent_s)
        killed_s = time.monotonic()
        for engine in engines:
            engine.kill()

        def settled() -> bool:
            return any(e["type"] == "x.segment" and e["final"] for e in client.events)

        await client.until(settled, timeout_s=30)
        last = next(n for n, e in enumerate(client.events) if e.get("final"))
        failed = client.events[last]["status"] == "failed"
        return (client.event_at_s[last] - killed_s) * 1000 if failed else None


async def main(count: int, kills: int) -> None:
    """Print both tables."""
    speak = speaker()
    ages, spacings, waits = [], [], []
    async with server() as bench:
        for source, target in (("ru", "en"), ("en", "ru")):
            texts = sorted(book_texts(source, target), key=len)[-count // 2 :]
            audio = with_pauses([speak(text, source) for text in texts])
            came = await partials(bench, source, target, audio)
            ages += came[0]
            spacings += came[1]
        long_phrase = with_pauses([speak("Could you please speak more slowly?", "en")])
        for _ in range(kills):
            waits.append(await kill_to_caption(bench, long_phrase))
            await asyncio.sleep(3)
    print(f"{len(ages)} partial captions; ms\n| | p50 | p95 | max |\n|---|---|---|---|")
    for name, values in (("age on arrival", ages), ("spacing in a segment", spacings)):
        row = (percentile(values, 50), percentile(values, 95), max(values))
        print(f"| {name} | " + " | ".join(f"{v:.0f}" for v in row) + " |")
    told = [wait for wait in waits if wait is not None]
    print(f"\n{kills} kills, {len(told)} hit a translation; killed to caption, ms:", end=" ")
    print(", ".join(f"{wait:.0f}" for wait in told) or "none")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--phrases", type=int, default=12)
    parser.add_argument("--kills", type=int, default=5)
    options = parser.parse_args()
    asyncio.run(main(options.phrases, options.kills))
