"""Greedy decoding for NeMo's Transformer decoder that reads every weight once a token.

NeMo (3.0.0, ``GreedySequenceGenerator``) keeps hidden states, not keys and values: at each token it
projects the whole audio and the whole text again, and asks the device whether all texts have ended.
Here keys and values are kept, every tensor has the fixed shape of its `Bucket`, and the device is
asked only now and then. On CUDA a step is captured once for each bucket and replayed. Same weights,
same tokens: the tests compare the two, token for token.

The texts wanted of one segment (its transcript and its translation) share the segment's
cross-attention keys and values, so the second costs little more than the first.
"""

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rtc_server.engines.canary.layers import DecoderLayer

MASKED = -10_000.0
"""Added to a score that must not count. NeMo's own value: finite, so that a row of nothing but
padding stays finite too."""

BATCHES = (1, 2, 4, 8, 16, 32, 64)
"""Numbers of segments there are buckets for."""

FRAMES = (26, 51, 76, 101, 126, 188, 251, 376, 501)
"""Audio lengths there are buckets for, in encoder frames of 80 ms: 2, 4, 6, 8, 10, 15, 20, 30 and
40 seconds."""

TOKENS_BEYOND_FRAMES = 32
"""Room for tokens in a bucket, prompt included, above one a frame."""

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
class Decoded:
    """One text, as tokens."""

    tokens: tuple[int, ...]
    """Without prompt, end and padding."""
    complete: bool
    """False when it was cut at its limit."""


