"""Understanding of speech that lost packets by the phrasebook: aiortc's receiver and ours.

    python -m bench.loss_words [--phrases 40] [--seed 7]

Phrases of the book, spoken by voices the engine was not tuned on, encoded as a browser does once
loss has been reported (Opus with in-band FEC), sent over one seeded path, received twice: by our
receiver, and by aiortc's jitter buffer with a decoder behind it that plays on over what is missing.
A phrase counts as understood when its translation is exactly the expected one. The last column of
each receiver is its share of what was understood without loss.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from aiortc.jitterbuffer import JitterBuffer
from aiortc.rtp import RtpPacket
from scipy.signal import resample_poly

from bench.phrasebook.sets import Saying, sayings
from bench.phrasebook.voices import HELD_OUT, missing_packages, speak
from rtc_phrasebook import book as books
from rtc_phrasebook.engine import create
from rtc_server.engines.base import Ast, AstRequest, EngineOptions
from rtc_server.pcm import SPEECH_RATE, Samples
from rtc_server.transport.media.opus import OpusDecoder
from rtc_server.transport.media.receiver import Receiver
from tests.support.netem import Link, Path
from tests.support.packet_scripts import (
    PAYLOAD_TYPE,
    Arrival,
    encode_opus,
    run_receiver,
    steady,
    through,
)

PATHS: dict[str, Path] = {
    "no loss": Path(),
    "5 %": Path(loss=0.05),
    "10 %": Path(loss=0.1),
    "20 %": Path(loss=0.2),
    "10 %, bursts of 4": Path(loss=0.1, loss_burst=4),
}
VOICES = 2
"""Voices for each language."""
MARGIN = np.zeros(SPEECH_RATE // 4, np.float32)


@dataclass(frozen=True, slots=True)
class SentPhrase:
    """A phrase on its way."""

    saying: Saying
    """Phrase that was said and its expected translation."""
    language: str
    """Language of the voice."""
    spoken: Samples
    """Speech as the voice said it, at `SPEECH_RATE`."""
    sent: list[Arrival]
    """Packets of it."""


def sent_phrases(phrases: int, seed: int) -> list[SentPhrase]:
    """The same phrases for each voice of a language."""
    book = books.load(())
    made = []
    for language in ("en", "ru"):
        said = sayings(book, language, seed, phrases)
        for voice in HELD_OUT[language][:VOICES]:
            for saying, samples in zip(said, speak([s.spoken for s in said], voice), strict=True):
                padded = np.concatenate([MARGIN, samples, MARGIN])
                audio = np.asarray(resample_poly(padded, 3, 1), np.float32)
                made.append(
                    SentPhrase(saying, language, padded, steady(encode_opus(audio, fec=True)))
                )
    return made


def ours(arrivals: Sequence[Arrival], end_s: float) -> Samples:
    """Return our receiver's audio of it."""
    receiver = Receiver(PAYLOAD_TYPE)
    pieces = [heard.pcm.samples for heard in run_receiver(receiver, arrivals, end_s)]
    receiver.close()
    return np.concatenate(pieces)


def stock(arrivals: Sequence[Arrival], end_s: float) -> Samples:
    """Return the audio of aiortc's receiver; silence afterwards pushes its last frames out."""
    buffer = JitterBuffer(capacity=16, prefetch=4)
    pieces = []
    with OpusDecoder() as decoder:
        for arrival in arrivals:
            packet: Any = RtpPacket.parse(arrival.data)
            packet._data = packet.payload
            _, frame = buffer.add(packet)
            if frame is not None:
                pieces.append(decoder.decode(frame.data))
    return np.concatenate(pieces) if pieces else MARGIN


def understood(engine: Ast, phrase: SentPhrase, samples: Samples) -> bool:
    """Return whether the translation is exactly the expected one."""
    target = "ru" if phrase.language == "en" else "en"
    (result,) = engine.translate([AstRequest(samples, phrase.language, target)])
    return result.target_text == phrase.saying.target_text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--phrases", type=int, default=40, help="for each voice")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    if missing := missing_packages():
        raise SystemExit(f"Voices are missing: apt-get install {' '.join(missing)}")
    engine = create(EngineOptions())
    engine.warm_up()
    said = sent_phrases(arguments.phrases, arguments.seed)
    heard = sum(understood(engine, each, each.spoken) for each in said)
    print(f"{len(said)} phrases, {2 * VOICES} voices, {heard / len(said):.1%} understood")
    print("before they were encoded.\n")
    print("| path | aiortc | of no loss | ours | of no loss |\n|---|---|---|---|---|")
    receivers: tuple[Callable[[Sequence[Arrival], float], Samples], ...] = (stock, ours)
    best: list[int] = []
    for name, path in PATHS.items():
        ways = [
            (each, through(Link(path, f"{arguments.seed} {number}"), each.sent))
            for number, each in enumerate(said)
        ]
        counts = [
            sum(
                understood(engine, each, receive(arrivals, each.sent[-1].at_s + 0.1))
                for each, arrivals in ways
            )
            for receive in receivers
        ]
        best = best or counts
        cells = [
            f"{n / len(said):.1%} | {n / top:.2f}" for n, top in zip(counts, best, strict=True)
        ]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
    engine.close()


if __name__ == "__main__":
    main()
