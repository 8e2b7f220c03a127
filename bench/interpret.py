"""Delay of the voice behind a speaker who does not pause, in each mode.

    python -m bench.interpret [--seconds 180] [--modes balanced,consecutive] [--engine aligned]
    python -m bench.interpret --modes balanced --engine stalling    # or another that goes astray
    python -m bench.interpret --modes balanced --seconds 600 --long # a voice 1.2 times as long
    python -m bench.interpret --engine fixture -- --ast canary-onnx --canary-model FOLDER

Speech of known word times goes through the server over WebRTC in real time; an oracle translates
what it is shown (`bench.oracle`), and a voice speaks each word as a tone, by which it is found in
the audio that comes back. Nothing is measured inside the server but passes and processor time.
`fixture` has the phrases said that Canary's model of the tests knows, 1 s between them, for a real
engine with its weights; a word of a translation stands for its share of the phrase.

ear-voice    beginning of a word to the beginning of its translation, at the client
after end    the same from the word's end
slope        growth of the ear-voice span, by least squares
lost         words never heard; "named": those that x.playout said were left out
again        words heard out of order or twice: flicker of the voice
LAAL, YAAL   lagging of committed captions, see `bench.lagging`: unaware and aware of computing
pauses       silences of the voice of 0.3 s or more between two words: how many, and the longest
mended       times that a translation which had lost its way was begun afresh
offset       beginning of the speech to that of the voice, end of the speech to that of the voice
committed    characters of captions that changed although they were committed
erasure      words of shown translations that were taken back, for each final word
"""

import argparse
import asyncio
import re
import sys
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from typing import Any

import aiohttp
import numpy as np

from bench import oracle
from bench.harness import BenchServer, percentile, server, split_arguments
from bench.lagging import Emission, Lagging, Sentence, emissions, render_lagging
from bench.talks import Talk, phrases, words_with_tones
from rtc_server.pcm import PLAYOUT_FRAME_SAMPLES, PLAYOUT_RATE
from tests.support.opus_codec import decode
from tests.support.rtc_client import RtcClient

MODES = ("consecutive", "fast", "balanced", "accurate")
FIXTURE = "fixture"
PASSES = r'rtc_engine_batch_size_count\{kind="ast"\}'
MENDED = r"rtc_interpreter_mended_total\{[^}]*\}"
PAUSE_S = 0.3
TAIL_S = 25.0
"""Time that the slowest mode may need after the last word."""


@dataclass(slots=True)
class Figures:
    """Result of one run."""

    ear_voice_s: list[float] = field(default_factory=list)
    after_end_s: list[float] = field(default_factory=list)
    slope_s_per_min: float = 0.0
    words: int = 0
    lost: int = 0
    named: int = 0
    again: int = 0
    changed_chars: int = 0
    erasure: float = 0.0
    pauses_s: list[float] = field(default_factory=list)
    """Silences of `PAUSE_S` or more between two words of the voice."""
    fastest: float = 1.0
    mended: float = 0.0
    """Times that the translation had lost its way and was shown a fresh stretch."""
    passes_per_s: float = 0.0
    media_cpu: float = 0.0
    engines_cpu: float = 0.0
    lagging: Lagging | None = None
    """None if words were lost: sentences cannot be told apart then."""


async def run(bench: BenchServer, mode: str, speech: Talk) -> Figures:
    """Have the talk interpreted once."""
    session = {"x_events": ["segment", "playout"], "x": {"mode": mode}}
    url = bench.call_url("en", "ru")
    passes, mended = await count(bench, PASSES), await count(bench, MENDED)
    cpu_s, all_cpu_s = bench.media_cpu_s(), bench.cpu_s()
    async with RtcClient(url, audio=speech.audio, session=session) as client:
        frames = (len(speech.audio) + round(TAIL_S * PLAYOUT_RATE)) // PLAYOUT_FRAME_SAMPLES
        seconds = frames * PLAYOUT_FRAME_SAMPLES / PLAYOUT_RATE
        await client.until(lambda: len(client.track.sent_at_s) >= frames, timeout_s=seconds + 30)
        sent_at_s, events = list(client.track.sent_at_s), list(client.events)
        event_at_s = list(client.event_at_s)
        heard = heard_words([(p.arrival_s, p.payload) for p in client.packets])
    figures = Figures(words=len(speech.bounds))
    figures.passes_per_s = (await count(bench, PASSES) - passes) / seconds
    figures.mended = await count(bench, MENDED) - mended
    figures.media_cpu = (bench.media_cpu_s() - cpu_s) / seconds
    figures.engines_cpu = (bench.cpu_s() - all_cpu_s) / seconds - figures.media_cpu
    judge_voice(figures, speech, sent_at_s, heard)
    judge_events(figures, events)
    figures.lagging = lagging(speech, emissions(events, event_at_s, sent_at_s[0]))
    return figures


