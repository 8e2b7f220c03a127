"""Effect of packet loss and jitter on speech: aiortc's jitter buffer and ours, side by side.

    python -m bench.loss [--minutes 3] [--seed 7]

Offline and in virtual time: one seeded path delivers the same packets to both. Ours is the whole
receiver with real Opus; aiortc's `JitterBuffer(16, prefetch=4)` is what its audio receiver uses,
and what it puts out is counted without decoding. Shares are of the 20 ms slots sent while the path
was bad: *wire*, lost on the way; *missing*, with no audio at all; *FEC*, recovered; *filled*,
concealed or silent. Delay is how long after its fastest possible arrival a slot came out, p50 /
p95. *Back* is how long after the path became clean the delay was within 20 ms of the least again.
"""

import argparse
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from aiortc.jitterbuffer import JitterBuffer
from aiortc.rtp import RtpPacket

from rtc_server.transport.media.receiver import Receiver
from tests.support.netem import Link, Path
from tests.support.packet_scripts import PAYLOAD_TYPE, Arrival, encoded, rtp, run_receiver, through

LOOP_S = 20.0
"""Length of the signal that is repeated."""
TAIL_S = 20.0
"""A clean path at the end, to see what remains."""
WITHIN_MS = 20.0

SCENARIOS: dict[str, Path] = {
    "clean": Path(),
    "1 %": Path(loss=0.01),
    "3 %": Path(loss=0.03),
    "5 %": Path(loss=0.05),
    "10 %": Path(loss=0.1),
    "20 %": Path(loss=0.2),
    "30 %": Path(loss=0.3),
    "5 %, bursts of 3": Path(loss=0.05, loss_burst=3),
    "10 %, bursts of 5": Path(loss=0.1, loss_burst=5),
    "jitter 60 ms": Path(jitter_ms=60),
    "5 %, jitter 60 ms": Path(loss=0.05, jitter_ms=60),
    "5 % reordered by 50 ms": Path(reorder=0.05, reorder_ms=50),
}


@dataclass(frozen=True, slots=True)
class LossOutcome:
    """Result of a receiver in one scenario."""

    missing: float
    """Share of slots with no audio at all, 0 to 1."""
    fec: float
    """Share recovered."""
    filled: float
    """Share concealed or silent."""
    p50_ms: float
    """Median delay while the path was impaired."""
    p95_ms: float
    """95th percentile of the same."""
    back_s: float
    """Seconds until the delay is back; infinite if it stays."""


class Script:
    """Packets of one scenario: impaired first, then a clean tail."""

    def __init__(self, path: Path, seconds: float, seed: int) -> None:
        payloads = encoded(LOOP_S, fec=True)
        self.impaired = round(seconds * 50)
        self.count = self.impaired + round(TAIL_S * 50)
        sent = [Arrival(i * 0.02, rtp(i, payloads[i % len(payloads)])) for i in range(self.count)]
        link = Link(path, seed)
        worse = through(link, sent[1 : self.impaired])
        # The first packet comes, so that both sides know where the stream begins.
        self.arrivals = sorted(
            [sent[0], *worse, *sent[self.impaired :]], key=lambda each: each.at_s
        )
        self.lost = link.dropped / self.impaired

    def outcome(
        self, slots: list[tuple[int, float]], *, recovered_ms: float = 0.0, filled_ms: float = 0.0
    ) -> LossOutcome:
        """Return the outcome of (slot, time at which it came out), in order of time; shares are of
        the impaired time.
        """
        delays = [(number, (at_s - number * 0.02) * 1000) for number, at_s in slots]
        impaired = [delay for number, delay in delays if number < self.impaired]
        usual_ms = min(delay for _, delay in delays)
        held = [
            number
            for number, delay in delays
            if number >= self.impaired - 1 and delay > usual_ms + WITHIN_MS
        ]
        back_s = (max(held) + 1 - self.impaired) * 0.02 if held else 0.0
        if held and max(held) == delays[-1][0]:
            back_s = math.inf
        present = {number for number, _ in slots if number < self.impaired}
        return LossOutcome(
            missing=1 - len(present) / self.impaired,
            fec=recovered_ms / 20 / self.impaired,
            filled=filled_ms / 20 / self.impaired,
            p50_ms=float(np.percentile(impaired, 50)),
            p95_ms=float(np.percentile(impaired, 95)),
            back_s=back_s,
        )


def ours(script: Script) -> LossOutcome:
    """Our receiver, pulled every 20 ms."""
    receiver = Receiver(PAYLOAD_TYPE)
    slots: list[tuple[int, float]] = []
    for at_s, pcm in run_receiver(receiver, script.arrivals, script.count * 0.02):
        slots.append((pcm.start_samples // 320, at_s))
    quality = receiver.counters(script.count * 0.02)
    receiver.close()
    return script.outcome(
        slots,
        recovered_ms=quality.recovered_ms,
        filled_ms=quality.concealed_ms + quality.silence_ms,
    )


def stock(script: Script) -> LossOutcome:
    """aiortc's buffer."""
    buffer = JitterBuffer(capacity=16, prefetch=4)
    slots = []
    for at_s, data in script.arrivals:
        packet: Any = RtpPacket.parse(data)
        packet._data = packet.payload  # as its receiver does for codecs that need no depayloading
        _, frame = buffer.add(packet)
        if frame is not None:
            slots.append((frame.timestamp // 960, at_s))
    return script.outcome(slots)


def table(seconds: float, seed: int) -> Iterator[str]:
    """The rows, as Markdown."""
    theirs_, ours_ = "aiortc: missing | delay | back", "ours: missing | FEC | filled | delay | back"
    yield f"| path | wire | {theirs_} | {ours_} |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    receivers: tuple[Callable[[Script], LossOutcome], ...] = (stock, ours)
    for name, path in SCENARIOS.items():
        script = Script(path, seconds, seed)
        theirs, mine = (receive(script) for receive in receivers)
        yield (
            f"| {name} | {script.lost:.1%} "
            f"| {theirs.missing:.1%} | {_delay(theirs)} | {_back(theirs)} "
            f"| {mine.missing:.1%} | {mine.fec:.1%} | {mine.filled:.1%} "
            f"| {_delay(mine)} | {_back(mine)} |"
        )


def _delay(outcome: LossOutcome) -> str:
    return f"{outcome.p50_ms:.0f} / {outcome.p95_ms:.0f} ms"


def _back(outcome: LossOutcome) -> str:
    return "never" if math.isinf(outcome.back_s) else f"{outcome.back_s:.1f} s"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--minutes", type=float, default=3.0, help="impaired time in each row")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    for row in table(arguments.minutes * 60, arguments.seed):
        print(row, flush=True)


if __name__ == "__main__":
    main()
