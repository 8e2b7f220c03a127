"""Cost of a token of Canary's decoder on ONNX Runtime, its graph cut in two and whole.

    python -m bench.canary_decoder [--threads 1,2] [--tokens 40]

Builds an untrained decoder of the full size (in the environment with NeMo), exports it in integers
of 8 bits, and has both write as many tokens for 3 and 10 s of audio, in turns. "wall" is the least
of three, "CPU" the processor time of the same.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from models.fixture.architecture import FULL, build
from models.fixture.to_onnx import convert
from rtc_server.engines.canary.onnx_decoder import OnnxDecoder
from rtc_server.engines.cascade.features import Floats
from rtc_server.engines.onnx_session import open_session

FRAMES_A_SECOND = 12.5
SECONDS = (3, 10)
PROMPT = 9
ROUNDS = 3


class WholeDecoder:
    """The published graph as it is: it takes the states of the audio with each token."""

    def __init__(self, path: Path, threads: int) -> None:
        with path.open("rb") as file:
            self._session = open_session(file, path.name, threads, "")
        mems = next(each for each in self._session.get_inputs() if each.name == "decoder_mems")
        self._shape = int(mems.shape[0]), int(mems.shape[3])

    def write(self, states: Floats, tokens: int) -> list[int]:
        """Write that many tokens of any kind."""
        layers, width = self._shape
        memory = np.zeros((layers, len(states), 0, width), np.float32)
        mask = np.ones(states.shape[:2], np.int64)
        following, written = np.zeros((len(states), PROMPT), np.int64), []
        for _ in range(tokens):
            scores, memory = self._session.run(
                None,
                {
                    "input_ids": following,
                    "encoder_embeddings": states,
                    "encoder_mask": mask,
                    "decoder_mems": memory,
                },
            )
            following = scores[:, -1].argmax(axis=-1)[:, None]
            written.append(int(following[0, 0]))
        return written


def write_cut(decoder: OnnxDecoder, states: Floats, tokens: int) -> list[int]:
    """Do the same through the graph that is cut."""
    texts = decoder.begin(states, np.ones(states.shape[:2], np.int64))
    following, written = np.zeros((len(states), PROMPT), np.int64), []
    for _ in range(tokens):
        following = texts.next(following).argmax(axis=-1)[:, None]
        written.append(int(following[0, 0]))
    return written


def timed(action: Callable[[], list[int]]) -> tuple[float, float, list[int]]:
    """Return wall and processor time in ms, and what came of it."""
    wall, cpu = time.perf_counter(), time.process_time()
    written = action()
    return (time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000, written


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--tokens", type=int, default=40)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model = build(folder, replace(FULL, encoder_layers=1))  # only the decoder is measured
        convert(model.eval(), folder)
        del model
        for threads in map(int, options.threads.split(",")):
            report(folder / "decoder-model.int8.onnx", threads, options.tokens)


def report(path: Path, threads: int, tokens: int) -> None:
    """Print the rows for that many threads."""
    whole = WholeDecoder(path, threads)
    opened: Callable[..., Any] = partial(_open, threads)
    with path.open("rb") as file:
        cut = OnnxDecoder.load(file, "stand-in", opened)
    print(f"{tokens} tokens, {threads} thread(s), ms: whole wall (CPU) | cut | ratio of CPU")
    for seconds in SECONDS:
        frames = round(seconds * FRAMES_A_SECOND)
        states = np.random.default_rng(0).standard_normal((1, frames, 1024)).astype(np.float32)
        pairs = [
            (
                timed(partial(whole.write, states, tokens)),
                timed(partial(write_cut, cut, states, tokens)),
            )
            for _ in range(ROUNDS)
        ]
        before, after = (min(each[side] for each in pairs) for side in (0, 1))
        same = before[2] == after[2]
        print(
            f"{seconds:2} s  {before[0]:.0f} ({before[1]:.0f}) | {after[0]:.0f} ({after[1]:.0f}) | "
            f"{after[1] / before[1]:.2f}  {'the same tokens' if same else 'OTHER TOKENS'}",
            flush=True,
        )


def _open(threads: int, file: Any, part: str) -> Any:
    return open_session(file, part, threads, "")


if __name__ == "__main__":
    main()
