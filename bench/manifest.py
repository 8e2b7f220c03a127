"""Lists of recordings with reference translations, for `bench.quality`.

    python -m bench.manifest fleurs FOLDER en ru [--split test] > fleurs.jsonl
    python -m bench.manifest must-c FOLDER en ru [--split tst-COMMON] > must-c.jsonl
    python -m bench.manifest synthetic FOLDER en ru [--most 20] > synthetic.jsonl
    python -m bench.manifest fixture FOLDER en ru [--most 20] > fixture.jsonl

A line is a JSON object with the fields of `Item`. FLEURS has one recording for a sentence and joins
languages by the sentence's number; MuST-C has talks, and says where in them each sentence is.
`synthetic` has the embedded voice say phrases of the book, for where neither is at hand: it shows
that the bench works, and not how well anybody translates. `fixture` has the dozen phrases said that
Canary's model of the tests knows, in voices that it was not trained on.
"""

import argparse
import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path

import yaml

from bench.harness import speaker
from bench.phrases import said_phrases
from rtc_phrasebook.listing import topics
from rtc_server.pcm import PLAYOUT_RATE
from tests.support.wav import write_wav


@dataclass(frozen=True, slots=True)
class Item:
    """A recording, and its reference translation."""

    audio: str
    """Path of a sound file."""
    source: str
    """Language spoken."""
    target: str
    """Language wanted."""
    transcript: str
    """Text that is said."""
    reference: str
    """A translation of it."""
    offset_s: float = 0.0
    """Start in the file."""
    duration_s: float | None = None
    """Length; None up to the end of the file."""


def read(path: Path) -> list[Item]:
    """Return the items of a manifest; paths of audio are relative to it."""
    lines = path.read_text(encoding="utf-8").splitlines()
    items = [json.loads(line) for line in lines if line.strip()]
    return [Item(**{**item, "audio": str(path.parent / item["audio"])}) for item in items]


def fleurs(folder: Path, source: str, target: str, split: str) -> Iterator[Item]:
    """Give the sentences of FLEURS that both languages have: ``en_us/test.tsv`` beside
    ``en_us/audio/test/*.wav``, for each language."""
    spoken, translated = (_fleurs_folder(folder, code) for code in (source, target))
    meanings = {row[0]: row[2] for row in _fleurs_rows(translated / f"{split}.tsv")}
    for number, name, transcript, *_ in _fleurs_rows(spoken / f"{split}.tsv"):
        if number in meanings:
            audio = spoken / "audio" / split / name
            yield Item(str(audio), source, target, transcript, meanings[number])


def must_c(folder: Path, source: str, target: str, split: str) -> Iterator[Item]:
    """Give the sentences of MuST-C: ``en-ru/data/SPLIT`` with ``wav`` and ``txt``."""
    data = folder / f"{source}-{target}" / "data" / split
    places = yaml.safe_load((data / "txt" / f"{split}.yaml").read_text(encoding="utf-8"))
    texts, meanings = (
        (data / "txt" / f"{split}.{code}").read_text(encoding="utf-8").split("\n")
        for code in (source, target)
    )
    for place, text, meaning in zip(places, texts, meanings, strict=False):
        audio = data / "wav" / place["wav"]
        where = float(place["offset"]), float(place["duration"])
        yield Item(str(audio), source, target, text, meaning, *where)


def synthetic(folder: Path, source: str, target: str, most: int) -> Iterator[Item]:
    """Have phrases of the book said, and give them."""
    examples = [each for topic in topics(source, target) for each in topic.examples]
    speak = speaker()
    folder.mkdir(parents=True, exist_ok=True)
    for number, example in enumerate(examples[:: max(1, len(examples) // most)][:most]):
        path = folder / f"{source}-{number:03}.wav"
        write_wav(path, speak(example.source, source), PLAYOUT_RATE)
        yield Item(str(path), source, target, example.source, example.target)


def fixture(folder: Path, source: str, target: str, most: int) -> Iterator[Item]:
    """Have the phrases of Canary's fixture said, by one voice and then by the next, and give
    them."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, phrase in enumerate(islice(said_phrases((source, target)), most)):
        path = folder / f"{source}-{number:03}.wav"
        write_wav(path, phrase.samples, PLAYOUT_RATE)
        yield Item(str(path), source, target, phrase.source, phrase.target)


def _fleurs_folder(folder: Path, code: str) -> Path:
    """Return the folder of a language: ``ru_ru`` of ``ru``."""
    found = sorted(folder.glob(f"{code}_*"))
    if not found:
        raise SystemExit(f"{folder} has no folder of the language {code}, such as {code}_us.")
    return found[0]


def _fleurs_rows(path: Path) -> Iterable[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("layout", choices=("fleurs", "must-c", "synthetic", "fixture"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("source")
    parser.add_argument("target")
    parser.add_argument("--split", help="of a corpus")
    parser.add_argument("--most", type=int, default=20, help="synthetic phrases")
    options = parser.parse_args()
    place = options.folder.absolute(), options.source, options.target
    if options.layout == "fleurs":
        found = fleurs(*place, options.split or "test")
    elif options.layout == "must-c":
        found = must_c(*place, options.split or "tst-COMMON")
    else:
        found = (synthetic if options.layout == "synthetic" else fixture)(*place, options.most)
    for item in found:
        print(json.dumps(asdict(item), ensure_ascii=False))
