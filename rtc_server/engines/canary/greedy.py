"""Greedy decoding for NeMo's Transformer decoder that reads every weight once a token.

NeMo (3.0.0, ``GreedySequenceGenerator``) keeps hidden states, not keys and values: at each token it
projects the whole audio and the whole text again, and asks the device whether all texts have ended.
Here keys and values are kept, every tensor has the fixed shape of its `Bucket`, and the device is
asked only now and then. On CUDA a step is captured once for each bucket and replayed. Same weights,
same tokens: the tests compare the two, token for token.

The texts wanted of one segment (its transcript and its translation) share the segment's
cross-attention keys and values, so the second costs little more than the first. A text may have a
prefix that stands already: it is read with the prompt, in one pass, and every text of a batch is at
a position of its own.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from rtc_server.engines.canary.alignment import LayerHeads
from rtc_server.engines.canary.attention import AlignmentHeads, frames_of
from rtc_server.engines.canary.buffers import MASKED, Begun, Bucket, Buffers, Recorder
from rtc_server.engines.canary.layers import DecoderLayer
from rtc_server.engines.heartbeat import beat

BATCHES = (1, 2, 4, 8, 16, 32, 64)
"""Numbers of segments there are buckets for."""

FRAMES = (26, 51, 76, 101, 126, 188, 251, 376, 501)
"""Audio lengths there are buckets for, in encoder frames of 80 ms: 2, 4, 6, 8, 10, 15, 20, 30 and
40 seconds."""

FRAMES_PER_S = 12.5
"""Encoder frames in a second of audio."""

TOKENS_BEYOND_FRAMES = 32
"""Room for tokens in a bucket, prompt included, above one a frame."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """One text, as tokens."""

    tokens: tuple[int, ...]
    """Prefix and what follows, without prompt, end and padding."""
    complete: bool
    """False when it was cut at its limit."""
    frames: tuple[int, ...] = field(default=(), compare=False)
    """Encoder frame that each token comes from; empty of a decoder without `AlignmentHeads`. No
    part of what is compared: where heads attend to two frames alike, rounding decides."""


class GreedyDecoder:
    """Decodes with the modules of a restored model. One thread, one decode at a time."""

    def __init__(
        self,
        decoder: Any,
        head: Any,
        end: int,
        pad: int,
        *,
        inside_word: Sequence[int] = (),
        heads: Sequence[LayerHeads] = (),
    ) -> None:
        """Adopt ``model.transf_decoder`` and ``model.log_softmax``; both stay fit for NeMo's use.

        Args:
            decoder: a ``TransformerDecoderNM`` in eval mode.
            head: a ``TokenClassifier`` in eval mode.
            end: token that ends a text.
            pad: token that fills the rest of a row.
            inside_word: tokens that would lengthen the word before them; they never follow a
                prefix.
            heads: heads that say where in the audio a token comes from.

        Raises:
            EngineUnavailable: the decoder has no such heads.
            ValueError: the modules are not of the kind that Canary has.
        """
        stack = decoder.decoder
        if not all(block.pre_ln for block in stack.layers) or stack.final_layer_norm is None:
            raise ValueError("the decoder is not a pre-layer-norm one")
        if head.mlp.layers != 1:
            raise ValueError("the head has more than one layer")
        self._layers = [DecoderLayer(block) for block in stack.layers]
        self._heads = AlignmentHeads(heads, self._layers)
        self._final_norm = stack.final_layer_norm
        self._embedding = decoder.embedding
        learned = decoder.embedding.learn_positional_encodings
        positions = decoder.embedding.position_embedding
        self._positions: Tensor = positions.weight if learned else positions.pos_enc
        self._head = head.mlp.layer0
        self._end, self._pad = end, pad
        weight = self._layers[0].weight
        self._inside_word = torch.zeros(
            self._head.weight.shape[0], dtype=torch.bool, device=weight.device
        )
        self._inside_word[list(inside_word)] = True
        self._memory: Tensor = weight.new_zeros(0)
        self._states: dict[Bucket, Buffers] = {}
        self._recorder = self._new_recorder()

    def decode(
        self,
        encoded: Tensor,
        frame_counts: Tensor,
        prompts: Tensor,
        limits: Tensor,
        prefixes: Sequence[Sequence[Sequence[int]]] = (),
    ) -> list[list[Decoded]]:
        """Return the texts of a batch of encoded segments.

        Args:
            encoded: encoder states, shape (segments, frames, width).
            frame_counts: frames of each segment that are not padding, shape (segments,).
            prompts: tokens before each text, shape (segments, texts, prompt length).
            limits: most tokens of each text, its prefix and its end included, shape (segments,
                texts), on the CPU; 0 asks for no text. The decoder's positions are a limit to all.
            prefixes: for each segment and text the tokens that it begins with, without an end;
                none at all when no text has any. One that fills its limit is the whole text.

        Returns:
            For each segment its texts, in the order of the prompts.
        """
        with torch.inference_mode():
            begun = self._begun(prompts, limits, prefixes)
            return self._decode(encoded, frame_counts, begun)

    def reserve(self, segments: int, texts: int, seconds: float) -> None:
        """Take memory for decodes of up to that size at once.

        A larger one later takes more, and has all graphs captured anew.
        """
        bucket = self._bucket(segments, texts, int(seconds * FRAMES_PER_S) + 1, 0)
        self._grow(Buffers.memory_needed(bucket, self._layers))

    def forget(self) -> None:
        """Give back the memory of buffers and captured graphs."""
        self._states.clear()
        self._recorder = self._new_recorder()
        self._memory = self._memory.new_zeros(0)

    def _begun(
        self, prompts: Tensor, limits: Tensor, prefixes: Sequence[Sequence[Sequence[int]]]
    ) -> Begun:
        """Return the rows of a decode as they are before its first token."""
        segments, texts, prompt_length = prompts.shape
        rows = [tuple(prefix) for each in prefixes for prefix in each] or [()] * (segments * texts)
        lengths = torch.tensor([len(row) for row in rows])
        longest = int(lengths.max())
        padded = [(*row, *[self._pad] * (longest - len(row))) for row in rows]
        behind = torch.tensor(padded, dtype=torch.long, device=prompts.device)
        tokens = torch.cat([prompts.view(segments * texts, -1), behind], dim=1)
        most = len(self._positions) - prompt_length
        stops = limits.reshape(-1).clamp(max=most) + prompt_length
        return Begun(segments, texts, tokens, prompt_length, prompt_length + lengths, stops)

    def _decode(self, encoded: Tensor, frame_counts: Tensor, begun: Begun) -> list[list[Decoded]]:
        positions = int(begun.stops.max())
        bucket = self._bucket(begun.segments, begun.texts, encoded.shape[1], positions)
        state = self._state(bucket)
        audio = [layer.look_at(encoded) for layer in self._layers]
        state.begin(audio, frame_counts, begun)
        self._prefill(state, begun)
        for written in range(1, int((begun.stops - begun.lengths).max())):
            if written % state.steps_between_checks == 0 and bool(state.ended.all()):
                break
            state.step()
            beat()
        return self._read(state, begun)

    def _prefill(self, state: Buffers, begun: Begun) -> None:
        """Read prompts and prefixes in one pass, and write down what follows each.

        Shorter rows are filled up behind their end. What that leaves in their keys and values is
        masked, and overwritten as they grow.
        """
        rows, longest = state.begun.shape
        positions = torch.arange(longest, device=state.begun.device).expand(rows, longest)
        states = self._hidden(state, state.begun, positions)
        last = states.gather(1, (state.lengths - 1)[:, None, None].expand(-1, 1, states.shape[2]))
        scores = self._head(self._final_norm(last[:, 0]))
        if longest > begun.prompt_length:
            has_prefix = state.lengths > begun.prompt_length
            forbidden = has_prefix[:, None] & self._inside_word
            scores = scores.masked_fill(forbidden, -math.inf)
        state.write(scores.argmax(dim=-1), state.lengths, self._end)

    def _advance(self, state: Buffers, tokens: Tensor, positions: Tensor) -> None:
        """Compute a token of every row, `tokens` (rows, 1) at `positions` (rows,), and write down
        what follows.
        """
        states = self._hidden(state, tokens, positions[:, None])
        following = self._head(self._final_norm(states[:, 0])).argmax(dim=-1)
        state.write(following, positions + 1, self._end)

    def _hidden(self, state: Buffers, tokens: Tensor, positions: Tensor) -> Tensor:
        """Return what the layers make of `tokens` at `positions`, both (rows, count): shape (rows,
        count, width). Where in the audio each next token comes from is written down.
        """
        embedding = self._embedding
        states = embedding.token_embedding(tokens) + self._positions[positions]
        states = embedding.layer_norm(states)
        later = (
            torch.arange(state.bucket.positions, device=positions.device) > positions[:, :, None]
        )
        row = torch.arange(len(positions), device=positions.device)[:, None]
        bias = later[:, None].to(states.dtype) * MASKED
        attended: Tensor | None = None
        layers = enumerate(zip(self._layers, state.own, state.audio, strict=True))
        for index, (layer, own, audio) in layers:
            states, query = layer(
                states,
                own_positions=(row, positions),
                own=own,
                own_bias=bias,
                audio=audio,
                audio_bias=state.audio_bias,
            )
            attention = self._heads.attention(index, query, audio, state.audio_bias)
            if attention is not None:
                attended = attention if attended is None else attended + attention
        if attended is not None:
            state.frames.scatter_(1, positions + 1, frames_of(attended).view(positions.shape))
        return states

    def _bucket(self, segments: int, texts: int, frames: int, positions: int) -> Bucket:
        """Return the smallest bucket that holds such a decode."""
        frames = at_least(FRAMES, frames)
        positions = max(positions, frames + TOKENS_BEYOND_FRAMES)
        aligned = -(-positions // 16) * 16  # as CUDA kernels want a row of scores
        return Bucket(
            at_least(BATCHES, segments), texts, frames, min(aligned, len(self._positions))
        )

    def _state(self, bucket: Bucket) -> Buffers:
        if bucket not in self._states:
            self._grow(Buffers.memory_needed(bucket, self._layers))
            self._states[bucket] = Buffers(
                bucket,
                self._layers,
                self._memory,
                self._pad,
                self._advance,
                recorder=self._recorder,
            )
        return self._states[bucket]

    def _new_recorder(self) -> Recorder | None:
        return Recorder() if self._memory.is_cuda else None

    def _grow(self, elements: int) -> None:
        """Grow the memory that all buckets share: only one is decoded at a time. Graphs know its
        address.
        """
        if len(self._memory) < elements:
            self.forget()
            self._memory = self._memory.new_zeros(elements)

    def _read(self, state: Buffers, begun: Begun) -> list[list[Decoded]]:
        shape = (state.bucket.segments, state.bucket.texts, -1)
        written = state.written.view(shape)[: begun.segments, :, begun.prompt_length :].tolist()
        frames = state.frames.view(shape)[: begun.segments, :, begun.prompt_length :].tolist()
        return [
            [self._read_text(*text) for text in zip(*segment, strict=True)]
            for segment in zip(written, frames, strict=True)
        ]

    def _read_text(self, row: list[int], frames: list[int]) -> Decoded:
        complete = self._end in row
        tokens = row[: row.index(self._end)] if complete else row
        while tokens and tokens[-1] == self._pad:
            tokens.pop()
        seen = frames[: len(tokens)] if self._heads else ()
        return Decoded(tuple(tokens), complete, tuple(seen))


def at_least(sizes: Sequence[int], wanted: int) -> int:
    """Return the smallest of `sizes` that holds `wanted`; `wanted` itself above the largest."""
    return next((size for size in sizes if size >= wanted), wanted)
