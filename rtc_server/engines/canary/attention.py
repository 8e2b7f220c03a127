"""Cross-attention of the heads that say where in the audio a token comes from."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from rtc_server.engines.canary.alignment import SINK_FRAMES, LayerHeads
from rtc_server.engines.canary.layers import DecoderLayer
from rtc_server.errors import EngineUnavailable


class AlignmentHeads:
    """Chosen heads of a decoder. Operations on the device alone, so that a graph can hold them."""

    def __init__(self, chosen: Sequence[LayerHeads], layers: Sequence[DecoderLayer]) -> None:
        """Choose among the heads of `layers`.

        Raises:
            EngineUnavailable: there is no such layer or head.
        """
        self._heads: dict[int, Tensor | None] = {}
        for each in chosen:
            index = each.layer if each.layer >= 0 else len(layers) + each.layer
            if not 0 <= index < len(layers) or max(each.heads, default=0) >= layers[0].heads:
                raise EngineUnavailable(
                    f"--canary-heads: this model has {len(layers)} layers of {layers[0].heads} "
                    f"heads, counted from 0; it has no {each}."
                )
            heads = torch.tensor(each.heads, device=layers[0].weight.device)
            self._heads[index] = heads if each.heads else None

    def __bool__(self) -> bool:
        return bool(self._heads)

    def attention(
        self, layer: int, query: Tensor, audio: tuple[Tensor, Tensor], audio_bias: Tensor
    ) -> Tensor | None:
        """Return what the heads of a layer attend to, summed over them; None for other layers.

        Scores are as exact as the model computes, what follows is in float32: the sum of several
        heads is often nearly flat.

        Args:
            layer: index of the layer.
            query: its cross-attention queries, shape (segments, heads, queries, width / heads).
            audio: its keys and values of the audio, see `DecoderLayer.look_at`.
            audio_bias: added to the scores of frames, shape (segments, 1, 1, frames).

        Returns:
            Shape (segments, queries, frames).
        """
        if layer not in self._heads:
            return None
        heads, keys = self._heads[layer], audio[0]
        if heads is not None:
            query, keys = query.index_select(1, heads), keys.index_select(1, heads)
        scores = query @ keys.transpose(2, 3) / math.sqrt(query.shape[-1]) + audio_bias
        return scores.float().softmax(dim=-1).sum(dim=1)


def frames_of(attention: Tensor) -> Tensor:
    """Return the frame that each query attends to most, shape (segments, queries), beyond those
    that attention falls on for want of a better.

    Args:
        attention: shape (segments, queries, frames), at least one frame more than these.
    """
    return attention[:, :, SINK_FRAMES:].argmax(dim=-1) + SINK_FRAMES
