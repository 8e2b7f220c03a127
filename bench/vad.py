"""Voice activity and endpointing: what they cost, how late they are, what fools them.

    python -m bench.vad

Needs flite and Festival's Russian voice for speech. Delays are in audio time, so a busy machine
does not change them; costs are CPU time of this process.
"""

import time
from collections.abc import Callable, Iterable
from itertools import product

import numpy as np

from rtc_server.audio.vad import VadFactory, make_vad_factory
from rtc_server.config import SegmenterSettings
from rtc_server.interpreter.segments import ClosedSegment, SpeechEnded
from rtc_server.interpreter.speech_segmenter import SpeechSegmenter
from rtc_server.pcm import SPEECH_RATE, Samples, samples_to_ms
from tests.support.signals import add_noise, english, join, noise, pieces, russian, silence, tone

SETTINGS = SegmenterSettings()
DETECTORS = ("silero", "webrtc")
VOICES = ("slt", "rms", "awb", "kal16")
ENGLISH = (
    "Yes",
    "No",
    "Help!",
    "Where is the train station?",
    "Two coffees please.",
    "How much does it cost?",
    "The train leaves at seven thirty.",
    "I need a doctor because my friend is ill and cannot stand up.",
)
RUSSIAN = (
    "Да",
    "Нет",
    "Помогите!",
    "Где находится вокзал?",
    "Два кофе, пожалуйста.",
    "Сколько это стоит?",
    "Поезд отходит в семь тридцать.",
    "Мне нужен врач, потому что моему другу плохо и он не может встать.",
)
LEAD_MS, TRAIL_MS = 1000.0, 1500.0


def main() -> None:
    """Print the three tables."""
    clips = {
        "en": [_levelled(english(text, voice)) for text, voice in product(ENGLISH, VOICES)],
        "ru": [_levelled(russian(text)) for text in RUSSIAN],
    }
    factories = {name: make_vad_factory(name) for name in DETECTORS}
    _print_cost(factories, join(*clips["en"]))
    _print_delays(factories, clips)
    _print_false_openings(factories)


def _print_cost(factories: dict[str, VadFactory], speech: Samples) -> None:
    print("CPU time per session\n")
    print("| detector | per window | share of one core | whole segmenter |")
    print("|---|---|---|---|")
    for name, make in factories.items():
        vad = make()
        size = vad.window_samples
        windows = [speech[at : at + size] for at in range(0, speech.size - size + 1, size)]
        window_s = _cpu_s(lambda: [vad.probability(w) for w in windows]) / len(windows)  # noqa: B023
        segmenter = SpeechSegmenter(make(), SETTINGS)
        frames = pieces(speech)
        listener_s = _cpu_s(lambda: [segmenter.feed(pcm) for pcm in frames])  # noqa: B023
        share = window_s / (size / SPEECH_RATE)
        whole = listener_s / (speech.size / SPEECH_RATE)
        print(f"| {name} | {window_s * 1e6:.0f} µs | {share:.2%} | {whole:.2%} |")


def _print_delays(factories: dict[str, VadFactory], clips: dict[str, list[Samples]]) -> None:
    print(f"\nEnd of the last audible sound to its segment, hangover {SETTINGS.hangover_ms} ms\n")
    print("| detector | speech | noise | p50 | p95 | phrases | missed | split | begin lost |")
    print("|---|---|---|---|---|---|---|---|---|")
    for (name, make), language, snr_db in product(factories.items(), clips, (None, 30, 20, 15)):
        delays, missed, split, begin_lost = [], 0, 0, 0
        for seed, clip in enumerate(clips[language]):
            signal = join(silence(LEAD_MS), clip, silence(TRAIL_MS))
            if snr_db is not None:
                signal = add_noise(signal, snr_db=snr_db, seed=seed)
            ended = _ends(SpeechSegmenter(make(), SETTINGS), signal)
            if not ended:
                missed += 1
                continue
            begin = round(LEAD_MS) * SPEECH_RATE // 1000
            split += len(ended) > 1
            begin_lost += ended[0][0].start_samples > begin
            delays.append(samples_to_ms(ended[-1][1] - begin - clip.size, SPEECH_RATE))
        p50, p95 = np.percentile(delays, (50, 95))
        print(
            f"| {name} | {language} | {'none' if snr_db is None else f'{snr_db} dB'} | "
            f"{p50:.0f} ms | {p95:.0f} ms | {len(clips[language])} | {missed} | {split} | "
            f"{begin_lost} |"
        )


def _print_false_openings(factories: dict[str, VadFactory]) -> None:
    sounds: dict[str, Samples] = {
        "white noise -20 dB": noise(30_000, level_db=-20),
        "white noise -40 dB": noise(30_000, level_db=-40),
        "tone 440 Hz": tone(440, 30_000),
        "chords": _chords(30_000),
        "key clicks": _clicks(30_000),
    }
    print("\nSegments in 30 s without speech\n")
    print("| sound | " + " | ".join(factories) + " |")
    print("|---|" + "---|" * len(factories))
    for title, sound in sounds.items():
        counts = [
            str(len(_ends(SpeechSegmenter(make(), SETTINGS), sound))) for make in factories.values()
        ]
        print(f"| {title} | " + " | ".join(counts) + " |")


def _ends(segmenter: SpeechSegmenter, signal: Samples) -> list[tuple[ClosedSegment, int]]:
    """Return each segment, and the audio position at which its end was known."""
    events = [event for pcm in pieces(signal) for event in segmenter.feed(pcm)]
    events += segmenter.flush()
    ended = (event for event in events if isinstance(event, SpeechEnded))
    return [(event.segment, event.at_samples) for event in ended if event.segment is not None]


def _levelled(samples: Samples) -> Samples:
    return samples * np.float32(0.5 / np.abs(samples).max())


def _chords(duration_ms: float) -> Samples:
    """Decaying chords, two a second."""
    rng = np.random.default_rng(1)
    roots = 220 * 2 ** (rng.integers(0, 12, round(duration_ms / 500)) / 12)
    decay = np.exp(-np.arange(SPEECH_RATE // 2) / 4000).astype(np.float32)
    chords = [sum(tone(root * ratio, 500, peak=0.15) for ratio in (1, 1.25, 1.5)) for root in roots]
    return join(*(chord * decay for chord in chords))


def _clicks(duration_ms: float) -> Samples:
    """Six short bursts of noise a second, as from a keyboard."""
    rng = np.random.default_rng(2)
    samples = noise(duration_ms, level_db=-60)
    for at in rng.integers(0, samples.size - 200, round(duration_ms / 1000 * 6)):
        burst = rng.standard_normal(200) * np.exp(-np.arange(200) / 40) * 0.2
        samples[at : at + 200] += burst.astype(np.float32)
    return samples


def _cpu_s(work: Callable[[], Iterable[object]]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    main()
