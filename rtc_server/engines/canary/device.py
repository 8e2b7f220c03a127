"""Where a model computes, and how precisely."""

from typing import Any

import torch

from rtc_server.errors import EngineUnavailable


def choose_device(wanted: str) -> str:
    """``cuda`` or ``cpu``; `wanted` may also be ``auto``.

    Raises:
        EngineUnavailable: CUDA is wanted and not to be had.
    """
    if torch.cuda.is_available() and wanted != "cpu":
        return "cuda"
    if wanted != "cuda":
        return "cpu"
    reason = (
        "PyTorch was installed without it. Install its CUDA build"
        if torch.version.cuda is None
        else "PyTorch sees no GPU. Check `nvidia-smi`, and that the container may use the GPU"
    )
    raise EngineUnavailable(f"There is no CUDA here: {reason}, or choose --device cpu.")


def choose_dtype(device: str) -> Any:
    """bfloat16 where the GPU computes in it, else float32."""
    native = device == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if native else torch.float32


def no_room() -> EngineUnavailable:
    """The error for a GPU whose free memory does not hold the model."""
    free, total = (size / 2**30 for size in torch.cuda.mem_get_info())
    return EngineUnavailable(
        f"The model does not fit the GPU: {free:.1f} of {total:.1f} GB are free. End what else "
        "uses it (`nvidia-smi` tells), or choose --device cpu."
    )
