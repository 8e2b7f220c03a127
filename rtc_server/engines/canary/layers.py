"""One Transformer decoder layer of NeMo's, computed with kept keys and values."""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import linear, scaled_dot_product_attention


class DecoderLayer:
    """Weights of a ``TransformerDecoderBlock``, those that are used together laid together.

    NeMo's own parameters become views of the joined ones: nothing is stored twice, and the block
    still works as NeMo calls it.
    """

    def __init__(self, block: Any) -> None:
        own, cross, feed = block.first_sub_layer, block.second_sub_layer, block.third_sub_layer
        self.heads: int = own.num_attention_heads
        self._norms = (block.layer_norm_1, block.layer_norm_2, block.layer_norm_3)
        self._own_in = _joined(own.query_net, own.key_net, own.value_net)
        self._own_out = own.out_projection
        self._cross_query = cross.query_net
        self._cross_in = _joined(cross.key_net, cross.value_net)
        self._cross_out = cross.out_projection
        self._feed_in, self._feed_out, self._activation = feed.dense_in, feed.dense_out, feed.act_fn

    @property
    def weight(self) -> Tensor:
        """Any weight: tells device, dtype and width (its second dimension)."""
        return self._own_in[0]

    def look_at(self, encoded: Tensor) -> tuple[Tensor, Tensor]:
        """Return cross-attention keys and values of audio, once a segment.

        Args:
            encoded: encoder states, shape (segments, frames, width).

        Returns:
            Two tensors of shape (segments, heads, frames, width / heads).
        """
        segments, frames, width = encoded.shape
        both = linear(encoded, *self._cross_in)
        both = both.view(segments, frames, 2, self.heads, width // self.heads)
        keys, values = both.permute(2, 0, 3, 1, 4)
        return keys, values

    def __call__(
        self,
        states: Tensor,
        *,
        own_positions: tuple[Tensor, Tensor],
        own: tuple[Tensor, Tensor],
        own_bias: Tensor,
        audio: tuple[Tensor, Tensor],
        audio_bias: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Return the next states of some tokens of every text, and their queries to the audio.

        Args:
            states: shape (segments * texts, tokens, width).
            own_positions: row and position of each of these tokens among the keys and values of the
                texts, shapes (segments * texts, 1) and (segments * texts, tokens).
            own: keys and values of the text so far, shape (segments * texts, heads, positions,
                width / heads); those of these tokens are written into it.
            own_bias: added to the scores of positions, shape (segments * texts, 1, tokens,
                positions).
            audio: what `look_at` gave, frames padded.
            audio_bias: added to the scores of frames, shape (segments, 1, 1, frames).

        Returns:
            States in the shape of `states`, queries of shape (segments, heads, texts * tokens,
            width / heads).
        """
        rows, tokens, width = states.shape
        size = width // self.heads
        three = linear(self._norms[0](states), *self._own_in)
        query, key, value = three.view(rows, tokens, 3, self.heads, size).unbind(2)
        own[0].transpose(1, 2).index_put_(own_positions, key)
        own[1].transpose(1, 2).index_put_(own_positions, value)
        heard = scaled_dot_product_attention(query.transpose(1, 2), own[0], own[1], own_bias)
        states = states + self._own_out(heard.transpose(1, 2).reshape(rows, tokens, width))

        segments = audio[0].shape[0]
        texts = rows // segments
        query = self._cross_query(self._norms[1](states))
        query = query.view(segments, texts * tokens, self.heads, size).transpose(1, 2)
        heard = scaled_dot_product_attention(query, audio[0], audio[1], audio_bias)
        states = states + self._cross_out(heard.transpose(1, 2).reshape(rows, tokens, width))

        inner = self._activation(self._feed_in(self._norms[2](states)))
        return states + self._feed_out(inner), query


def _joined(*modules: Any) -> tuple[Tensor, Tensor]:
    """Return weight and bias of several linear layers of the same input, as one layer."""
    joined = []
    for name in ("weight", "bias"):
        parts = [getattr(module, name) for module in modules]
        whole = torch.cat([part.detach() for part in parts])
        for part, view in zip(parts, whole.chunk(len(parts)), strict=True):
            part.data = view
        joined.append(whole)
    return joined[0], joined[1]
