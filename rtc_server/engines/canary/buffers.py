"""Buffers of a decode: tensors of fixed shapes, and on CUDA the step captured over them."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rtc_server.engines.canary.layers import DecoderLayer

MASKED = -10_000.0
"""Added to a score that must not count. NeMo's own value: finite, so that a row of nothing but
padding stays finite too."""

STEPS_BETWEEN_CHECKS = 8
"""On CUDA: tokens computed before the device is asked whether all texts have ended."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """The shape of a decode. Decodes of one shape share buffers and a captured graph."""

    segments: int
    """Pieces of audio in the batch."""
    texts: int
    """Texts of each."""
    frames: int
    """Encoder frames of each, padding included."""
    positions: int
    """Tokens of each text, its prompt included."""


@dataclass(frozen=True, slots=True)
class Begun:
    """Texts of a batch before their first new token. A row is a text of a segment."""

    segments: int
    """Pieces of audio in the batch."""
    texts: int
    """Texts of each."""
    tokens: Tensor
    """Prompt, prefix and padding of each row, shape (rows, longest)."""
    prompt_length: int
    """Tokens of a prompt."""
    lengths: Tensor
    """Tokens of each row that are no padding, shape (rows,), on the CPU."""
    stops: Tensor
    """Position that no token of a row may take, its end included, shape (rows,), on the CPU."""


class Recorder:
    """Recorder of steps as CUDA graphs that share one memory pool, and one stream beside the main
    one.

    The graphs may share: one is replayed at a time, and what a step leaves behind it writes into
    tensors outside the pool. A pool and a stream for each graph would cost some 10 MB each.
    """

    def __init__(self) -> None:
        self._pool = torch.cuda.graph_pool_handle()
        self._aside = torch.cuda.Stream()

    def record(self, step: Callable[[], None], changed: Sequence[Tensor]) -> Any:
        """Return the graph of `step`, which changes nothing but the tensors `changed`.

        The steps before the recording, in which kernels choose their workspaces, are undone;
        recording itself runs without effect.
        """
        kept = [tensor.clone() for tensor in changed]
        self._aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._aside):
            for _ in range(2):
                step()
        torch.cuda.current_stream().wait_stream(self._aside)
        for tensor, value in zip(changed, kept, strict=True):
            tensor.copy_(value)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=self._pool, stream=self._aside):
            step()
        return graph


class Buffers:
    """Buffers of one bucket, and on CUDA the captured step that works in them."""

    def __init__(
        self,
        bucket: Bucket,
        layers: Sequence[DecoderLayer],
        memory: Tensor,
        pad: int,
        advance: Callable[["Buffers", Tensor, Tensor], None],
        *,
        recorder: Recorder | None,
    ) -> None:
        """`recorder`: records the step, on CUDA; without one each step is computed anew."""
        weight = layers[0].weight
        rows = bucket.segments * bucket.texts
        own, audio = self._shapes(bucket, layers)
        taken = math.prod(own), math.prod(audio)
        own_memory, audio_memory = memory[: sum(taken)].split(taken)
        self._own, self._audio = own_memory.view(own), audio_memory.view(audio)
        self.bucket = bucket
        self.own = [(keys, values) for keys, values in self._own]
        self.audio = [(keys, values) for keys, values in self._audio]
        self.audio_bias = weight.new_zeros(bucket.segments, 1, 1, bucket.frames)
        integers = {"dtype": torch.long, "device": weight.device}
        self.written = torch.full((rows, bucket.positions + 1), pad, **integers)
        self.frames = torch.zeros((rows, bucket.positions + 1), **integers)
        self.begun = torch.full((rows, 1), pad, **integers)
        self.lengths = torch.ones(rows, **integers)
        self._token = torch.full((rows, 1), pad, **integers)
        self._position = torch.zeros(rows, **integers)
        self._stops = torch.zeros(rows, **integers)
        self.ended = torch.zeros(rows, dtype=torch.bool, device=weight.device)
        self._pad = pad
        self._advance = advance
        self._graph: Any = None
        self._recorder = recorder
        self.steps_between_checks = STEPS_BETWEEN_CHECKS if recorder else 1

    @staticmethod
    def memory_needed(bucket: Bucket, layers: Sequence[DecoderLayer]) -> int:
        """Return the elements of keys and values, of the texts and of the audio."""
        return sum(math.prod(shape) for shape in Buffers._shapes(bucket, layers))

    @staticmethod
    def _shapes(
        bucket: Bucket, layers: Sequence[DecoderLayer]
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        heads, width = layers[0].heads, layers[0].weight.shape[1]
        texts = bucket.segments * bucket.texts
        own = (len(layers), 2, texts, heads, bucket.positions, width // heads)
        audio = (len(layers), 2, bucket.segments, heads, bucket.frames, width // heads)
        return own, audio

    def begin(
        self, audio: Sequence[tuple[Tensor, Tensor]], frame_counts: Tensor, begun: Begun
    ) -> None:
        """Lay a batch into the buffers; rows and frames beyond it are padding."""
        segments, rows = begun.segments, len(begun.tokens)
        self._own.zero_()  # what is masked still gets multiplied: it must be finite
        self._audio.zero_()
        for (keys, values), (new_keys, new_values) in zip(self.audio, audio, strict=True):
            keys[:segments, :, : new_keys.shape[2]] = new_keys
            values[:segments, :, : new_values.shape[2]] = new_values
        frames = torch.arange(self.bucket.frames, device=self.audio_bias.device)
        self.audio_bias.fill_(MASKED)
        heard = frames[None] < frame_counts.to(frames.device)[:, None]
        self.audio_bias[:segments, 0, 0].masked_fill_(heard, 0.0)
        longest = begun.tokens.shape[1]
        self.begun = begun.tokens.new_full((len(self.written), longest), self._pad)
        self.begun[:rows] = begun.tokens
        self.written.fill_(self._pad)
        self.written[:, :longest] = self.begun
        self.lengths.fill_(begun.prompt_length)
        self.lengths[:rows] = begun.lengths.to(self.lengths.device)
        self._position.copy_(self.lengths - 1)
        self._stops.zero_()
        self._stops[:rows] = begun.stops.to(self._stops.device)
        self.ended.copy_(self._stops <= self.lengths)

    def write(self, following: Tensor, positions: Tensor, end: int) -> None:
        """Append a token at its position to every text that has not ended; all of it on the device.

        A text that has ended stays at its last position, or texts with room left would push it
        beyond the buffers.
        """
        token = torch.where(self.ended, self._pad, following)[:, None]
        self.written.scatter_(1, positions[:, None], token)
        self._position.copy_(torch.where(self.ended, self._position, positions))
        self.ended.logical_or_((token[:, 0] == end) | (positions + 1 >= self._stops))
        self._token.copy_(token)

    def step(self) -> None:
        """Decode one more token of every text."""
        if self._recorder is None:
            self._advance(self, self._token, self._position)
            return
        if self._graph is None:
            self._graph = self._recorder.record(
                lambda: self._advance(self, self._token, self._position),
                (self.written, self.frames, self.ended, self._token, self._position),
            )
        self._graph.replay()
