"""Cost and quality of shortening speech that waits, by our own WSOLA and by FFmpeg's.

    python -m bench.time_stretch

Speech of the embedded voice, each tempo: processor time for a second of it, the 99th percentile of
its 25 ms pieces, how far its length is from what was asked, the change of its level and of its
spectrum in bands of 100 Hz (mean of decibels, weighed by power), and its largest step from sample
to sample over that of the source. FFmpeg's `atempo` is a WSOLA of fixed frames.
"""

import time
from collections.abc import Callable

import av
import numpy as np
from av.filter import Graph

from bench.harness import percentile, speaker
from rtc_server.audio.time_stretch import TimeStretch
from rtc_server.interpreter.queued_speech import PIECE_SAMPLES
from rtc_server.pcm import PLAYOUT_RATE, Samples

TEXTS = {
    "en": "The station is behind the river, and the morning train has left already. Seven people "
    "were waiting for the next one, which came half an hour late.",
    "ru": "Вокзал стоит за рекой, и утренний поезд уже ушёл. Семь человек ждали следующего, "
    "который опоздал на полчаса.",
}
TEMPOS = (1.05, 1.15, 1.25)


def ours(samples: Samples, tempo: float) -> tuple[Samples, list[float]]:
    """Return the result, and the processor time of each piece in ms."""
    stretch, parts, costs_ms = TimeStretch(tempo), list[Samples](), list[float]()
    for start in range(0, samples.size, PIECE_SAMPLES):
        before_s = time.thread_time()
        parts.append(stretch.push(samples[start : start + PIECE_SAMPLES]))
        costs_ms.append((time.thread_time() - before_s) * 1000)
    return np.concatenate([*parts, stretch.flush()]), costs_ms


def ffmpeg(samples: Samples, tempo: float) -> tuple[Samples, list[float]]:
    """Return the same of the reference, as one piece."""
    before_s = time.process_time()
    graph = Graph()
    source = graph.add_abuffer(format="flt", sample_rate=PLAYOUT_RATE, layout="mono")
    graph.link_nodes(source, graph.add("atempo", str(tempo)), graph.add("abuffersink")).configure()
    frame = av.AudioFrame.from_ndarray(samples[None], format="flt", layout="mono")
    frame.sample_rate = PLAYOUT_RATE
    graph.push(frame)
    graph.push(None)
    parts = []
    while True:
        try:
            pulled = graph.pull()
        except (EOFError, BlockingIOError):
            break
        assert isinstance(pulled, av.AudioFrame)
        parts.append(pulled.to_ndarray()[0])
    return np.concatenate(parts), [(time.process_time() - before_s) * 1000]


def bands(samples: Samples) -> Samples:
    """Mean power in bands of 100 Hz up to 8 kHz."""
    power = np.abs(np.fft.rfft(samples.astype(np.float64))) ** 2 / samples.size**2
    hz = np.fft.rfftfreq(samples.size, 1 / PLAYOUT_RATE)
    each = [power[(hz >= low) & (hz < low + 100)].sum() for low in range(0, 8000, 100)]
    return np.array(each, np.float32)


def row(
    name: str, how: Callable[[Samples, float], tuple[Samples, list[float]]], tempo: float
) -> str:
    """Return a line of the table: both languages together."""
    speak, results = speaker(), []
    for language, text in TEXTS.items():
        samples = speak(text, language)
        result, costs_ms = how(samples, tempo)
        before, after = bands(samples), bands(result)
        change_db = np.abs(10 * np.log10(after / before))
        level_db = 10 * float(np.log10(after.sum() / before.sum()))
        results.append((samples, result, costs_ms, np.average(change_db, weights=before), level_db))
    length_s = sum(each[0].size for each in results) / PLAYOUT_RATE
    costs_ms = [cost for each in results for cost in each[2]]
    off = max(abs(each[1].size * tempo / each[0].size - 1) for each in results)
    jump = max(np.abs(np.diff(r)).max() / np.abs(np.diff(s)).max() for s, r, *_ in results)
    changed = sum(each[3] for each in results) / len(results)
    level = max((each[4] for each in results), key=abs)
    piece = f"{percentile(costs_ms, 99):.2f}" if name == "ours" else "–"
    return (
        f"| {name} | {tempo} | {sum(costs_ms) / length_s:.2f} ms | {piece} | {100 * off:.2f} % | "
        f"{level:+.2f} dB | {changed:.2f} dB | {jump:.2f} |"
    )


def main() -> None:
    """Print the table."""
    print("| | tempo | CPU for 1 s | piece, p99, ms | length off | level | bands | largest step |")
    print("|---|" + "---|" * 7)
    for tempo in TEMPOS:
        print(row("ours", ours, tempo))
        print(row("FFmpeg", ffmpeg, tempo))


if __name__ == "__main__":
    main()
