"""The WebSocket path beside WebRTC in Chromium, in one run: delay, and what the encoder costs.

    python -m bench.websocket [--phrases 15]

One page has a session over each and speaks phrases of the phrasebook into them in turn, over
loopback; the server runs in a process of its own. The delay is from the last sample of the phrase
leaving the page's microphone to the first sound of the answer in the page, both by the clock of one
audio context and sample by sample: encoders, jitter buffers and worklets are all in it.

The encoder's cost is the processor time that rendering in an OfflineAudioContext takes more with it
than without, as a share of the time that is rendered.
"""

import argparse
import asyncio
import base64
from pathlib import Path

import numpy as np
import psutil
from playwright.async_api import Page

from bench.harness import book_texts, percentile, server, speaker
from rtc_server.pcm import PLAYOUT_RATE, Samples
from tests.support.browser.chromium import visit

LISTEN_S = 3.0
"""Time after a phrase in which its answer begins and ends."""
SOUND = 0.01
"""Louder than this is the answer: −40 dBFS."""
KINDS = ("webrtc", "websocket")
RATES = (44_100, 48_000, 96_000)
RENDERED_S = 120


async def answered_ms(page: Page, kind: str, speech: Samples) -> float | None:
    """Say it; when the answer began, or None if there was none."""
    data = base64.b64encode(speech.astype("<f4").tobytes()).decode()
    heard = await page.evaluate("given => say(...given)", [kind, data, LISTEN_S])
    loud = np.flatnonzero(np.abs(np.frombuffer(base64.b64decode(heard), "<f4")) > SOUND)
    return float(loud[0]) / PLAYOUT_RATE * 1000 if loud.size else None


async def encoder_cost(page: Page, rate: int) -> float:
    """Share of an audio thread's time."""
    spent_s = []
    for encodes in ("false", "true"):
        before_s = browser_cpu_s()
        await page.evaluate(f"render({rate}, {RENDERED_S}, {encodes})")
        spent_s.append(browser_cpu_s() - before_s)
    return (spent_s[1] - spent_s[0]) / RENDERED_S


def browser_cpu_s() -> float:
    """Processor time of our browser's pages so far."""
    mine = psutil.Process().children(recursive=True)
    pages = [p for p in mine if "--type=renderer" in p.cmdline()]
    return sum(sum(p.cpu_times()[:2]) for p in pages)


async def main(count: int) -> None:
    """Speak, measure, print both tables."""
    speak = speaker()
    texts = book_texts("ru", "en")
    utterances = [speak(text, "ru") for text in texts[:: max(1, len(texts) // count)][:count]]
    delays: dict[str, list[float | None]] = {kind: [] for kind in KINDS}
    script = (Path(__file__).parent / "websocket.js").read_text()
    async with server("--ast-deadline-s", "60") as bench, visit(bench.url) as seen:
        page = seen.page
        await page.evaluate(f"() => {{ {script} }}")
        costs = {rate: await encoder_cost(page, rate) for rate in RATES}
        for kind in KINDS:
            await page.evaluate(f"open('{kind}')")
        for utterance in utterances:
            for kind in KINDS:
                delays[kind].append(await answered_ms(page, kind, utterance))
    print(f"{count} phrases each; ms")
    print("| speech to speech | answered | p50 | p95 |\n|---|---|---|---|")
    more_ms = [
        websocket - webrtc
        for webrtc, websocket in zip(*delays.values(), strict=True)
        if webrtc is not None and websocket is not None
    ]
    for name, every in (*delays.items(), ("websocket − webrtc, by phrase", more_ms)):
        found = [delay for delay in every if delay is not None]
        p50, p95 = percentile(found, 50), percentile(found, 95)
        print(f"| {name} | {len(found)} | {p50:.0f} | {p95:.0f} |")
    print("\n| encoder at | share of an audio thread |\n|---|---|")
    for rate, share in costs.items():
        print(f"| {rate / 1000:g} kHz | {share:.2%} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--phrases", type=int, default=15)
    asyncio.run(main(parser.parse_args().phrases))