def lagging(speech: Talk, words: list[Emission]) -> Lagging | None:
    """Lagging of the captions, sentence by sentence."""
    if len(words) != len(speech.bounds):
        return None
    sentences = []
    for first, last in pairwise([*speech.firsts, len(words)]):
        start_ms, end_ms = (
            sample * 1000 / PLAYOUT_RATE
            for sample in (speech.bounds[first][0], speech.bounds[last - 1][1])
        )
        reference, came = tuple(speech.written[first:last]), tuple(words[first:last])
        sentences.append(Sentence(start_ms, end_ms - start_ms, reference, came))
    return Lagging.of(sentences, len(speech.audio) * 1000 / PLAYOUT_RATE)


async def count(bench: BenchServer, metric: str) -> float:
    """Return the sum of a metric over all labels that match `metric`, a regular expression."""
    async with aiohttp.ClientSession() as http, http.get(f"{bench.url}/metrics") as response:
        text = await response.text()
    return sum(map(float, re.findall(rf"^{metric} (\S+)$", text, re.MULTILINE)))


def heard_words(packets: list[tuple[float, bytes]]) -> list[tuple[int, float]]:
    """Return (number, time at which it began to arrive) of each word in the received audio."""
    samples = decode(payload for _, payload in packets)
    count = min(len(packets), samples.size // PLAYOUT_FRAME_SAMPLES)
    frames = samples[: count * PLAYOUT_FRAME_SAMPLES].reshape(count, PLAYOUT_FRAME_SAMPLES)
    power = np.abs(np.fft.rfft(frames * np.hanning(PLAYOUT_FRAME_SAMPLES), 4800))
    hz = np.fft.rfftfreq(4800, 1 / PLAYOUT_RATE)
    peaks = np.argmax(power, axis=1)
    numbers = np.round((hz[peaks] - oracle.VOICE_HZ) / oracle.VOICE_STEP_HZ).astype(int)
    numbers[power[np.arange(count), peaks] < 20] = -1
    words, at = [], 0
    for number, frames_of in groupby(numbers.tolist()):
        length = len(list(frames_of))
        if number >= 0 and length >= 4:
            words.append((number, packets[at][0]))
        at += length
    return words


def judge_voice(
    figures: Figures, speech: Talk, sent_at_s: list[float], heard: list[tuple[int, float]]
) -> None:
    """Find each received word in the talk: the next one of its kind."""
    expected, times = 0, []
    for number, at_s in heard:
        index = expected + (number - expected) % speech.cycle
        if number >= speech.cycle or index - expected > speech.cycle * 3 // 4:
            figures.again += 1
            continue
        if index >= len(speech.bounds):
            continue
        start, end = (sent_at_s[sample // PLAYOUT_FRAME_SAMPLES] for sample in speech.bounds[index])
        figures.ear_voice_s.append(at_s - start)
        figures.after_end_s.append(at_s - end)
        times.append(start)
        expected = index + 1
    figures.lost = figures.words - len(times)
    figures.pauses_s = pauses(heard)
    if len(times) > 2:
        slope, _ = np.polyfit(np.array(times) - times[0], figures.ear_voice_s, 1)
        figures.slope_s_per_min = float(slope) * 60


def pauses(heard: list[tuple[int, float]]) -> list[float]:
    """Return the silences between words; one that is spoken faster makes its own seem longer, by
    a few hundredths of a second."""
    silences = (b - a - oracle.WORD_S for (_, a), (_, b) in pairwise(heard))
    return [silence for silence in silences if silence >= PAUSE_S]


def judge_events(figures: Figures, events: list[dict[str, Any]]) -> None:
    """Record of what captions and playout did."""
    segments = [event for event in events if event["type"] == "x.segment"]
    erased = final_words = 0
    by_id: dict[str, list[dict[str, Any]]] = {}
    for event in segments:
        by_id.setdefault(event["segment_id"], []).append(event)
    for revisions in by_id.values():
        for before, after in pairwise(revisions):
            for side in ("source", "target"):
                firm = before[side]["text"][: before[side]["stable_chars"]]
                figures.changed_chars += 0 if after[side]["text"].startswith(firm) else len(firm)
            one, two = before["target"]["text"].split(), after["target"]["text"].split()
            same = next((n for n, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), None)
            erased += len(one) - (min(len(one), len(two)) if same is None else same)
        final_words += len(revisions[-1]["target"]["text"].split())
    figures.erasure = erased / max(final_words, 1)
    texts = {event["segment_id"]: event["target"]["text"] for event in segments}
    named = dict.fromkeys(texts, 0)
    for event in events:
        if event["type"] != "x.playout":
            continue
        figures.fastest = max(figures.fastest, event["tempo"])
        if event["state"] == "skipped":
            start, end = event["skipped"]
            named[event["segment_id"]] += len(texts[event["segment_id"]][start:end].split())
        elif event["state"] == "dropped":  # some of its clauses may have been reported before
            named[event["segment_id"]] = len(texts[event["segment_id"]].split())
    figures.named = sum(named.values())


def row(mode: str, figures: Figures) -> str:
    """Return one line of the table."""
    span, after = figures.ear_voice_s, figures.after_end_s
    pauses = f"{len(figures.pauses_s)}, {max(figures.pauses_s, default=0.0):.2f} s"
    offsets = f"{span[0]:.2f}, {after[-1] + oracle.WORD_S:.2f}" if span else "–"
    return (
        f"| {mode} | {percentile(span, 50):.2f} | {percentile(span, 90):.2f} | "
        f"{max(span, default=float('nan')):.2f} | {percentile(after, 95):.2f} | "
        f"{figures.slope_s_per_min:+.3f} | {figures.lost} of {figures.words} ({figures.named}) | "
        f"{figures.again} | {figures.changed_chars} | {figures.erasure:.2f} | "
        f"{figures.fastest:.2f} | {figures.passes_per_s:.2f} | {1000 * figures.media_cpu:.0f} ms | "
        f"{1000 * figures.engines_cpu:.0f} ms | "
        f"{offsets} | {pauses} | {figures.mended:.0f} | {render_lagging(figures.lagging)} |"
    )


async def main(seconds: float, modes: list[str], engine: str, voice: str, extra: list[str]) -> None:
    """Print a table, one row for each mode."""
    is_fixture = engine == FIXTURE
    speech = phrases(seconds) if is_fixture else words_with_tones(seconds)
    engines = ["--tts", f"bench.{'phrases' if is_fixture else 'oracle'}:{voice}"]
    if not is_fixture:
        engines += ["--ast", f"bench.oracle:{engine}"]
    length_s = len(speech.audio) / PLAYOUT_RATE
    pace = len(speech.bounds) / length_s * 60
    print(f"{length_s:.0f} s, {pace:.0f} words a minute, {engine}, {voice}")
    print(
        "| mode | ear-voice p50, s | p90 | max | after end p95 | slope, s/min | lost (named) "
        "| again | committed | erasure | tempo | passes/s | media CPU for 1 s | engines' "
        "| offset, s "
        "| pauses | mended | LAAL, s | YAAL, s |"
    )
    print("|---|" + "---|" * 18)
    async with server(*engines, *extra) as bench:
        for mode in modes:
            print(row(mode, await run(bench, mode, speech)), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=180.0, help="length of the talk")
    parser.add_argument("--modes", default=",".join(MODES), help="which, comma separated")
    parser.add_argument("--engine", default="aligned", choices=(*oracle.ENGINES, FIXTURE))
    parser.add_argument("--long", action="store_true", help="a voice slower than the speaker")
    own, extra = split_arguments(sys.argv[1:])
    options = parser.parse_args(own)
    modes, voice = options.modes.split(","), "long_voice" if options.long else "voice"
    asyncio.run(main(options.seconds, modes, options.engine, voice, extra))
