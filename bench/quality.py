"""Quality and delay of translations by a whole server, in each mode.

    python -m bench.quality MANIFEST [--modes balanced] [--comet CHECKPOINT] [-- SERVER…]

Each recording of a manifest (`bench.manifest`) is said in a call of its own, over WebRTC, in real
time; what the captions say in the end is scored against the references. What follows ``--`` goes to
`rtc-server serve`, as ``--engines laptop``. BLEU and chrF are sacrebleu's (the dependency group
`bench`); COMET is computed where ``unbabel-comet`` and a checkpoint are.

in force     the mode that the sessions worked in: consecutive, whatever was asked, with an engine
             that does not translate open speech
begins       first voiced sample sent to the first one of the voice, at the client
ends         last one sent to the last one of the voice
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import av
import numpy as np
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from bench.harness import BenchServer, percentile, server, split_arguments, voiced_arrivals
from bench.manifest import Item, read
from rtc_server.events.client import MODES
from rtc_server.pcm import PLAYOUT_FRAME_SAMPLES, PLAYOUT_RATE, Samples
from tests.support.rtc_client import RtcClient

LEAD_S, TAIL_S = 0.5, 1.0
"""Silence before and after a recording."""
MOST_DRAIN_S = 60.0
FLOOR = 0.02
"""Share of its peak below which a recording is silent."""


@dataclass(frozen=True, slots=True)
class QualityOutcome:
    """Result of one recording."""

    item: Item
    hypothesis: str
    mode: str
    """Mode in force."""
    begins_s: float | None
    """None when nothing was spoken."""
    ends_s: float | None


async def interpret(bench: BenchServer, mode: str, item: Item) -> QualityOutcome:
    """Have it interpreted in one call."""
    audio = sound(item)
    voiced = np.flatnonzero(np.abs(audio) > FLOOR * np.abs(audio).max())
    url = bench.call_url(item.source, item.target)
    session = {"x_events": ["segment"], "x": {"mode": mode}}
    async with RtcClient(url, audio=audio, session=session) as client:
        frames, seconds = len(audio) // PLAYOUT_FRAME_SAMPLES, len(audio) / PLAYOUT_RATE
        await client.until(lambda: len(client.track.sent_at_s) >= frames, timeout_s=seconds + 30)
        client.send({"type": "session.close"})
        await client.event("session.closed", timeout_s=MOST_DRAIN_S)
        sent_at_s, arrivals = client.track.sent_at_s, voiced_arrivals(client)
        in_force = (await client.event("session.created"))["session"]["x"]["mode"]
        finals = [e for e in client.events if e["type"] == "x.segment" and e["final"]]
    first_s, last_s = (sent_at_s[voiced[at] // PLAYOUT_FRAME_SAMPLES] for at in (0, -1))
    hypothesis = " ".join(event["target"]["text"] for event in finals).strip()
    begins_s = arrivals[0][0] - first_s if arrivals else None
    ends_s = arrivals[-1][0] - last_s if arrivals else None
    return QualityOutcome(item, hypothesis, in_force, begins_s, ends_s)


def sound(item: Item) -> Samples:
    """The recording at the playout rate, silence around it."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=PLAYOUT_RATE)
    with av.open(item.audio) as file:
        frames = [piece for frame in file.decode(audio=0) for piece in resampler.resample(frame)]
    samples = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    start = round(item.offset_s * PLAYOUT_RATE)
    end = None if item.duration_s is None else start + round(item.duration_s * PLAYOUT_RATE)
    lead, tail = (np.zeros(round(s * PLAYOUT_RATE), np.float32) for s in (LEAD_S, TAIL_S))
    return np.concatenate([lead, samples[start:end].astype(np.float32), tail])


def row(mode: str, outcomes: Sequence[QualityOutcome], comet: str) -> str:
    """Return one line of the table."""
    hypotheses = [each.hypothesis for each in outcomes]
    references = [[each.item.reference for each in outcomes]]
    bleu, chrf = (metric.corpus_score(hypotheses, references).score for metric in (BLEU(), CHRF()))
    begins = [each.begins_s for each in outcomes if each.begins_s is not None]
    ends = [each.ends_s for each in outcomes if each.ends_s is not None]
    learned = f"{comet_score(comet, outcomes):.3f}" if comet else "–"
    in_force = ", ".join(sorted({each.mode for each in outcomes}))
    return (
        f"| {mode} | {in_force} | {bleu:.1f} | {chrf:.1f} | {learned} | {len(begins)} of "
        f"{len(outcomes)} | {percentile(begins, 50):.2f} s | {percentile(begins, 90):.2f} | "
        f"{percentile(ends, 50):.2f} | {percentile(ends, 90):.2f} |"
    )


def comet_score(checkpoint: str, outcomes: Sequence[QualityOutcome]) -> float:
    """Return COMET of all outcomes, by a checkpoint on this machine."""
    data = [
        {"src": each.item.transcript, "mt": each.hypothesis, "ref": each.item.reference}
        for each in outcomes
    ]
    model: Any = import_module("comet").load_from_checkpoint(checkpoint)
    return float(model.predict(data, batch_size=8, gpus=0).system_score)


async def main(items: Sequence[Item], modes: Sequence[str], comet: str, extra: list[str]) -> None:
    """Print the table, one row for each mode."""
    print("| mode | in force | BLEU | chrF | COMET | spoken | begins p50 | p90 | ends p50 | p90 |")
    print("|---|" + "---|" * 9)
    async with server(*extra) as bench:
        for mode in modes:
            outcomes = [await interpret(bench, mode, item) for item in items]
            print(row(mode, outcomes, comet), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--modes", default=",".join(MODES), help="which, comma separated")
    parser.add_argument("--comet", default="", help="a checkpoint file; without it no COMET")
    own, extra = split_arguments(sys.argv[1:])
    options = parser.parse_args(own)
    asyncio.run(main(read(options.manifest), options.modes.split(","), options.comet, extra))
