"""False accepts of the phrasebook engine on recordings of people.

    python -m bench.phrasebook.people [--mistakes]

Telephone prompts of Debian's ``asterisk-core-sounds-en-wav`` and ``-ru-wav`` (one woman each,
8 kHz) are cut by the server's own segmentation. Nearly all are outside the book. Of those inside
it, by their published texts, the right ones are counted. Segments outside the book, joined without
a pause, make long pieces.
"""

import argparse
import gzip
import re
import sys
import time
import wave
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy

from bench.phrasebook.accuracy import OTHER
from rtc_phrasebook import book as books
from rtc_phrasebook.engine import create
from rtc_phrasebook.network import Vocabularies, matches
from rtc_phrasebook.pattern import spoken_words
from rtc_server.audio.vad import make_vad_factory
from rtc_server.config import SegmenterSettings
from rtc_server.engines.base import Ast, AstRequest, AstResult, AstStatus, EngineOptions
from rtc_server.interpreter.segments import ClosedSegment, SpeechEnded
from rtc_server.interpreter.speech_segmenter import SpeechSegmenter
from rtc_server.pcm import FRAME_MS, SPEECH_RATE, Pcm, Samples, from_int16

VOICES = {"en": "en_US_f_Allison", "ru": "ru_RU_f_IvrvoiceRU"}
SOUNDS = Path("/usr/share/asterisk/sounds")
TEXTS = "/usr/share/doc/asterisk-core-sounds-{0}/core-sounds-{0}.txt.gz"
SHORT_S = 1.3
"""Up to this, a segment is a word or two."""
PIECE_S = (6.0, 15.0)
"""Length of a long piece."""
ROOM = np.zeros(int(0.3 * SPEECH_RATE), np.float32)


@dataclass(frozen=True, slots=True)
class Prompt:
    """One recording."""

    text: str
    """The published words."""
    samples: Samples
    """Mono at 16 kHz, shape (n,)."""


@dataclass(frozen=True, slots=True)
class PeopleTrial:
    """One segment and the engine's answer."""

    kind: str
    """One of: in the book, short, longer, long piece."""
    text: str
    """Words of the prompt, or of the first prompt of a piece."""
    language: str
    """Language spoken."""
    result: AstResult
    """Answer of the engine."""

    @property
    def accepted(self) -> bool:
        """True when something was translated."""
        return self.result.status is AstStatus.OK

    @property
    def right(self) -> bool:
        """True when the words understood are those of the prompt."""
        found, said = (
            spoken_words(text, self.language) for text in (self.result.source_text, self.text)
        )
        return self.accepted and found == said


class InBook:
    """Test whether a text is in the server's book."""

    def __init__(self) -> None:
        self._book = books.load()
        self._known = {language: Vocabularies(self._book, language) for language in VOICES}

    def __call__(self, text: str, language: str) -> bool:
        """Return whether these words are a phrase."""
        words = tuple(spoken_words(text, language))
        known = self._known[language]
        return any(True for _ in matches(words, self._book.phrases, language, known))


def prompts(language: str) -> list[Prompt]:
    """Return every recording of speech with its text, by name."""
    with gzip.open(TEXTS.format(language), "rt", encoding="utf-8") as file:
        lines = [line.partition(":") for line in file if not line.startswith(";")]
    texts = {name.strip(): text.strip() for name, _, text in lines}
    found = []
    for name, text in sorted(texts.items()):
        path = SOUNDS / VOICES[language] / f"{name}.wav"
        if path.exists() and re.match(r"\w", text):  # "[beep]" and the like are no speech
            found.append(Prompt(text, _read(path)))
    return found


def in_room(samples: Samples) -> Samples:
    """Return a recording with the quiet of a room before and after it, 16 kHz."""
    return np.concatenate([ROOM, samples, ROOM, ROOM])


