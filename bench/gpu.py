"""Speed of Canary on this machine: latency by batch and length, three decoders side by side,
memory, load.

    python -m bench.gpu                     # GPU if any, else one CPU thread; full size, random
    python -m bench.gpu --size fixture      # the model of the tests
    python -m bench.gpu --batches 1 --seconds 3,10 --threads 2

Needs the ``canary`` extra (its transformers serves for the third decoder). Random weights never end
a text, so every text gets as many tokens as people say in that time; speed does not depend on what
the weights are. Other work on the machine only ever adds, so the least of a few rounds counts.
Prints a table in Markdown. Ten minutes at most with the defaults on a GPU.
"""

import argparse
import gc
import math
import os
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from bench.gpu_sessions import BAR_S, SEGMENT_S, most_sessions
from bench.nemo_search import nemo_greedy
from rtc_server.engines.canary.translator import Wanted
from rtc_server.pcm import SPEECH_RATE

TOKENS_PER_S = 5
"""Tokens of brisk speech; transcript and translation each."""

FIXTURE = Path(__file__).parents[1] / "models" / "fixture" / "phrasebook.nemo"


def main() -> None:
    """Measure what the options ask for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--size", choices=("full", "fixture"), default="full")
    parser.add_argument("--batches", default="", help="default: 1,4,16,64 on CUDA, 1 on the CPU")
    parser.add_argument("--seconds", default="1,3,10")
    parser.add_argument("--texts", type=int, choices=(1, 2), default=2, help="of each segment")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads")
    parser.add_argument("--rounds", type=int, default=5, help="the least of so many counts")
    parser.add_argument("--check", type=int, default=0, help="compare tokens on so many inputs")
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    import torch  # noqa: PLC0415 (after the number of threads is known)

    torch.set_num_threads(options.threads)
    from rtc_server.engines.canary.device import choose_device  # noqa: PLC0415

    device = choose_device(options.device)
    batches = _numbers(options.batches or ("1,4,16,64" if device == "cuda" else "1"))
    lengths = _numbers(options.seconds)
    where = (
        torch.cuda.get_device_name() if device == "cuda" else f"CPU, {options.threads} thread(s)"
    )
    print(f"Canary, {options.size} size, on {where}; torch {torch.__version__}\n")
    bench = Bench(device, options.texts, options.rounds)
    bench.load_nemo(options.size)
    rows = {(b, s): bench.measure_nemo(b, s) for s in lengths for b in batches}
    if options.check:
        print(
            f"Token for token the same on {bench.same(options.check)} of {options.check} inputs\n"
        )
    bench.load_transformers(options.size)
    for (batch, seconds), row in rows.items():
        row["transformers, ms a token"] = bench.measure_transformers(batch, seconds)
    bench.print_table(rows)
    if (1, SEGMENT_S) in rows:
        whole = "segment to texts, ms"
        times = {b: row[whole] / 1000 for (b, s), row in rows.items() if s == SEGMENT_S}
        print(f"\nSessions at p95 <= {BAR_S} s, simulated: {most_sessions(times)}")
    print(f"\nPeak memory of the process: {_peak_memory_gb():.1f} GB")


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",")]


def _peak_memory_gb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


class Bench:
    """One model at a time, and a clock that waits for the device."""

    def __init__(self, device: str, texts: int, rounds: int) -> None:
        self.device = device
        self.texts = texts
        self.rounds = rounds
        self.random = np.random.default_rng(0)

    def load_nemo(self, size: str) -> None:
        """The model as the server loads it, or the full size with random weights."""
        self.writer = self._nemo_writer(size)
        model, tokenizer = self.writer.model, self.writer.model.tokenizer
        from rtc_server.engines.canary.greedy import GreedyDecoder  # noqa: PLC0415

        self.timeless = GreedyDecoder(
            model.transf_decoder, model.log_softmax, end=tokenizer.eos_id, pad=tokenizer.pad_id
        )

    def _nemo_writer(self, size: str) -> Any:
        from rtc_server.engines.canary.nemo_writer import NemoWriter  # noqa: PLC0415

        if size == "fixture":
            return NemoWriter.load(str(FIXTURE), self.device, Path())
        from models.fixture.architecture import FULL, build  # noqa: PLC0415

        with tempfile.TemporaryDirectory() as folder:
            model = build(Path(folder), FULL)
        model.freeze()
        model.preprocessor.featurizer.dither = 0.0
        return NemoWriter(model, self.device, "random")

    def load_transformers(self, size: str) -> None:
        """Load the same size in transformers, after freeing the NeMo model."""
        import torch  # noqa: PLC0415
        from transformers import CanaryConfig, CanaryForConditionalGeneration  # noqa: PLC0415

        from rtc_server.engines.canary.device import choose_dtype  # noqa: PLC0415

        del self.writer, self.timeless
        gc.collect()
        torch.manual_seed(0)
        if size == "fixture":
            from models.fixture.to_transformers import convert  # noqa: PLC0415

            with tempfile.TemporaryDirectory() as folder:
                convert(FIXTURE, Path(folder))
                model = CanaryForConditionalGeneration.from_pretrained(folder)
        else:
            model = CanaryForConditionalGeneration(CanaryConfig())
        self.hf: Any = model.to(choose_dtype(self.device)).to(self.device).eval()

    def measure_nemo(self, batch: int, seconds: int) -> dict[str, float]:
        """Encoder and both decoders, for `batch` segments."""
        import torch  # noqa: PLC0415

        writer, tokens = self.writer, TOKENS_PER_S * seconds
        waves = self.noise(batch, seconds)
        wanted = [[Wanted("en", "en"), Wanted("en", "ru")][: self.texts]] * batch
        with torch.inference_mode():
            states, counts = writer.encode(waves)
            encode_s = self.seconds(lambda: writer.encode(waves))
            prompts, _ = writer.asked(wanted, [tokens] * batch)

            def ours(count: int) -> Any:
                limits = torch.full((batch, self.texts), count)
                return writer.decoder.decode(states, counts, prompts, limits)

            def without(count: int) -> Any:
                limits = torch.full((batch, self.texts), count)
                return self.timeless.decode(states, counts, prompts, limits)

            def nemo(count: int) -> Any:
                return nemo_greedy(writer.model, states, counts, prompts, count)

            ours_s, without_s, nemo_s = self.per_token((ours, without, nemo), tokens)
            whole_s = self.seconds(lambda: writer.write(waves, wanted, [tokens] * batch))
        return {
            "encoder, ms": encode_s * 1e3,
            "ours, ms a token": ours_s * 1e3,
            "word times cost": ours_s / without_s,
            "NeMo, ms a token": nemo_s * 1e3,
            "NeMo / ours": nemo_s / ours_s,
            "segment to texts, ms": whole_s * 1e3,
            "tokens a second": self.texts * batch * tokens / whole_s,
            "GPU memory, GB": self.peak_gpu_gb(),
        }

    def measure_transformers(self, batch: int, seconds: int) -> float:
        """Return the milliseconds for a token of ``generate`` over the same shapes."""
        import torch  # noqa: PLC0415
        from transformers.modeling_outputs import BaseModelOutputWithPooling  # noqa: PLC0415

        model, frames = self.hf, int(seconds * 12.5) + 1
        rows = self.texts * batch
        width = model.config.encoder_config.hidden_size
        states = torch.randn(rows, frames, width, dtype=model.dtype, device=self.device)
        encoded = BaseModelOutputWithPooling(last_hidden_state=states)
        encoded["attention_mask"] = torch.ones(rows, frames, device=self.device)
        prompts = torch.full((rows, 10), 7, device=self.device)

        def generate(count: int) -> Any:
            with torch.inference_mode():
                return model.generate(
                    encoder_outputs=encoded,
                    decoder_input_ids=prompts,
                    max_new_tokens=count,
                    min_new_tokens=count,
                    do_sample=False,
                )

        (token_s,) = self.per_token((generate,), TOKENS_PER_S * seconds)
        return token_s * 1e3

    def same(self, inputs: int) -> int:
        """Return the number of random inputs on which our tokens are NeMo's."""
        import torch  # noqa: PLC0415

        right = 0
        for _ in range(inputs):
            with torch.inference_mode():
                wave = self.noise(1, 1) if self.random.random() < 0.5 else self.noise(1, 2)
                states, counts = self.writer.encode(wave)
                prompts, _ = self.writer.asked([[Wanted("en", "en"), Wanted("en", "ru")]], [12])
                limits = torch.full((1, 2), 12)
                (ours,) = self.writer.decoder.decode(states, counts, prompts, limits)
                theirs = nemo_greedy(self.writer.model, states, counts, prompts, 12)
            right += [list(one.tokens) for one in ours] == theirs.tolist()
        return right

    def noise(self, batch: int, seconds: float) -> list[Any]:
        """`batch` segments of `seconds`."""
        count = int(seconds * SPEECH_RATE)
        return [(0.1 * self.random.standard_normal(count)).astype(np.float32) for _ in range(batch)]

    def per_token(self, decoders: Sequence[Callable[[int], Any]], tokens: int) -> list[float]:
        """Return the seconds for each further token with each decoder; rounds alternate, so load
        affects all.
        """
        few = 2
        times: list[list[float]] = [[] for _ in decoders]
        for decode in decoders:
            decode(tokens)
        for _ in range(self.rounds):
            for decode, kept in zip(decoders, times, strict=True):
                short, long = (self.once(partial(decode, count)) for count in (few, tokens))
                kept.append((long - short) / (tokens - few))
        return [min(kept) for kept in times]

    def seconds(self, work: Callable[[], Any]) -> float:
        """Least time of `work`."""
        work()
        return min(self.once(work) for _ in range(self.rounds))

    def once(self, work: Callable[[], Any]) -> float:
        """Return the seconds until the device has done `work`."""
        self.wait()
        start = time.perf_counter()
        work()
        self.wait()
        return time.perf_counter() - start

    def wait(self) -> None:
        """Wait until the device is idle."""
        if self.device == "cuda":
            import torch  # noqa: PLC0415

            torch.cuda.synchronize()

    def peak_gpu_gb(self) -> float:
        """Return the most memory in use on the GPU so far."""
        if self.device != "cuda":
            return float("nan")
        import torch  # noqa: PLC0415

        return float(torch.cuda.max_memory_allocated()) / 2**30

    def print_table(self, rows: dict[tuple[int, int], dict[str, float]]) -> None:
        """Print one line for each batch and length."""
        names = list(next(iter(rows.values())))
        print("| batch | audio, s | " + " | ".join(names) + " |")
        print("|" + "---:|" * (2 + len(names)))
        for (batch, seconds), row in rows.items():
            cells = [
                "" if math.isnan(v) else f"{v:.1f}" if v < 100 else f"{v:.0f}" for v in row.values()
            ]
            print(f"| {batch} | {seconds} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