class GreedyDecoder:
    """Decodes with the modules of a restored model. One thread, one decode at a time."""

    def __init__(self, decoder: Any, head: Any, end: int, pad: int, keep_bytes: int) -> None:
        """Adopt ``model.transf_decoder`` and ``model.log_softmax``; both stay fit for NeMo's use.

        Args:
            decoder: a ``TransformerDecoderNM`` in eval mode.
            head: a ``TokenClassifier`` in eval mode.
            end: token that ends a text.
            pad: token that fills the rest of a row.
            keep_bytes: memory that buffers of past shapes may hold for reuse.

        Raises:
            ValueError: the modules are not of the kind that Canary has.
        """
        stack = decoder.decoder
        if not all(block.pre_ln for block in stack.layers) or stack.final_layer_norm is None:
            raise ValueError("the decoder is not a pre-layer-norm one")
        if head.mlp.layers != 1:
            raise ValueError("the head has more than one layer")
        self._layers = [DecoderLayer(block) for block in stack.layers]
        self._final_norm = stack.final_layer_norm
        self._embedding = decoder.embedding
        learned = decoder.embedding.learn_positional_encodings
        positions = decoder.embedding.position_embedding
        self._positions: Tensor = positions.weight if learned else positions.pos_enc
        self._head = head.mlp.layer0
        self._end, self._pad = end, pad
        self._keep_bytes = keep_bytes
        self._states: OrderedDict[Bucket, _State] = OrderedDict()

    def decode(
        self, encoded: Tensor, frame_counts: Tensor, prompts: Tensor, limits: Tensor
    ) -> list[list[Decoded]]:
        """Texts of a batch of encoded segments.

        Args:
            encoded: encoder states, shape (segments, frames, width).
            frame_counts: frames of each segment that are not padding, shape (segments,).
            prompts: tokens before each text, shape (segments, texts, prompt length).
            limits: most tokens of each text, its end included, shape (segments, texts), on the
                CPU; 0 asks for no text. The decoder's positions are a limit to all.

        Returns:
            For each segment its texts, in the order of the prompts.
        """
        with torch.inference_mode():
            return self._decode(encoded, frame_counts, prompts, limits)

    def forget(self) -> None:
        """Give back the memory of buffers and captured graphs."""
        self._states.clear()

    def _decode(
        self, encoded: Tensor, frame_counts: Tensor, prompts: Tensor, limits: Tensor
    ) -> list[list[Decoded]]:
        segments, texts, prompt_length = prompts.shape
        frames = at_least(FRAMES, encoded.shape[1])
        longest = len(self._positions)
        most = min(int(limits.max()), longest - prompt_length)
        room = max(prompt_length + most, frames + TOKENS_BEYOND_FRAMES)
        bucket = Bucket(
            segments=at_least(BATCHES, segments),
            texts=texts,
            frames=frames,
            positions=min(longest, -(-room // 16) * 16),  # a multiple keeps CUDA kernels aligned
        )
        state = self._state(bucket)
        audio = [layer.look_at(encoded) for layer in self._layers]
        state.begin(audio, frame_counts, prompts, limits.clamp(max=most))
        self._advance(state, state.prompts, torch.arange(prompt_length, device=encoded.device))
        for written in range(1, most):
            if written % state.steps_between_checks == 0 and bool(state.ended.all()):
                break
            state.step()
        return self._read(state, segments, prompt_length)

    def _advance(self, state: "_State", tokens: Tensor, places: Tensor) -> None:
        """Compute `tokens` (texts, count) at `places` (count,), and write down what follows."""
        embedding = self._embedding
        states = embedding.token_embedding(tokens) + self._positions[places]
        states = embedding.layer_norm(states)
        later = torch.arange(state.bucket.positions, device=places.device) > places[:, None]
        bias = later.to(states.dtype) * MASKED
        for layer, own, audio in zip(self._layers, state.own, state.audio, strict=True):
            states = layer(
                states,
                places,
                own=own,
                own_bias=bias,
                audio=audio,
                audio_bias=state.audio_bias,
            )
        following = self._head(self._final_norm(states[:, -1])).argmax(dim=-1)
        state.write(following, places[-1:] + 1, self._end)

    def _state(self, bucket: Bucket) -> "_State":
        state = self._states.pop(bucket, None)
        if state is None:
            state = _State(bucket, self._layers, self._pad, self._advance)
            held = sum(other.size_bytes for other in self._states.values())
            while self._states and held + state.size_bytes > self._keep_bytes:
                _, oldest = self._states.popitem(last=False)
                held -= oldest.size_bytes
        self._states[bucket] = state
        return state

    def _read(self, state: "_State", segments: int, prompt_length: int) -> list[list[Decoded]]:
        rows = state.written.view(state.bucket.segments, state.bucket.texts, -1)
        result = []
        for texts in rows[:segments, :, prompt_length:].tolist():
            decoded = []
            for row in texts:
                complete = self._end in row
                tokens = row[: row.index(self._end)] if complete else row
                while tokens and tokens[-1] == self._pad:
                    tokens.pop()
                decoded.append(Decoded(tuple(tokens), complete))
            result.append(decoded)
        return result


class _State:
    """Buffers of one bucket, and on CUDA the captured step that works in them."""

    def __init__(
        self,
        bucket: Bucket,
        layers: Sequence[DecoderLayer],
        pad: int,
        advance: Callable[["_State", Tensor, Tensor], None],
    ) -> None:
        weight = layers[0].weight
        rows = bucket.segments * bucket.texts
        heads, width = layers[0].heads, weight.shape[1]
        own = (len(layers), 2, rows, heads, bucket.positions, width // heads)
        audio = (len(layers), 2, bucket.segments, heads, bucket.frames, width // heads)
        self._own, self._audio = weight.new_zeros(own), weight.new_zeros(audio)
        self.bucket = bucket
        self.own = [(keys, values) for keys, values in self._own]
        self.audio = [(keys, values) for keys, values in self._audio]
        self.audio_bias = weight.new_zeros(bucket.segments, 1, 1, bucket.frames)
        integers = {"dtype": torch.long, "device": weight.device}
        self.written = torch.full((rows, bucket.positions + 1), pad, **integers)
        self.prompts = torch.full((rows, 1), pad, **integers)
        self._token = torch.full((rows, 1), pad, **integers)
        self._place = torch.zeros(1, **integers)
        self._stops = torch.zeros(rows, **integers)
        self.ended = torch.zeros(rows, dtype=torch.bool, device=weight.device)
        self._pad = pad
        self._advance = advance
        self._graph: Any = None
        self._captures = weight.is_cuda
        self.steps_between_checks = STEPS_BETWEEN_CHECKS if weight.is_cuda else 1
        self.size_bytes = (self._own.numel() + self._audio.numel()) * weight.element_size()

    def begin(
        self,
        audio: Sequence[tuple[Tensor, Tensor]],
        frame_counts: Tensor,
        prompts: Tensor,
        limits: Tensor,
    ) -> None:
        """Lay a batch into the buffers; rows and frames beyond it are padding."""
        segments, texts, prompt_length = prompts.shape
        rows = segments * texts
        self._own.zero_()  # what is masked still gets multiplied: it must be finite
        self._audio.zero_()
        for (keys, values), (new_keys, new_values) in zip(self.audio, audio, strict=True):
            keys[:segments, :, : new_keys.shape[2]] = new_keys
            values[:segments, :, : new_values.shape[2]] = new_values
        frames = torch.arange(self.bucket.frames, device=self.audio_bias.device)
        self.audio_bias.fill_(MASKED)
        heard = frames[None] < frame_counts.to(frames.device)[:, None]
        self.audio_bias[:segments, 0, 0].masked_fill_(heard, 0.0)
        self.prompts = prompts.new_full((len(self.written), prompt_length), self._pad)
        self.prompts[:rows] = prompts.reshape(rows, prompt_length)
        self.written.fill_(self._pad)
        self._stops.zero_()
        self._stops[:rows] = (limits.reshape(rows) + prompt_length).to(self._stops.device)
        self.ended.copy_(self._stops <= prompt_length)

    def write(self, following: Tensor, place: Tensor, end: int) -> None:
        """Append a token to every text that has not ended; all of it on the device."""
        token = torch.where(self.ended, self._pad, following)
        self.written.index_copy_(1, place, token[:, None])
        self.ended.logical_or_((token == end) | (place + 1 >= self._stops))
        self._token.copy_(token[:, None])
        self._place.copy_(place)

    def step(self) -> None:
        """One more token of every text."""
        if not self._captures:
            self._advance(self, self._token, self._place)
            return
        if self._graph is None:
            self._graph = self._capture()
        self._graph.replay()

    def _capture(self) -> Any:
        """Record a step. Recording runs it without effect; the steps before it are undone."""
        kept = [t.clone() for t in (self.written, self.ended, self._token, self._place)]
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):  # kernels choose their workspaces before the recording
            for _ in range(2):
                self._advance(self, self._token, self._place)
        torch.cuda.current_stream().wait_stream(aside)
        for tensor, value in zip(
            (self.written, self.ended, self._token, self._place), kept, strict=True
        ):
            tensor.copy_(value)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._advance(self, self._token, self._place)
        return graph


def at_least(sizes: Sequence[int], wanted: int) -> int:
    """The smallest of `sizes` that holds `wanted`; `wanted` itself above the largest."""
    return next((size for size in sizes if size >= wanted), wanted)