def segments(sound: Samples) -> list[ClosedSegment]:
    """Return the segments of 16 kHz audio with the server's default settings."""
    segmenter = SpeechSegmenter(make_vad_factory("silero")(), SegmenterSettings())
    size = SPEECH_RATE * FRAME_MS // 1000
    events = [
        event
        for start in range(0, len(sound), size)
        for event in segmenter.feed(Pcm(sound[start : start + size], start))
    ]
    events += segmenter.flush()
    ended = (event.segment for event in events if isinstance(event, SpeechEnded))
    return [segment for segment in ended if segment is not None]


def long_pieces(parts: list[tuple[str, Samples]], seed: int) -> Iterator[tuple[str, Samples]]:
    """Join segments in their order to pieces of `PIECE_S`, 0.1 s of silence between them."""
    chance = np.random.default_rng(seed)
    gap = np.zeros(SPEECH_RATE // 10, np.float32)
    piece: list[Samples] = []
    text, wanted_s = "", chance.uniform(*PIECE_S)
    for said, samples in parts:
        text = text or said
        piece += [_trimmed(samples), gap]
        if sum(map(len, piece)) >= wanted_s * SPEECH_RATE:
            yield text, np.concatenate([ROOM, *piece, ROOM])[: int(20.0 * SPEECH_RATE)]
            piece, text, wanted_s = [], "", chance.uniform(*PIECE_S)


def trials(engine: Ast, language: str) -> Iterator[PeopleTrial]:
    """Ask for every segment and every long piece."""
    in_book, outside = InBook(), []
    for prompt in prompts(language):
        parts = [part.samples for part in segments(in_room(prompt.samples))]
        known = in_book(prompt.text, language)
        for part in parts:
            kind = "short" if len(part) <= SHORT_S * SPEECH_RATE else "longer"
            yield _ask(engine, language, "in the book" if known else kind, prompt.text, part)
        if not known:
            outside += [(prompt.text, part) for part in parts]
    for text, piece in long_pieces(outside, seed=7):
        yield _ask(engine, language, "long piece", text, piece)


def _ask(engine: Ast, language: str, kind: str, text: str, samples: Samples) -> PeopleTrial:
    (result,) = engine.translate([AstRequest(samples, language, OTHER[language])])
    return PeopleTrial(kind, text, language, result)


def _read(path: Path) -> Samples:
    with wave.open(str(path)) as file:
        rate = file.getframerate()
        samples = from_int16(np.frombuffer(file.readframes(file.getnframes()), np.int16))
    return scipy.signal.resample_poly(samples, SPEECH_RATE, rate).astype(np.float32)


def _trimmed(samples: Samples) -> Samples:
    """Without the quiet before and after the speech, so that pieces have no pause inside."""
    loud = np.flatnonzero(np.abs(samples) > 0.05 * np.abs(samples).max())
    return samples[loud[0] : loud[-1] + 1]


def main() -> int:
    """Print the table; exit code 2 when the recordings are missing."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--mistakes", action="store_true", help="list what was accepted")
    arguments = parser.parse_args()
    missing = [
        f"asterisk-core-sounds-{language}-wav"
        for language, voice in VOICES.items()
        if not (SOUNDS / voice).is_dir()
    ]
    if missing:
        print(f"Recordings are missing: apt-get install {' '.join(missing)}", file=sys.stderr)
        return 2
    engine = create(EngineOptions())
    print(f"{time.strftime('%Y-%m-%d')}, accepted of those outside the book, right of those in it:")
    for language in VOICES:
        done = list(trials(engine, language))
        print(f"{language}:")
        for kind in ("short", "longer", "long piece", "in the book"):
            mine = [one for one in done if one.kind == kind]
            counted = sum(one.right if kind == "in the book" else one.accepted for one in mine)
            print(f"  {kind:<12} {counted}/{len(mine)}")
        if arguments.mistakes:
            for one in done:
                if not one.right if one.kind == "in the book" else one.accepted:
                    print(f"  {one.kind}: “{one.text[:60]}” → “{one.result.source_text}”")
    return 0


if __name__ == "__main__":
    sys.exit(main())
