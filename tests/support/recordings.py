"""Phrases as speech synthesizers said them once, so that no test needs these programs.

A phrase without a recording is synthesized, if this machine can, and its file is left in `FOLDER`,
to be committed with the test that asks for it.
"""

import hashlib
import os
import re
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np

from rtc_server.pcm import SPEECH_RATE, Samples

FOLDER = Path(__file__).with_name("recordings")


def recorded(voice: str, text: str, synthesize: Callable[[], Samples]) -> Samples:
    """Return `text` in this voice at `SPEECH_RATE`; `synthesize` makes it the first time."""
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    start = "-".join(re.findall("[a-z0-9]+", text.lower()))[:40]
    path = FOLDER / ("-".join(filter(None, (voice, start, digest))) + ".opus")
    if not path.exists():
        _write(path, synthesize())
    return _read(path)


def all_recorded() -> tuple[Samples, ...]:
    """Return every phrase there is, in every voice."""
    return tuple(_read(path) for path in sorted(FOLDER.glob("*.opus")))


def _write(path: Path, samples: Samples) -> None:
    """Atomically: another worker may want the same phrase."""
    path.parent.mkdir(exist_ok=True)
    unfinished = path.with_suffix(f".{os.getpid()}")
    with av.open(str(unfinished), "w", format="ogg") as file:
        stream = file.add_stream("libopus", rate=SPEECH_RATE, layout="mono")
        stream.bit_rate = 48_000  # what is lost cannot be heard, nor seen by an engine
        frame = av.AudioFrame.from_ndarray(samples[np.newaxis], format="flt", layout="mono")
        frame.sample_rate = SPEECH_RATE
        for packet in (*stream.encode(frame), *stream.encode(None)):
            file.mux(packet)
    unfinished.rename(path)


def _read(path: Path) -> Samples:
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SPEECH_RATE)
    with av.open(str(path)) as file:
        decoded = [*file.decode(audio=0), None]
        frames = [part for frame in decoded for part in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray()[0] for frame in frames])
